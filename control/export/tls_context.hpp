// SPDX-License-Identifier: Apache-2.0
// What all TLS sessions with one collector share: whom to trust, who we are, TLS 1.2 at least.
// Thread: made by control, used by one link thread.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "config/config.hpp"

namespace wiretally {

class TlsContext {
 public:
  // `host`: as in the collector's address; its certificate must have that name or address. Throws
  // StartupError(kUsage) for a file that cannot be used.
  TlsContext(const TlsConfig& config, const std::string& host);

  struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  using Session = std::unique_ptr<SSL, FreeSession>;
  // A client session over a connected socket.
  [[nodiscard]] Session start(int fd) const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  const bool verify_;
  const std::string name_;
};

// Why the session failed, in OpenSSL's words; empties its queue of errors.
std::string tls_error_text(const SSL* session);

}  // namespace wiretally
