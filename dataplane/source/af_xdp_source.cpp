// SPDX-License-Identifier: Apache-2.0
// Between sockets and worker. Thread: see af_xdp_source.hpp.
#include "dataplane/source/af_xdp_source.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "config/startup_error.hpp"
#include "dataplane/clock.hpp"

namespace wiretally {
namespace {

constexpr std::int64_t kChoresEveryNs = 250'000'000;

constexpr int kBindTries = 20;
constexpr long kBindPauseNs = 50'000'000;
const std::string kRefused = "driver af_xdp: ";

void sleep_ns(long nanoseconds) {
  const timespec pause{0, nanoseconds};
  ::nanosleep(&pause, nullptr);
}

}  // namespace

AfXdpSource::AfXdpSource(std::shared_ptr<AfXdpInterface> interface, unsigned number,
                         unsigned workers, PortIndex port)
    : interface_(std::move(interface)),
      number_(number),
      workers_(workers),
      port_(port),
      short_sleep_ns_(static_cast<long>(interface_->options().frames * kShortestFrameNs / 4)),
      counters_(interface_->add_worker()) {}

AfXdpSource::~AfXdpSource() = default;

void AfXdpSource::open() {
  for (int tries = kBindTries;; --tries) {
    try {
      return bind_queues(interface_->state());
    } catch (const AfXdpQueueTaken& taken) {
      // The kernel lets go of a socket's queue some time after the socket was closed.
      if (tries == 0) throw StartupError(ExitCode::kMachine, kRefused + taken.what());
      sleep_ns(kBindPauseNs);
    } catch (const XdpError& error) {
      throw StartupError(ExitCode::kMachine, kRefused + error.what());
    }
  }
}

// Sockets for those of our queues that have none.
void AfXdpSource::bind_queues(const AfXdpInterface::State& state) {
  generation_ = state.generation;
  index_ = state.index;
  for (unsigned queue = number_; queue < state.queues; queue += workers_) {
    const bool bound = std::ranges::any_of(
        sockets_, [queue](const auto& socket) { return socket->queue() == queue; });
    if (bound) continue;
    AfXdpSocketOptions options;
    options.interface = interface_->options().interface;
    options.queue = queue;
    options.frames = interface_->options().frames;
    options.mtu = state.mtu;
    options.native = state.mode == XdpMode::kNative;
    auto socket = std::make_unique<AfXdpSocket>(options);
    if (!interface_->set_socket(queue, socket->descriptor())) {
      throw XdpError(fmt::format("{}: the program does not take the socket of queue {}: {}",
                                 options.interface, queue, std::strerror(errno)));
    }
    interface_->note_mode(socket->mode());
    waiting_.push_back({socket->descriptor(), POLLIN, 0});
    sockets_.push_back(std::move(socket));
  }
}

std::size_t AfXdpSource::poll(std::span<PacketView> views) {
  const std::int64_t now_ns = coarse_monotonic_ns();
  if (now_ns >= chores_due_ns_) [[unlikely]] {
    chores_due_ns_ = now_ns + kChoresEveryNs;
    look_after();
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < sockets_.size() && count < views.size(); ++i) {
    AfXdpSocket& socket = *sockets_[(turn_ + i) % sockets_.size()];
    count += socket.take(views.subspan(count), port_);
  }
  ++turn_;
  if (count != 0) {
    taken_ += count;
    idle_polls_ = 0;
    return count;
  }
  if (leaving_) close_sockets();
  wait();
  return 0;
}

void AfXdpSource::wait() {
  if (sockets_.empty()) return sleep_ns(kIdleWaitMs * 1'000'000L);
  for (const auto& socket : sockets_) socket->wake_kernel();
  if (++idle_polls_ <= kShortSleeps) return sleep_ns(short_sleep_ns_);
  ::poll(waiting_.data(), waiting_.size(), kIdleWaitMs);
  // The interface of such a socket has gone: poll() no longer waits for it.
  const bool gone = std::ranges::any_of(
      waiting_, [](const pollfd& each) { return (each.revents & ~POLLIN) != 0; });
  if (gone) sleep_ns(kIdleWaitMs * 1'000'000L);
}

void AfXdpSource::look_after() {
  publish();
  if (number_ == 0) interface_->look();
  if (generation_ != interface_->generation() || binding_failed_) follow_interface();
}

void AfXdpSource::follow_interface() {
  const AfXdpInterface::State state = interface_->state();
  if (!sockets_.empty() && state.index != index_) {
    leaving_ = true;
    return;
  }
  try {
    binding_failed_ = false;
    bind_queues(state);
    last_refusal_.clear();
  } catch (const XdpError& error) {
    binding_failed_ = true;
    if (last_refusal_ != error.what()) interface_->log(error.what());
    last_refusal_ = error.what();
  }
}

void AfXdpSource::close_sockets() {
  publish();
  for (const auto& socket : sockets_) closed_ += socket->missed();
  sockets_.clear();
  waiting_.clear();
  leaving_ = false;
  publish();
}

void AfXdpSource::publish() {
  AfXdpMissed all = closed_;
  std::uint64_t waiting = 0;
  for (const auto& socket : sockets_) {
    all += socket->missed();
    waiting += socket->waiting();
  }
  counters_->rx_dropped.store(all.rx_dropped, std::memory_order_relaxed);
  counters_->rx_ring_full.store(all.rx_ring_full, std::memory_order_relaxed);
  counters_->rx_fill_ring_empty.store(all.rx_fill_ring_empty, std::memory_order_relaxed);
  counters_->accounted.store(
      taken_ + waiting + all.rx_dropped + all.rx_ring_full + all.rx_fill_ring_empty,
      std::memory_order_relaxed);
  counters_->accounted_ns.store(monotonic_ns(), std::memory_order_release);
}

}  // namespace wiretally
