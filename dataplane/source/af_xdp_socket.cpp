// SPDX-License-Identifier: Apache-2.0
// libxdp's calls, and their errors as sentences. Thread: see af_xdp_socket.hpp.
#include "dataplane/source/af_xdp_socket.hpp"

#include <fmt/format.h>
#include <linux/if_link.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "ebpf/xdp_redirect.hpp"

namespace wiretally {
namespace {

constexpr std::uint32_t kHeadroom = 256;  // the kernel keeps it free before a frame
constexpr std::uint32_t kSmallFrame = 2048;
constexpr std::uint32_t kLargeFrame = 4096;  // a page: there are no larger buffers

// Ethernet header and two tags: MTU is what stands behind them.
std::uint32_t longest_frame(std::uint32_t mtu) {
  return mtu + 14 + 8;
}

std::uint32_t buffer_for(std::uint32_t mtu) {
  return longest_frame(mtu) <= kSmallFrame - kHeadroom ? kSmallFrame : kLargeFrame;
}

}  // namespace

const char* label(AfXdpMode mode) {
  switch (mode) {
    case AfXdpMode::kZeroCopy:
      return "zero-copy";
    case AfXdpMode::kNativeCopy:
      return "native-copy";
    case AfXdpMode::kGeneric:
      break;
  }
  return "generic";
}

AfXdpSocket::AfXdpSocket(const AfXdpSocketOptions& options)
    : options_(options), frame_octets_(buffer_for(options.mtu)) {
  const std::size_t octets = std::size_t{options_.frames} * frame_octets_;
  void* const place =
      ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) refuse(errno);
  ::madvise(place, octets, MADV_HUGEPAGE);
  memory_ = static_cast<std::uint8_t*>(place);

  const bool fits = longest_frame(options_.mtu) <= frame_octets_ - kHeadroom;
  std::vector<std::uint16_t> kinds;
  if (options_.native) kinds.push_back(XDP_ZEROCOPY);
  kinds.push_back(XDP_COPY);
  int error = 0;
  for (const std::uint16_t kind : kinds) {
    error = try_bind(kind | XDP_USE_NEED_WAKEUP | XDP_USE_SG);
    if (error != 0 && fits) error = try_bind(kind | XDP_USE_NEED_WAKEUP);
    if (error != 0) continue;
    mode_ = kind == XDP_ZEROCOPY ? AfXdpMode::kZeroCopy
            : options_.native    ? AfXdpMode::kNativeCopy
                                 : AfXdpMode::kGeneric;
    fill_all();
    return;
  }
  ::munmap(memory_, octets);
  refuse(error);
}

AfXdpSocket::~AfXdpSocket() {
  close();
  ::munmap(memory_, std::size_t{options_.frames} * frame_octets_);
}

void AfXdpSocket::close() {
  if (socket_ != nullptr) xsk_socket__delete(socket_);
  if (umem_ != nullptr) xsk_umem__delete(umem_);
  socket_ = nullptr;
  umem_ = nullptr;
}

// 0, or the kernel's error number. Each try has rings of its own: those of a bind that failed stay
// with their socket.
int AfXdpSocket::try_bind(std::uint16_t flags) {
  xsk_umem_config memory{};
  memory.fill_size = options_.frames;
  memory.comp_size = 64;
  memory.frame_size = frame_octets_;
  int error = xsk_umem__create(&umem_, memory_, std::size_t{options_.frames} * frame_octets_,
                               &fill_, &completion_, &memory);
  memory_refused_ = error != 0;
  if (error == 0) {
    xsk_socket_config socket{};
    socket.rx_size = options_.frames;
    socket.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
    socket.xdp_flags = options_.native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    socket.bind_flags = flags;
    error = xsk_socket__create(&socket_, options_.interface.c_str(), options_.queue, umem_,
                               &receive_, nullptr, &socket);
  }
  if (error != 0) close();
  return -error;
}

void AfXdpSocket::fill_all() {
  std::uint32_t at = 0;
  xsk_ring_prod__reserve(&fill_, options_.frames, &at);
  for (std::uint32_t i = 0; i < options_.frames; ++i) {
    *xsk_ring_prod__fill_addr(&fill_, at + i) = std::uint64_t{i} * frame_octets_;
  }
  xsk_ring_prod__submit(&fill_, options_.frames);
}

void AfXdpSocket::refuse(int error) const {
  std::string cure = xdp_cure(error, XdpRedirect::kCapabilities);
  if (error == EINVAL || error == EOPNOTSUPP) cure.clear();
  if (memory_refused_ && (error == ENOBUFS || error == ENOMEM)) {
    cure = fmt::format(
        "; its {} buffers of {} octets may not be locked in memory: it takes CAP_IPC_LOCK, or a "
        "larger `ulimit -l`, or a smaller capture.af_xdp.frames",
        options_.frames, frame_octets_);
  } else if (error == EBUSY) {
    cure = "; another AF_XDP socket has it";
  } else if (longest_frame(options_.mtu) > frame_octets_ - kHeadroom) {
    cure = fmt::format(
        "; its MTU is {}, and frames of more than {} octets take Linux 6.6 and a driver that "
        "receives them in several buffers: `ip link set dev {} mtu {}`, or use driver ebpf",
        options_.mtu, kLargeFrame - kHeadroom, options_.interface, kLargeFrame - kHeadroom - 22);
  }
  const std::string text =
      fmt::format("{}: no socket for queue {}, and its frames would be missed: {}{}",
                  options_.interface, options_.queue, xdp_error_text(error), cure);
  if (error == EBUSY) throw AfXdpQueueTaken(text);
  throw XdpError(text);
}

void AfXdpSocket::wake_kernel() {
  if (xsk_ring_prod__needs_wakeup(&fill_) == 0) return;
  ::recvfrom(descriptor(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
}

AfXdpMissed AfXdpSocket::missed() const {
  xdp_statistics statistics{};
  socklen_t size = sizeof statistics;
  AfXdpMissed missed;
  if (::getsockopt(descriptor(), SOL_XDP, XDP_STATISTICS, &statistics, &size) != 0) return missed;
  missed.rx_ring_full = statistics.rx_ring_full;
  // Zero-copy, the driver looks into an empty fill ring without having a frame in hand: what is
  // lost by that, its NIC counts.
  if (mode_ != AfXdpMode::kZeroCopy) {
    missed.rx_fill_ring_empty =
        std::min(statistics.rx_dropped, statistics.rx_fill_ring_empty_descs);
  }
  missed.rx_dropped = statistics.rx_dropped - missed.rx_fill_ring_empty;
  return missed;
}

}  // namespace wiretally
