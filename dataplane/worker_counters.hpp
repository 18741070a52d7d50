// SPDX-License-Identifier: Apache-2.0
// What one worker has seen since it started, by port. Plain numbers with one writer: control never
// reads them live, it gets a copy with each epoch (EpochReport), so that tables and counters belong
// to one moment and the ledger balances at any time. Thread: worker; the copies: control.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/flow/flow_key.hpp"
#include "dataplane/packet/parse_error.hpp"

namespace wiretally {

struct MeteredCounter {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;     // layer 3
  std::uint64_t l2_octets = 0;  // frames without FCS
};

struct FrameCounter {
  std::uint64_t packets = 0;
  std::uint64_t l2_octets = 0;
};

struct PortCounters {
  FrameCounter received;
  std::array<MeteredCounter, kIpVersions> metered;  // by IpVersion
  std::array<FrameCounter, kParseErrors>
      results;  // [kNone] unused; notes count metered packets too
  std::array<std::uint64_t, kCoarseLevels> coarse;  // packets; [kExact] unused
  // flows.fragment_ports: first. Those that did not join are in results[kFragmentWithoutFirst].
  std::uint64_t fragments_joined = 0;
  std::uint64_t fragments_evicted = 0;  // first fragments forgotten before their time
};

// Where a worker's time goes, measured only when asked for. Parser and hash run interleaved, so
// they are one phase.
enum class WorkerPhase : std::uint8_t { kIdle, kPoll, kParseHash, kCount, kFlip };
inline constexpr std::size_t kWorkerPhases = 5;

struct WorkerCounters {
  std::vector<PortCounters> ports;  // by PortIndex
  std::uint64_t polls = 0;
  std::uint64_t busy_polls = 0;                        // polls that found packets
  std::array<std::int64_t, kWorkerPhases> phase_ns{};  // all 0: not measured
};

}  // namespace wiretally
