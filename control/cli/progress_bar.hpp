// SPDX-License-Identifier: Apache-2.0
// How far a read is, with rate and time left: on a terminal, and only once it takes its time.
// Thread: the one that calls update(). To: standard error.
#pragma once

#include <chrono>
#include <string>

#include "control/appliance.hpp"

namespace wiretally {

// One line without control characters, at most `columns` wide.
std::string progress_text(const ReadProgress& progress, double elapsed_s, std::size_t columns);

class ProgressBar {
 public:
  ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { clear(); }

  void update(const ReadProgress& progress);
  void clear();  // the line is free for other text

 private:
  const bool shown_;
  const std::chrono::steady_clock::time_point start_;
  bool drawn_ = false;
};

}  // namespace wiretally
