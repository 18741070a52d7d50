// SPDX-License-Identifier: Apache-2.0
// Between the kernel program and the worker. Thread: see ebpf_source.hpp.
#include "dataplane/source/ebpf_source.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "config/startup_error.hpp"
#include "dataplane/clock.hpp"
#include "dataplane/source/kernel_link.hpp"

namespace wiretally {
namespace {

constexpr std::int64_t kChoresEveryNs = 250'000'000;  // so that a new interface waits half a second
constexpr std::size_t kBatch = 256;                   // flows handed to the worker at a time

static_assert(sizeof(FlowKey) == sizeof(kernel_flow_key), "the kernel writes the meter's own key");
static_assert(offsetof(FlowKey, destination) == offsetof(kernel_flow_key, destination));
static_assert(offsetof(FlowKey, source_port) == offsetof(kernel_flow_key, source_port));
static_assert(offsetof(FlowKey, destination_port) == offsetof(kernel_flow_key, destination_port));
static_assert(offsetof(FlowKey, protocol) == offsetof(kernel_flow_key, protocol));
static_assert(offsetof(FlowKey, port) == offsetof(kernel_flow_key, port));
static_assert(offsetof(FlowKey, vlan_and_kind) == offsetof(kernel_flow_key, vlan_and_kind));
static_assert(kIpVersions == WT_IP_VERSIONS);

// Of a flow or a row.
template <class Count>
CountedFlow counted_flow(const Count& count) {
  CountedFlow flow;
  flow.packets = count.packets;
  flow.octets = count.octets;
  flow.l2_octets = count.l2_octets;
  flow.first = static_cast<TimeNs>(count.first);
  flow.last = static_cast<TimeNs>(count.last);
  flow.tcp_flags = static_cast<std::uint16_t>(count.tcp_flags);
  return flow;
}

MeteredCounter metered(const kernel_volume& counted, const kernel_volume& coarse) {
  return {counted.packets + coarse.packets, counted.octets + coarse.octets,
          counted.l2_octets + coarse.l2_octets};
}

// The worker counts those that it is shown by itself; the others are this source's to count.
CountedTotals counted_totals(const kernel_totals& sums, PortIndex port) {
  CountedTotals totals;
  totals.port = port;
  for (std::size_t v = 0; v < kIpVersions; ++v) {
    totals.metered[v] = metered(sums.counted[v], sums.coarse[v]);
    totals.coarse_packets += sums.coarse[v].packets;
  }
  const std::uint64_t elsewhere = sums.handed_up.packets + sums.refused.packets;
  totals.received = {sums.received.packets - elsewhere,
                     sums.received.l2_octets - sums.handed_up.l2_octets - sums.refused.l2_octets};
  totals.unread = {sums.unread.packets, sums.unread.l2_octets};
  return totals;
}

}  // namespace

EbpfSource::EbpfSource(EbpfOptions options) : options_(std::move(options)) {
  options_.loader.port = static_cast<std::uint8_t>(options_.port);
  options_.loader.port_sent = static_cast<std::uint8_t>(options_.port_sent);
  options_.loader.sent = options_.sent;
  try {
    loader_ = std::make_unique<XdpLoader>(options_.loader);
    maps_ = std::make_unique<MapSource>(*loader_);
    ring_ = std::make_unique<RingReader>(loader_->ring(), options_.loader.ring_octets);
    if (options_.sent) {
      sent_ = std::make_unique<SentHook>(loader_->sent_program(), options_.tcx);
    }
  } catch (const XdpError& error) {
    throw StartupError(ExitCode::kMachine, fmt::format("driver ebpf: {}", error.what()));
  }
}

EbpfSource::~EbpfSource() = default;

void EbpfSource::attach() {
  const auto interface = kernel_interface(options_.interface);
  if (!interface) {
    throw StartupError(ExitCode::kMachine,
                       fmt::format("interface {}: there is no such interface; there are: {}",
                                   options_.interface, fmt::join(kernel_interface_names(), " ")));
  }
  try {
    try_attach(interface->index);
  } catch (const XdpError& error) {
    throw StartupError(ExitCode::kMachine, fmt::format("driver ebpf: {}", error.what()));
  }
  nic_missed_.begin(nic_missed_packets(options_.interface).value_or(0));
}

void EbpfSource::check_frames() const {
  const auto interface = kernel_interface(options_.interface);
  if (!interface || interface->has_ethernet_frames) return;
  throw XdpError(options_.interface +
                 " has no Ethernet frames, which the kernel program needs; "
                 "use driver pcap");
}

void EbpfSource::attach_programs(unsigned ifindex) {
  if (options_.received) mode_ = loader_->attach(ifindex, options_.interface);
  if (!sent_) return;
  try {
    sent_->attach(ifindex, options_.interface);
  } catch (...) {
    loader_->detach();
    throw;
  }
}

void EbpfSource::detach() {
  if (sent_) sent_->detach();
  loader_->detach();
  loader_->await_grace_period();
}

// What passed the interface while no program was on it is counted as missed: by its own counters,
// from the moment the program went, or from its beginning if it is a new one.
void EbpfSource::try_attach(unsigned ifindex) {
  check_frames();
  const std::array<std::uint64_t, WT_DIRECTIONS> passed = {
      received_packets(options_.interface).value_or(0),
      sent_packets(options_.interface).value_or(0)};
  attach_programs(ifindex);
  counters_->mode.store(mode_, std::memory_order_relaxed);
  if (options_.received && options_.promiscuous) promiscuous_.emplace(options_.interface);
  if (last_ifindex_ != 0) {
    for (std::size_t direction = 0; direction < WT_DIRECTIONS; ++direction) {
      const std::uint64_t before = ifindex == last_ifindex_ ? passed_then_[direction] : 0;
      counters_->by[direction].not_attached.fetch_add(
          passed[direction] - std::min(passed[direction], before), std::memory_order_relaxed);
    }
  }
  ifindex_ = last_ifindex_ = ifindex;
  last_refusal_.clear();
  counters_->attached.store(true, std::memory_order_relaxed);
}

std::size_t EbpfSource::poll(std::span<PacketView> views) {
  const std::int64_t now_ns = monotonic_ns();
  if (now_ns >= chores_due_ns_) [[unlikely]] {
    chores_due_ns_ = now_ns + kChoresEveryNs;
    look_after();
  }
  const std::int64_t to_utc = read_clock(CLOCK_REALTIME) - now_ns;
  std::size_t count = cutter_.show(views);
  while (count < views.size()) {
    const std::span<const std::byte> record = ring_->next();
    if (record.empty()) break;
    handed_up_packet head;
    std::memcpy(&head, record.data(), sizeof head);
    PacketView view;
    view.data = reinterpret_cast<const std::uint8_t*>(record.data() + sizeof head);
    view.captured = head.captured;
    view.wire_octets = head.wire_octets;
    view.time = static_cast<TimeNs>(head.time) + to_utc;
    view.link_type = LinkType::kEthernet;
    view.port = port_of(head.direction);
    if (head.segments > 1) {
      cutter_.take(view, {head.segments, head.segment_octets, head.network_offset});
      count += cutter_.show(views.subspan(count));
    } else {
      views[count++] = view;
    }
  }
  if (count == 0 && counting_) {
    pollfd waiting{loader_->ring(), POLLIN, 0};
    ::poll(&waiting, 1, kIdleWaitMs);
  }
  return count;
}

void EbpfSource::release() {
  ring_->release();
}

void EbpfSource::hand_over(CountTaker& taker) {
  const auto take_flows = [&](std::span<const kernel_flow> entries) {
    for (; !entries.empty(); entries = entries.subspan(flows_.size())) {
      flows_.clear();
      for (const kernel_flow& entry : entries.first(std::min(entries.size(), kBatch))) {
        flows_.push_back(counted_flow(entry.count));
        flows_.back().tos = entry.count.tos;
        std::memcpy(static_cast<void*>(&flows_.back().key), &entry.key, sizeof(FlowKey));
      }
      taker.take(flows_);
    }
  };
  const auto take_row = [&](const KernelRow& row) {
    CountedFlow flow = counted_flow(row.count);
    flow.key.port = port_of(row.direction);
    flow.key.protocol = row.protocol;
    flow.key.set_kind(static_cast<IpVersion>(row.ip_version), CoarseLevel::kProtocol);
    taker.take(std::span(&flow, 1));
  };
  const DirectionTotals totals = maps_->drain(take_flows, take_row);
  for (std::size_t direction = 0; direction < WT_DIRECTIONS; ++direction) {
    if (direction == WT_SENT ? options_.sent : options_.received) {
      taker.take(counted_totals(totals[direction], port_of(direction)));
      counters_->by[direction].ring_full.fetch_add(totals[direction].refused.packets,
                                                   std::memory_order_relaxed);
    }
  }
}

void EbpfSource::stop_counting() {
  counting_ = false;
  count_missed_by_nic();
  detach();
  promiscuous_.reset();
  counters_->attached.store(false, std::memory_order_relaxed);
}

void EbpfSource::look_after() {
  if (!counting_) return;
  if (ifindex_ != 0) count_missed_by_nic();
  look_at_interface();
}

void EbpfSource::count_missed_by_nic() {
  if (const auto raw = nic_missed_packets(options_.interface)) {
    counters_->nic.store(nic_missed_.update(*raw), std::memory_order_relaxed);
  }
}

bool EbpfSource::still_attached() const {
  return (!options_.received || loader_->attached_ifindex() == ifindex_) &&
         (!sent_ || sent_->attached_ifindex() == ifindex_);
}

// The link lets go of an interface that is deleted; one made anew has another number.
void EbpfSource::look_at_interface() {
  if (ifindex_ != 0 && !still_attached()) lose_interface();
  const auto number = interface_number(options_.interface);
  if (!number) return;  // it cannot be asked for now; what was found last holds
  const unsigned ifindex = *number;
  if (ifindex_ != 0 && ifindex != ifindex_) lose_interface();  // renamed: it is another's now
  if (ifindex_ != 0 || ifindex == 0) return;
  try {
    try_attach(ifindex);
  } catch (const XdpError& error) {
    if (last_refusal_ != error.what()) options_.log(error.what());
    last_refusal_ = error.what();
    return;
  }
  counters_->reattached.fetch_add(1, std::memory_order_relaxed);
  const double gap = static_cast<double>(monotonic_ns() - lost_at_ns_) / 1e9;
  options_.log(fmt::format("{}: attached again after {:.2f} s, {}", options_.interface, gap,
                           options_.received ? label(mode_) : sent_->kind()));
}

void EbpfSource::lose_interface() {
  passed_then_ = {received_packets(options_.interface).value_or(0),
                  sent_packets(options_.interface).value_or(0)};
  detach();
  promiscuous_.reset();
  ifindex_ = 0;
  lost_at_ns_ = monotonic_ns();
  counters_->attached.store(false, std::memory_order_relaxed);
  options_.log(fmt::format("{}: the interface has gone; waiting for it", options_.interface));
}

std::vector<MissedCount> EbpfPort::missed() {
  const EbpfCounters::Direction& by = counters_->by[direction_];
  std::vector<MissedCount> missed = {{"not_attached", by.not_attached.load()},
                                     {"ring_full", by.ring_full.load()}};
  if (!egress()) missed.push_back({"nic", counters_->nic.load()});
  return missed;
}

}  // namespace wiretally
