// SPDX-License-Identifier: Apache-2.0
// The last rule first. Thread: any.
#include "control/dump/host_rules.hpp"

#include <emmintrin.h>

#include <algorithm>

namespace wiretally {
namespace {

using Address = std::array<std::uint8_t, 16>;

bool holds(const HostNet& net, const Address* address, bool v6) {
  if (net.any) return true;
  if (address == nullptr || net.v6 != v6) return false;
  const auto load = [](const Address& octets) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(octets.data()));
  };
  const __m128i masked = _mm_and_si128(load(*address), load(net.mask));
  return _mm_movemask_epi8(_mm_cmpeq_epi8(masked, load(net.address))) == 0xffff;
}

bool fits(const HostRule& rule, const Address* host, const Address* peer, bool v6) {
  if (!holds(rule.net, host, v6)) return false;
  if (rule.peer == HostPeer::kAny) return true;
  return holds(rule.peer_net, peer, v6) == (rule.peer == HostPeer::kWith);
}

HostLog decide(const std::vector<HostRule>& rules, const Address* host, const Address* peer,
               bool v6) {
  if (host == nullptr) return HostLog::kNone;
  for (const HostRule& rule : rules) {
    if (fits(rule, host, peer, v6)) return rule.log;
  }
  return HostLog::kNone;
}

}  // namespace

bool names_source(const FlowKey& key) {
  const CoarseLevel level = key.level();
  return key.ip_version() != IpVersion::kNone &&
         (level == CoarseLevel::kExact || level == CoarseLevel::kNoPorts ||
          level == CoarseLevel::kSourceHost);
}

bool names_destination(const FlowKey& key) {
  const CoarseLevel level = key.level();
  return key.ip_version() != IpVersion::kNone &&
         (level == CoarseLevel::kExact || level == CoarseLevel::kNoPorts ||
          level == CoarseLevel::kDestinationHost);
}

HostRules::HostRules(std::span<const std::string> rules) {
  if (rules.empty()) return;
  rules_.clear();
  for (const std::string& rule : rules) rules_.push_back(parse_host_rule(rule));
  std::ranges::reverse(rules_);
}

HostRules::Counts HostRules::judge(const FlowKey& key) const {
  const Address* source = names_source(key) ? &key.source : nullptr;
  const Address* destination = names_destination(key) ? &key.destination : nullptr;
  const bool v6 = key.ip_version() == IpVersion::kV6;
  const HostLog from = decide(rules_, source, destination, v6);
  const HostLog to = decide(rules_, destination, source, v6);
  return {from == HostLog::kFrom || from == HostLog::kBoth,
          to == HostLog::kTo || to == HostLog::kBoth};
}

}  // namespace wiretally
