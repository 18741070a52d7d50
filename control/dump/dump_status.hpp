// SPDX-License-Identifier: Apache-2.0
// How the dumps stand: for status, metrics and the log. Thread: any (a value).
#pragma once

#include <cstdint>
#include <string>

namespace wiretally {

struct DumpStatus {
  bool kept = false;  // a monitor has a dump
  std::uint64_t written = 0;
  std::uint64_t failures = 0;  // attempts that did not reach the file
  std::uint64_t waiting = 0;   // dumps that are to be written
  std::uint64_t lost = 0;      // dumps that were given up
  std::string trouble;         // empty: none
};

}  // namespace wiretally
