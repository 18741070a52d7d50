// SPDX-License-Identifier: Apache-2.0
// What every Exporting Process of this meter has in common: who exports, from which interfaces, at
// which sampling, by which clock. The collector's own settings are in CollectorConfig.
// Thread: filled by control before links are made; the callbacks are called from link threads and
// must be thread-safe and quick.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

struct ExportedInterface {
  std::uint32_t ifindex = 0;
  std::string name;         // at most 32 octets go out
  std::string description;  // at most 64 octets go out
};

// The Metering Process Statistics of RFC 7011 section 4.1.
struct MeteringStatistics {
  std::uint64_t observed_flows = 0;
  std::uint64_t ignored_packets = 0;
  std::uint64_t ignored_octets = 0;
};

struct ExporterInfo {
  std::uint32_t domain_id = 0;  // from observation_domain_id(); never 0
  std::uint32_t sampling_rate = 1;
  SamplingMode sampling_mode = SamplingMode::kRandom;
  TunnelKey tunnel_key = TunnelKey::kOuter;  // whose addresses are the records' keys
  KeyConfig key{};                           // what a flow is told apart by
  std::string domain_name;                   // of the Observation Domain; at most 64 octets go out
  bool directions = false;  // some port sees what leaves: records tell which way they went
  std::vector<ExportedInterface> interfaces;
  TimeNs start_time = 0;                         // sysUptime counts from here; 0: clock() at start
  std::function<TimeNs()> clock;                 // UTC now; empty: the machine's clock
  std::function<MeteringStatistics()> metering;  // empty: IEs 163-165 are not announced
  std::function<bool(const FlowRecord&)> accepts;  // the collector's filter; empty: everything
  std::size_t queue_records = 262'144;             // bound of each link's queue
  bool lossless = false;  // offer() waits for room instead of dropping: captures, never live
};

// The id all messages carry (RFC 7011 section 3.1; v9: Source ID): `configured`, or if that is 0 a
// hash of the machine's identity, the same after every restart and never 0. `identity_file` is
// missing or empty: the host name is hashed instead.
std::uint32_t observation_domain_id(std::uint32_t configured,
                                    const std::string& identity_file = "/etc/machine-id");

// The machine's name, as it is set.
std::string host_name();

}  // namespace wiretally
