// SPDX-License-Identifier: Apache-2.0
// Lets later fragments of an IP packet join the flow of the first (`flows.fragment_ports: first`):
// the first fragment leaves its protocol and ports here, under what RFC 791 and RFC 8200 section
// 4.5 put a packet together by: addresses and identification (IPv4: the protocol too), and here
// also the port and VLAN it came by. A later fragment that finds nothing - its first went by
// another queue, came after it, was lost, or was evicted - keeps ports 0 and says so.
//
// Sets of four entries, placed by the keyed hash, so that nobody can choose identifications that
// meet in one set. Fixed memory: kEntries entries, 448 KiB. What is counted never depends on the
// cache but for protocol and ports: a forged fragment can at worst join a flow of its own
// addresses. Thread: worker. No allocation after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/flow/flow_hash.hpp"
#include "dataplane/packet/packet_view.hpp"
#include "dataplane/packet/parsed_packet.hpp"

namespace wiretally {

class FragmentCache {
 public:
  static constexpr std::size_t kEntries = 8192;
  // Longer than any fragment is under way: hosts give up putting a packet together after 30 s
  // (Linux) to 60 s (RFC 8200 section 4.5).
  static constexpr TimeNs kLifetime = 30 * kNsPerSecond;

  enum class Outcome : std::uint8_t {
    kStored,          // a first fragment
    kStoredEvicting,  // another packet's entry, still alive, had to go
    kJoined,          // a later one: it has its first's protocol and ports now
    kWithoutFirst,    // a later one whose first is not known
  };

  explicit FragmentCache(const FlowHash& hash);

  // Takes a fragment (packet.fragment is not kNone) in or completes its key. `time`: the packet's.
  Outcome take(ParsedPacket& packet, TimeNs time);

 private:
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kSets = kEntries / kWays;
  struct Entry {
    FlowKey packet;  // what its fragments have in common; ports: the identification
    TimeNs time = 0;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t protocol = 0;
    bool used = false;
  };
  using Set = std::array<Entry, kWays>;

  static bool is_alive(const Entry& entry, TimeNs now);
  static Outcome store(Set& set, const FlowKey& common, const ParsedPacket& packet, TimeNs time);
  static Outcome join(const Set& set, const FlowKey& common, ParsedPacket& packet, TimeNs time);

  const FlowHash& hash_;
  std::unique_ptr<std::array<Set, kSets>> sets_;
};

}  // namespace wiretally
