// SPDX-License-Identifier: Apache-2.0
// Where the collector is and whether it is there: address lookup, socket, and the state that
// follows from what the network answers. UDP has no connection; what stands in for one is that
// nobody objects. From the first ICMP "nobody listens" on, only probes go out (probe_due()), with
// back-off; a probe that stays unanswered for kProbeSilence means the collector is back. Thread:
// one link thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/export/collector_address.hpp"
#include "control/export/pacer.hpp"
#include "control/export/record_queue.hpp"
#include "control/export/udp_socket.hpp"

namespace wiretally {

enum class LinkState : std::uint8_t { kUp, kUnresolved, kUnreachable, kRefused };

class CollectorConnection {
 public:
  // Called at every change of state, with a line for the log.
  using ChangeCallback = std::function<void(LinkState state, const std::string& line)>;

  // `text`: as configured, for the log. Throws StartupError(kUsage) if it is no address.
  CollectorConnection(const std::string& text, const std::optional<SocketAddress>& source,
                      const SocketOptions& options, int wake_fd, ChangeCallback changed);

  // Whatever is due: start or end a lookup, open the socket, end a silence.
  void advance(SteadyNs now);
  [[nodiscard]] SteadyNs deadline() const;  // when advance() or a probe is due next
  [[nodiscard]] LinkState state() const { return state_; }
  [[nodiscard]] bool is_up() const { return state_ == LinkState::kUp; }
  [[nodiscard]] ExportDrop drop_reason() const;  // of records that find no room in this state
  [[nodiscard]] UdpSocket& socket() { return socket_; }

  // While down with an open socket: time to send one message and see.
  [[nodiscard]] bool probe_due(SteadyNs now) const;
  void probe_sent(SteadyNs now);
  void nothing_to_probe_with(SteadyNs now) { back_off(now, kProbeFirst, kProbeSlowest); }
  // What the network or the kernel said (errno) about something sent.
  void report(int error, SteadyNs now);

  // No time to lose: try now what is scheduled for later, once; then gave_up().
  void hurry(SteadyNs now);
  [[nodiscard]] bool gave_up() const { return gave_up_; }

  static constexpr SteadyNs kProbeFirst = 250'000'000;
  // Linux answers at most one datagram a second with ICMP (after a burst of six): probing faster
  // would read its silence as a collector that came back.
  static constexpr SteadyNs kProbeSlowest = 1'050'000'000;
  static constexpr SteadyNs kProbeSilence = 200'000'000;
  // A host that is off is known by its silence to ARP or neighbour discovery: three tries, a second
  // each.
  static constexpr SteadyNs kUnreachableSilence = 3'500'000'000;
  static constexpr SteadyNs kLookupFirst = 1'000'000'000;
  static constexpr SteadyNs kLookupSlowest = 30'000'000'000;

 private:
  void finish_lookup(SteadyNs now);
  void open_socket(SteadyNs now);
  void try_next(SteadyNs now);
  void go_up();
  void go_down(LinkState state, const std::string& why);
  void back_off(SteadyNs now, SteadyNs first, SteadyNs slowest);
  [[nodiscard]] std::string peer() const;

  const std::string text_;
  const CollectorAddress address_;
  const std::optional<SocketAddress> source_;
  const SocketOptions options_;
  const int wake_fd_;
  const ChangeCallback changed_;

  UdpSocket socket_;
  CollectorLookup lookup_;
  std::vector<SocketAddress> addresses_;
  std::size_t address_index_ = 0;
  LinkState state_ = LinkState::kUnresolved;
  bool tried_ = false;  // a state has been reported
  SteadyNs retry_at_ = 0;
  SteadyNs retry_delay_ = 0;
  SteadyNs silence_until_ = 0;  // a probe is out; 0: none
  bool hurried_ = false;
  bool gave_up_ = false;
};

}  // namespace wiretally
