// SPDX-License-Identifier: Apache-2.0
// Names of hosts by DNS, within a time. A thread of its own asks (one question at a time, as the
// system's resolver is set up); who waits gets what came until then. Names and failures are
// remembered for an hour. Only names of letters, digits, dots, hyphens and underscores count: a PTR
// record can hold anything.
// Thread: resolve() one caller at a time. A question that hangs holds nobody up, also not at the
// end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "control/dump/dump_text.hpp"

namespace wiretally {

class HostNameResolver {
 public:
  // The name behind an address, if there is one. May block for long.
  using Lookup = std::function<std::optional<std::string>(const HostAddress&)>;
  static std::optional<std::string> ask_system(const HostAddress& host);

  explicit HostNameResolver(Lookup lookup = ask_system);
  ~HostNameResolver();
  HostNameResolver(const HostNameResolver&) = delete;
  HostNameResolver& operator=(const HostNameResolver&) = delete;

  // Names of `rows` that are known within `limit`, in their order.
  [[nodiscard]] HostNames resolve(std::span<const HostRow> rows, std::chrono::milliseconds limit);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace wiretally
