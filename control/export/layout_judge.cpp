// SPDX-License-Identifier: Apache-2.0
// See layout_judge.hpp.
#include "control/export/layout_judge.hpp"

#include <algorithm>

#include "control/export/record_layout.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kMessageHeader = 20;  // NetFlow v9; IPFIX has 16
constexpr std::size_t kSetHeader = 4;
constexpr std::size_t kPadding = 3;

}  // namespace

std::size_t layout_judge(const Config& config, std::size_t number) {
  const CollectorConfig& collector = config.exporting.collectors[number];
  if (collector.version < NetflowVersion::kV9) return 0;
  const auto sees_egress = [](const auto& interface) {
    return interface.direction != Direction::kIngress;
  };
  const bool directions = !config.capture.own_macs.empty() ||
                          std::ranges::any_of(config.capture.interfaces, sees_egress);
  std::size_t octets = 0;
  for (const RecordTemplate& each :
       make_layout(layout_choice(collector, config.flows.tunnel, config.flows.key, directions))) {
    octets = std::max({octets, each.template_octets(), each.record_octets()});
  }
  return kMessageHeader + kSetHeader + octets + kPadding;
}

}  // namespace wiretally
