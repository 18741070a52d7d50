// SPDX-License-Identifier: Apache-2.0
// How the history stands: for status, metrics and the log. Thread: any (a value).
#pragma once

#include <cstdint>
#include <string>

#include "control/volume.hpp"

namespace wiretally {

struct HistoryStatus {
  bool kept = false;
  std::uint64_t flushes = 0;   // that reached the file
  std::uint64_t failures = 0;  // that did not
  std::uint64_t pending_rows = 0;
  Volume lost;          // did not fit in memory while the file could not be written
  std::string trouble;  // empty: none
};

}  // namespace wiretally
