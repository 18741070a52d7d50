// SPDX-License-Identifier: Apache-2.0
// Hashes each packet of a burst as it is parsed and asks memory for its line, so that the wait for
// memory is filled with parsing. Thread: worker; lives as long as one burst.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/flow/count_table.hpp"
#include "dataplane/flow/flow_hash.hpp"
#include "dataplane/packet/parsed_packet.hpp"

namespace wiretally {

class HashBehind {
 public:
  // Lines are asked for four at a time: a prefetch that waits for its page walk holds up what
  // follows it, and four walk side by side. One by one costs 1.07 times as much a packet at ten
  // million flows, the whole burst at once 1.13 times at a million.
  static constexpr std::size_t kTogether = 4;

  HashBehind(const FlowHash& hash, const CountTable& table, const ParsedPacket* packets,
             std::uint64_t* hashes)
      : hash_(hash), table_(table), packets_(packets), hashes_(hashes) {}

  // After each packet: `parsed` packets of the burst are complete.
  void follow(std::size_t parsed) {
    hashes_[parsed - 1] = hash_(packets_[parsed - 1].key);
    if (parsed % kTogether == 0) ask(parsed - kTogether, parsed);
  }
  // After the last.
  void finish(std::size_t parsed) { ask(parsed - parsed % kTogether, parsed); }

 private:
  void ask(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) table_.prefetch(hashes_[i]);
  }

  const FlowHash& hash_;
  const CountTable& table_;
  const ParsedPacket* packets_;
  std::uint64_t* hashes_;
};

}  // namespace wiretally
