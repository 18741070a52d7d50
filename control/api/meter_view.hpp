// SPDX-License-Identifier: Apache-2.0
// What the control socket and the metrics endpoint may ask of, and tell to, the running meter.
// The appliance implements it. Thread: any; every call returns soon (at most a tick).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "control/reload.hpp"
#include "control/status.hpp"

namespace wiretally {

// A flow that has not ended, with what it did in the last whole tick.
struct ActiveFlow {
  FlowRecord record;  // so far; end_reason has no meaning
  std::uint64_t recent_packets = 0;
  std::uint64_t recent_octets = 0;
};

enum class FlowOrder : std::uint8_t { kOctets, kPackets, kRecentOctets, kRecentPackets, kFirst };

struct FlowQuery {
  std::size_t limit = 20;  // 0: all
  FlowOrder order = FlowOrder::kRecentOctets;
  std::string filter;  // tcpdump syntax; empty: all
};

struct ActiveFlows {
  std::vector<ActiveFlow> flows;  // the first `limit` in that order
  std::size_t active = 0;         // all that match
  double recent_seconds = 0;      // length of the last tick
};

// Hosts or ports summed over the active flows: `top`'s other views.
enum class TopDimension : std::uint8_t {
  kFlow,
  kSourceHost,
  kDestinationHost,
  kHost,
  kPort,
  kProtocol
};
struct TopRow {
  std::string name;  // address, port/protocol, protocol
  Volume recent;     // last tick
  Volume total;      // flows still active
  std::uint64_t flows = 0;
};
struct TopRows {
  std::vector<TopRow>
      rows;  // by recent octets; the last is "other" if rows were cut, sums stay exact
  double recent_seconds = 0;
};

struct MonitorQuery {
  std::vector<std::string> names;  // empty: all
  std::size_t groups = 20;         // of each, the heaviest; 0: all
};

// Flows that left by order.
struct SweptFlows {
  std::uint64_t flows = 0;
  Volume volume;
};

// Errors: StartupError, for a filter that is none and a configuration that is not good (kUsage),
// and when the meter is stopping (kNo).
class MeterView {
 public:
  virtual ~MeterView() = default;
  [[nodiscard]] virtual StatusPtr status() const = 0;
  virtual ActiveFlows active_flows(const FlowQuery& query) = 0;
  // `filter`: tcpdump syntax; empty: all flows.
  virtual TopRows top(TopDimension dimension, std::size_t limit, const std::string& filter) = 0;
  // Between two ticks. StartupError (kNo): there is no such monitor. Groups: heaviest first, those
  // beyond the limit are in `other`.
  virtual std::vector<MonitorSnapshot> monitors(const MonitorQuery& query) = 0;
  // `last`: what becomes of the flows that are still active.
  virtual void request_stop(Leave last) = 0;

  // Carried out between two ticks; all packets that came before count.
  virtual SweptFlows sweep(Leave how, const std::string& filter) = 0;
  virtual std::size_t send_templates() = 0;  // returns to how many collectors
  virtual ReloadResult reload() = 0;
  virtual void set_paused(bool paused) = 0;
  virtual FlowsConfig flows_config() = 0;
  // Empty: only asks. Returns the level that holds now.
  virtual std::string log_level(const std::string& level) = 0;
};

}  // namespace wiretally
