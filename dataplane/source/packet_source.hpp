// SPDX-License-Identifier: Apache-2.0
// What every capture driver looks like to a worker, and to control. The hot half is a concept, so
// that no packet costs a virtual call; the cold half (names, what was missed) is asked once a tick.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

// Whose clock stamps the packets. kPackets: a recording; the meter may let the source wait, so
// nothing is lost and the result does not depend on the machine's speed. kMachine: a live link.
enum class TimeBase : std::uint8_t { kMachine, kPackets };

// Thread: worker. poll() fills at most views.size() (<= kBurstMax) views and returns how many; the
// views are good until release(). exhausted(): no packet will ever come again (end of the
// recording). A kMachine source may leave view.time as 0: the worker then stamps the burst.
template <class Source>
concept PacketSource = requires(Source s, const Source cs, std::span<PacketView> views) {
  { s.poll(views) } -> std::same_as<std::size_t>;
  { s.release() } -> std::same_as<void>;
  { cs.exhausted() } -> std::same_as<bool>;
};

struct MissedCount {
  std::string_view reason;  // nic, no_mbuf, ring_full, kernel, ...: static storage
  std::uint64_t packets = 0;
};

// An Observation Point as control sees it. Thread: control. missed() returns totals since start,
// one entry per reason the driver can tell, always the same reasons in the same order.
class CapturePort {
 public:
  virtual ~CapturePort() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::uint32_t ifindex() const = 0;
  // Packets that leave through the interface are seen here, not those that come in.
  [[nodiscard]] virtual bool egress() const { return false; }
  virtual std::vector<MissedCount> missed() = 0;
  // How the driver takes packets from this port now ("zero-copy", "native", ...); empty: there is
  // one way only. Static storage.
  [[nodiscard]] virtual std::string_view mode() const { return {}; }
};

}  // namespace wiretally
