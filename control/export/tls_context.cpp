// SPDX-License-Identifier: Apache-2.0
// See tls_context.hpp. Thread: control (making), one link thread (sessions).
#include "control/export/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>

#include "config/startup_error.hpp"
#include "control/export/collector_address.hpp"

namespace wiretally {
namespace {

std::string openssl_text() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  if (reason != nullptr) return reason;
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

[[noreturn]] void refuse(const std::string& key, const std::string& path) {
  throw StartupError(ExitCode::kUsage, "export.collectors: tls." + key + ": cannot use " + path +
                                           ": " + openssl_text());
}

}  // namespace

TlsContext::TlsContext(const TlsConfig& config, const std::string& host)
    : context_(SSL_CTX_new(TLS_client_method())),
      verify_(config.verify),
      name_(config.name.empty() ? host : config.name) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (!config.ca.empty()) {
    if (SSL_CTX_load_verify_locations(context, config.ca.c_str(), nullptr) != 1) {
      refuse("ca", config.ca);
    }
  } else {
    SSL_CTX_set_default_verify_paths(context);
  }
  SSL_CTX_set_verify(context, verify_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (config.certificate.empty()) return;
  if (SSL_CTX_use_certificate_chain_file(context, config.certificate.c_str()) != 1) {
    refuse("certificate", config.certificate);
  }
  const std::string& key = config.key.empty() ? config.certificate : config.key;
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    refuse("key", key);
  }
}

// A name also goes out in the hello (SNI), so that the right one of several certificates comes.
TlsContext::Session TlsContext::start(int fd) const {
  Session session(SSL_new(context_.get()));
  SSL_set_fd(session.get(), fd);
  SSL_set_connect_state(session.get());
  const bool is_address = numeric_address(name_, "0").has_value();
  if (!is_address) SSL_set_tlsext_host_name(session.get(), name_.c_str());
  if (!verify_) return session;
  X509_VERIFY_PARAM* parameters = SSL_get0_param(session.get());
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, name_.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(parameters, name_.c_str(), 0);
  }
  return session;
}

std::string tls_error_text(const SSL* session) {
  const long verified = SSL_get_verify_result(session);
  if (verified == X509_V_OK) return openssl_text();
  ERR_clear_error();
  return X509_verify_cert_error_string(verified);
}

}  // namespace wiretally
