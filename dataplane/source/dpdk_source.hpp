// SPDX-License-Identifier: Apache-2.0
// The hot half of the DPDK driver: one worker's receive queues, polled in turn, bursts of packet
// buffers shown as PacketViews. No copy: a view points into the buffer until release(). Thread:
// worker (its own object); built by control at start, from DpdkPort::queues() and assign_queues().
// Cost per packet: the first line of the buffer's header (data offset, lengths, flags) and a
// prefetch of the packet's first line.
#pragma once

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_prefetch.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/packet/packet_view.hpp"
#include "dataplane/source/dpdk_queue.hpp"
#include "dataplane/source/packet_source.hpp"

namespace wiretally {

struct DpdkSourceOptions {
  // kPackets: every port is a recording; views carry the file's stamps. kMachine: the worker
  // stamps.
  TimeBase time_base = TimeBase::kMachine;
  int timestamp_offset = -1;  // of the RX timestamp in a buffer (microseconds, by net_pcap)
};

class DpdkSource {
 public:
  DpdkSource(const std::vector<DpdkQueue>& queues, const DpdkSourceOptions& options)
      : queues_(queues),
        ended_(queues.size(), false),
        options_(options),
        may_sleep_(std::all_of(queues.begin(), queues.end(),
                               [](const DpdkQueue& queue) { return queue.may_sleep; })) {}

  ~DpdkSource() { release(); }
  DpdkSource(const DpdkSource&) = delete;
  DpdkSource& operator=(const DpdkSource&) = delete;

  // The next queue that has packets, in turn, so that a busy one does not starve the others.
  std::size_t poll(std::span<PacketView> views) {
    const auto limit = static_cast<std::uint16_t>(std::min(views.size(), kBurstMax));
    for (std::size_t tried = 0; tried < queues_.size(); ++tried) {
      const std::size_t index = next_;
      next_ = next_ + 1 == queues_.size() ? 0 : next_ + 1;
      const DpdkQueue& queue = queues_[index];
      std::uint16_t ethdev = queue.ethdev;
      if (queue.gate != nullptr && !queue.gate->enter(ethdev)) continue;
      held_ = rte_eth_rx_burst(ethdev, queue.queue, buffers_.data(), limit);
      if (held_ != 0) {
        empty_polls_ = 0;
        ended_[index] = false;
        return show(queue, views);
      }
      if (queue.gate != nullptr) queue.gate->found_empty();
      // net_pcap answers an empty burst at the end of its file and only there, as long as it finds
      // buffers; its pool is larger than all that can be in flight.
      ended_[index] = queue.recording;
    }
    rest();
    return 0;
  }

  // All buffers back to their pool at once.
  void release() {
    if (held_ != 0) rte_pktmbuf_free_bulk(buffers_.data(), held_);
    held_ = 0;
  }

  // True when all queues are recordings and all of them have been read to the end.
  [[nodiscard]] bool exhausted() const {
    return std::all_of(ended_.begin(), ended_.end(), [](bool ended) { return ended; });
  }

 private:
  // Empty polls before an idle worker on virtual devices sleeps at all, first a little, then long
  // enough that it costs 2-3 % of a core. 400 us of 3.4 Mpps, the most an XDP socket took on the
  // development machine, are 1400 packets; the rings of the virtual devices hold 2048 and more.
  // Real NICs are always polled.
  static constexpr std::uint32_t kPollsBeforeSleep = 1000;
  static constexpr std::uint32_t kPollsBeforeLongSleep = 1100;
  static constexpr long kShortSleepNs = 50'000;
  static constexpr long kLongSleepNs = 400'000;

  std::size_t show(const DpdkQueue& queue, std::span<PacketView> views) {
    for (std::uint16_t i = 0; i < held_; ++i) {
      rte_mbuf* buffer = buffers_[i];
      if ((buffer->ol_flags & kTagStripped) != 0) [[unlikely]] {
        put_tags_back(buffers_[i]);
        buffer = buffers_[i];
      }
      PacketView& view = views[i];
      view.data = rte_pktmbuf_mtod(buffer, const std::uint8_t*);
      rte_prefetch0(view.data);
      view.captured =
          buffer->data_len;  // further segments are not looked at: headers are in the first
      view.wire_octets = buffer->pkt_len;
      view.time = time_of(*buffer);
      view.link_type = queue.link_type;
      view.port = queue.port;
    }
    return held_;
  }

  [[nodiscard]] TimeNs time_of(const rte_mbuf& buffer) const {
    if (options_.time_base == TimeBase::kMachine) return 0;
    const auto* stamp =
        RTE_MBUF_DYNFIELD(&buffer, options_.timestamp_offset, const rte_mbuf_timestamp_t*);
    return static_cast<TimeNs>(*stamp) * 1000;
  }

  // We ask no device to strip tags; a few do all the same. The tag goes back into the headroom, so
  // that parser and octet counts see the frame of the wire.
  [[gnu::noinline]] static void put_tags_back(rte_mbuf*& buffer) {
    const std::uint64_t flags = buffer->ol_flags;
    const std::uint16_t outer = buffer->vlan_tci_outer;
    rte_vlan_insert(&buffer);
    if ((flags & RTE_MBUF_F_RX_QINQ_STRIPPED) == 0) return;
    buffer->vlan_tci = outer;
    if (rte_vlan_insert(&buffer) != 0) return;
    rte_pktmbuf_mtod(buffer, rte_ether_hdr*)->ether_type = RTE_BE16(RTE_ETHER_TYPE_QINQ);
  }

  void rest() {
    if (!may_sleep_ || ++empty_polls_ < kPollsBeforeSleep) return;
    const bool idle_long = empty_polls_ >= kPollsBeforeLongSleep;
    if (idle_long) empty_polls_ = kPollsBeforeLongSleep;
    const timespec pause{0, idle_long ? kLongSleepNs : kShortSleepNs};
    ::nanosleep(&pause, nullptr);
  }

  static constexpr std::uint64_t kTagStripped =
      RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED;

  std::array<rte_mbuf*, kBurstMax> buffers_{};
  std::uint16_t held_ = 0;
  std::uint32_t empty_polls_ = 0;
  std::size_t next_ = 0;
  std::vector<DpdkQueue> queues_;
  std::vector<bool> ended_;
  DpdkSourceOptions options_;
  bool may_sleep_;
};

static_assert(PacketSource<DpdkSource>);

}  // namespace wiretally
