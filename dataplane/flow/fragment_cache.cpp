// SPDX-License-Identifier: Apache-2.0
// See fragment_cache.hpp. Thread: worker.
#include "dataplane/flow/fragment_cache.hpp"

#include <algorithm>

namespace wiretally {
namespace {

// IPv6 names a packet by addresses and identification alone: its later fragments may not know the
// protocol, which then is that of the first extension header behind the fragment header.
FlowKey common_of(const ParsedPacket& packet) {
  FlowKey common = packet.key;
  common.source_port = static_cast<std::uint16_t>(packet.fragment_id >> 16);
  common.destination_port = static_cast<std::uint16_t>(packet.fragment_id);
  if (common.ip_version() == IpVersion::kV6) common.protocol = 0;
  return common;
}

}  // namespace

FragmentCache::FragmentCache(const FlowHash& hash)
    : hash_(hash), sets_(std::make_unique<std::array<Set, kSets>>()) {}

FragmentCache::Outcome FragmentCache::take(ParsedPacket& packet, TimeNs time) {
  const FlowKey common = common_of(packet);
  Set& set = (*sets_)[hash_(common) % kSets];
  return packet.fragment == FragmentPlace::kFirst ? store(set, common, packet, time)
                                                  : join(set, common, packet, time);
}

// The clock of a recording may stand still or step back: an entry from the future has not expired.
bool FragmentCache::is_alive(const Entry& entry, TimeNs now) {
  return entry.used && now - entry.time <= kLifetime;
}

// In the place of the same packet's entry (a repeated identification: the newer packet counts), of
// one that has expired, or of the oldest.
FragmentCache::Outcome FragmentCache::store(Set& set, const FlowKey& common,
                                            const ParsedPacket& packet, TimeNs time) {
  auto place = std::find_if(set.begin(), set.end(), [&](const Entry& entry) {
    return entry.used && entry.packet == common;
  });
  if (place == set.end()) {
    place = std::find_if_not(set.begin(), set.end(),
                             [time](const Entry& entry) { return is_alive(entry, time); });
  }
  const bool full = place == set.end();
  if (full) {
    place = std::min_element(set.begin(), set.end(),
                             [](const Entry& a, const Entry& b) { return a.time < b.time; });
  }
  *place = {common, time, packet.key.source_port, packet.key.destination_port, packet.key.protocol,
            true};
  return full ? Outcome::kStoredEvicting : Outcome::kStored;
}

FragmentCache::Outcome FragmentCache::join(const Set& set, const FlowKey& common,
                                           ParsedPacket& packet, TimeNs time) {
  const auto found = std::find_if(set.begin(), set.end(), [&](const Entry& entry) {
    return is_alive(entry, time) && entry.packet == common;
  });
  if (found == set.end()) return Outcome::kWithoutFirst;
  packet.key.source_port = found->source_port;
  packet.key.destination_port = found->destination_port;
  packet.key.protocol = found->protocol;
  return Outcome::kJoined;
}

}  // namespace wiretally
