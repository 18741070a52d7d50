// SPDX-License-Identifier: Apache-2.0
// See exporter_info.hpp. Thread: control, at start.
#include "control/export/exporter_info.hpp"

#include <unistd.h>

#include <array>
#include <fstream>

namespace wiretally {
namespace {

// FNV-1a. The prefix keeps the machine id itself from being guessed back from what goes on the
// wire.
std::uint32_t hash_identity(const std::string& identity) {
  std::uint32_t hash = 2166136261u;
  for (const char c : "wiretally observation domain " + identity) {
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619u;
  }
  return hash == 0 ? 1 : hash;
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::uint32_t observation_domain_id(std::uint32_t configured, const std::string& identity_file) {
  if (configured != 0) return configured;
  std::string identity;
  std::ifstream file(identity_file);
  std::getline(file, identity);
  return hash_identity(identity.empty() ? host_name() : identity);
}

}  // namespace wiretally
