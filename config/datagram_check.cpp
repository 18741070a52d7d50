// SPDX-License-Identifier: Apache-2.0
// Holds the judge. Thread: see the header.
#include "config/datagram_check.hpp"

namespace wiretally {
namespace {

LayoutJudge the_judge = nullptr;

}  // namespace

void set_layout_judge(LayoutJudge judge) {
  the_judge = judge;
}

std::size_t datagram_needed(const Config& config, std::size_t collector) {
  return the_judge == nullptr ? 0 : the_judge(config, collector);
}

}  // namespace wiretally
