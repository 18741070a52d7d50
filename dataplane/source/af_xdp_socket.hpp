// SPDX-License-Identifier: Apache-2.0
// One AF_XDP socket with its memory: a receive queue's frames as packet views, without a copy of
// ours. Frame buffers go round: fill ring (ours to the kernel), receive ring (the kernel's to us),
// a burst of views, fill ring. Thread: made by main or the worker; take(), release() worker.
#pragma once

#include <linux/if_xdp.h>
#include <xdp/xsk.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dataplane/packet/packet_view.hpp"
#include "ebpf/xdp_attachment.hpp"

#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)     // Linux 6.6: a frame may take several buffers
#define XDP_PKT_CONTD (1 << 0)  // and goes on in the next descriptor
#endif

namespace wiretally {

// Best first.
enum class AfXdpMode : std::uint8_t { kZeroCopy, kNativeCopy, kGeneric };
const char* label(AfXdpMode mode);

// Another socket has the queue.
class AfXdpQueueTaken : public XdpError {
 public:
  using XdpError::XdpError;
};

struct AfXdpSocketOptions {
  std::string interface;
  std::uint32_t queue = 0;
  std::uint32_t frames = 16'384;  // buffers, and places in each ring; a power of two
  std::uint32_t mtu = 1500;
  bool native = true;  // how the program is attached
};

// XDP_STATISTICS since the socket was made, so that the parts add up: in copy mode the kernel
// counts a frame that found no buffer twice, as dropped and as an empty fill ring.
struct AfXdpMissed {
  std::uint64_t rx_dropped = 0;  // for another reason than the two below
  std::uint64_t rx_ring_full = 0;
  std::uint64_t rx_fill_ring_empty = 0;

  AfXdpMissed& operator+=(const AfXdpMissed& o) {
    rx_dropped += o.rx_dropped;
    rx_ring_full += o.rx_ring_full;
    rx_fill_ring_empty += o.rx_fill_ring_empty;
    return *this;
  }
};

class AfXdpSocket {
 public:
  // A burst may take more descriptors than it has packets.
  static constexpr std::uint32_t kDescriptorsMax = 128;

  // Binds to the queue: zero-copy, else copy. Throws XdpError: why not, and the cure.
  explicit AfXdpSocket(const AfXdpSocketOptions& options);
  ~AfXdpSocket();
  AfXdpSocket(const AfXdpSocket&) = delete;
  AfXdpSocket& operator=(const AfXdpSocket&) = delete;

  // Views of what has come, at most as many as there is room for; good until release().
  std::size_t take(std::span<PacketView> views, PortIndex port) {
    std::uint32_t at = 0;
    const std::uint32_t there = xsk_ring_cons__peek(&receive_, kDescriptorsMax, &at);
    if (there == 0) return 0;
    std::size_t count = 0;
    std::uint32_t whole = 0;  // descriptors of complete packets
    bool begins = true;
    for (std::uint32_t i = 0; i < there; ++i) {
      const xdp_desc* const part = xsk_ring_cons__rx_desc(&receive_, at + i);
      if (begins && count == views.size()) break;
      PacketView& view = views[count];
      if (begins) {
        const std::uint8_t* const data = memory_ + part->addr;
        __builtin_prefetch(data);
        view = {data, part->len, 0, 0, LinkType::kEthernet, port};
      }
      view.wire_octets += part->len;
      held_[i] = part->addr & ~std::uint64_t{frame_octets_ - 1};
      begins = (part->options & XDP_PKT_CONTD) == 0;
      if (!begins) continue;
      ++count;
      whole = i + 1;
    }
    xsk_ring_cons__cancel(&receive_, there - whole);
    holding_ = whole;
    return count;
  }

  // Gives the buffers of the last take() back to the kernel.
  void release() {
    if (holding_ == 0) return;
    std::uint32_t at = 0;
    xsk_ring_prod__reserve(&fill_, holding_, &at);  // has a place for every buffer there is
    for (std::uint32_t i = 0; i < holding_; ++i) {
      *xsk_ring_prod__fill_addr(&fill_, at + i) = held_[i];
    }
    xsk_ring_prod__submit(&fill_, holding_);
    xsk_ring_cons__release(&receive_, holding_);
    holding_ = 0;
  }

  // The driver has run out of buffers and waits to be told that there are some again.
  void wake_kernel();

  [[nodiscard]] int descriptor() const { return xsk_socket__fd(socket_); }
  [[nodiscard]] std::uint32_t queue() const { return options_.queue; }
  [[nodiscard]] AfXdpMode mode() const { return mode_; }
  // Descriptors in the ring that take() has not shown yet: frames, if none takes several.
  [[nodiscard]] std::uint32_t waiting() { return xsk_cons_nb_avail(&receive_, UINT32_MAX); }
  [[nodiscard]] AfXdpMissed missed() const;

 private:
  int try_bind(std::uint16_t flags);
  void close();
  void fill_all();
  [[noreturn]] void refuse(int error) const;

  const AfXdpSocketOptions options_;
  const std::uint32_t frame_octets_;
  std::uint8_t* memory_ = nullptr;
  xsk_umem* umem_ = nullptr;
  xsk_socket* socket_ = nullptr;
  xsk_ring_cons receive_{};
  xsk_ring_prod fill_{};
  xsk_ring_cons completion_{};  // we send nothing, but libxdp wants it
  AfXdpMode mode_ = AfXdpMode::kGeneric;
  bool memory_refused_ = false;  // the kernel did not take it, so the queue is not to blame
  std::uint32_t holding_ = 0;
  std::array<std::uint64_t, kDescriptorsMax> held_;
};

}  // namespace wiretally
