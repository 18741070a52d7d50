// SPDX-License-Identifier: Apache-2.0
// Comings and goings of an interface. Thread: see af_xdp_interface.hpp.
#include "dataplane/source/af_xdp_interface.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/startup_error.hpp"
#include "dataplane/clock.hpp"
#include "dataplane/source/kernel_link.hpp"

namespace wiretally {
namespace {

// How long after a gap its size is looked at: what interface and program count agrees only between
// two packets.
constexpr std::int64_t kSettleNs = 3'000'000'000;
// A frame that the program has seen is in its socket's ring long before that.
constexpr std::int64_t kOnTheWayNs = 100'000'000;

[[noreturn]] void refuse(const std::string& why) {
  throw StartupError(ExitCode::kMachine, fmt::format("driver af_xdp: {}", why));
}

}  // namespace

AfXdpInterface::AfXdpInterface(AfXdpOptions options) : options_(std::move(options)) {
  try {
    program_ = std::make_unique<XdpRedirect>(kQueuesMax);
  } catch (const XdpError& error) {
    refuse(error.what());
  }
}

AfXdpInterface::~AfXdpInterface() = default;

void AfXdpInterface::attach() {
  const auto interface = kernel_interface(options_.interface);
  if (!interface) {
    throw StartupError(ExitCode::kMachine,
                       fmt::format("interface {}: there is no such interface; there are: {}",
                                   options_.interface, fmt::join(kernel_interface_names(), " ")));
  }
  try {
    try_attach(*interface);
  } catch (const XdpError& error) {
    refuse(error.what());
  }
  nic_missed_.begin(nic_missed_packets(options_.interface).value_or(0));
}

void AfXdpInterface::begin_counting() {
  passed_at_start_ = program_->counts().passed;
}

std::shared_ptr<AfXdpWorkerCounters> AfXdpInterface::add_worker() {
  const std::lock_guard lock(mutex_);
  return workers_.emplace_back(std::make_shared<AfXdpWorkerCounters>());
}

AfXdpInterface::State AfXdpInterface::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

template <class Change>
void AfXdpInterface::change_state(const Change& change) {
  const std::lock_guard lock(mutex_);
  change(state_);
  ++state_.generation;
  generation_.store(state_.generation, std::memory_order_release);
}

void AfXdpInterface::note_mode(AfXdpMode mode) {
  const std::lock_guard lock(mutex_);
  mode_.store(std::max(mode, mode_.load()));
}

// What the interface received while no program was on it is counted as missed: by its own counter,
// from the moment the program went, or from its beginning if it is a new one.
void AfXdpInterface::try_attach(const KernelInterface& interface) {
  if (!interface.has_ethernet_frames) {
    throw XdpError(options_.interface + " has no Ethernet frames; use driver pcap");
  }
  seen_at_attach_ = program_->counts().seen;
  const XdpMode mode = program_->attach(interface.index, options_.interface);
  if (options_.promiscuous) promiscuous_.emplace(options_.interface);
  if (last_index_ != 0) {
    gap_ends_ns_ = monotonic_ns() + kSettleNs;
    received_at_gap_ = interface.index == last_index_ ? received_then_ : 0;
  }
  last_index_ = interface.index;
  last_refusal_.clear();
  mode_.store(AfXdpMode::kZeroCopy);
  change_state([&](State& state) {
    state.index = interface.index;
    state.queues = interface.rx_queues;
    state.mtu = interface.mtu;
    state.mode = mode;
  });
  attached_.store(true, std::memory_order_relaxed);
  if (gap_ends_ns_ != 0) measure_gap();
}

void AfXdpInterface::look() {
  count_missed();
  const auto interface = kernel_interface(options_.interface);
  const unsigned index = interface ? interface->index : 0;
  const unsigned held = state_.index;  // this thread alone writes it
  if (held != 0 && (index != held || program_->attached_ifindex() != held)) lose_interface();
  if (index == 0) return;
  if (state_.index == 0) return take_up(*interface);
  if (interface->rx_queues == state_.queues) return;
  options_.log(fmt::format("{}: {} receive queues, there were {}", options_.interface,
                           interface->rx_queues, state_.queues));
  change_state([&](State& state) {
    state.queues = interface->rx_queues;
    state.mtu = interface->mtu;
  });
}

void AfXdpInterface::take_up(const KernelInterface& interface) {
  try {
    try_attach(interface);
  } catch (const XdpError& error) {
    if (last_refusal_ != error.what()) options_.log(error.what());
    last_refusal_ = error.what();
    return;
  }
  reattached_.fetch_add(1, std::memory_order_relaxed);
  const double gap = static_cast<double>(monotonic_ns() - lost_at_ns_) / 1e9;
  options_.log(fmt::format("{}: attached again after {:.2f} s", options_.interface, gap));
}

void AfXdpInterface::lose_interface() {
  close_gap();
  received_then_ = received_packets(options_.interface).value_or(0);
  program_->detach();
  promiscuous_.reset();
  lost_at_ns_ = monotonic_ns();
  attached_.store(false, std::memory_order_relaxed);
  change_state([](State& state) {
    state.index = 0;
    state.queues = 0;
  });
  options_.log(fmt::format("{}: the interface has gone; waiting for it", options_.interface));
}

void AfXdpInterface::count_missed() {
  if (state_.index == 0) return;
  if (const auto raw = nic_missed_packets(options_.interface)) {
    nic_.store(nic_missed_.update(*raw), std::memory_order_relaxed);
  }
  not_bound_.store(program_->counts().passed - passed_at_start_, std::memory_order_relaxed);
  reconcile();
  if (gap_ends_ns_ == 0) return;
  measure_gap();
  if (monotonic_ns() >= gap_ends_ns_) close_gap();
}

// Every frame the program had redirected is accounted for by some worker a while later: taken, or
// missed by a name. What is not is named here. Under traffic the workers' later accounts hold newer
// frames too, so this is then too small, never too large; the largest holds.
void AfXdpInterface::reconcile() {
  std::uint64_t accounted = 0;
  std::int64_t oldest = monotonic_ns();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& worker : workers_) {
      oldest = std::min(oldest, worker->accounted_ns.load(std::memory_order_acquire));
      accounted += worker->accounted.load(std::memory_order_relaxed);
    }
  }
  if (oldest < then_ns_ + kOnTheWayNs) return;
  if (then_ns_ != 0 && redirected_then_ > accounted + kernel_.load()) {
    kernel_.store(redirected_then_ - accounted, std::memory_order_relaxed);
  }
  const kernel_redirects counts = program_->counts();
  redirected_then_ = counts.seen - counts.passed;
  then_ns_ = monotonic_ns();
}

// Received by the interface and not seen by the program. The interface counts a packet after the
// program has seen it, so that under traffic this is too small, never too large: the largest holds.
void AfXdpInterface::measure_gap() {
  const auto received = received_packets(options_.interface);
  const std::uint64_t seen_since = program_->counts().seen - seen_at_attach_;
  if (!received || *received < received_at_gap_ + seen_since) return;
  gap_ = std::max(gap_, *received - received_at_gap_ - seen_since);
  not_attached_.store(gaps_before_ + gap_, std::memory_order_relaxed);
}

void AfXdpInterface::close_gap() {
  gaps_before_ += gap_;
  gap_ = 0;
  gap_ends_ns_ = 0;
}

void AfXdpInterface::stop() {
  count_missed();
  program_->detach();
  promiscuous_.reset();
  attached_.store(false, std::memory_order_relaxed);
}

std::vector<MissedCount> AfXdpInterface::missed() const {
  AfXdpMissed sockets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& worker : workers_) {
      sockets.rx_dropped += worker->rx_dropped.load(std::memory_order_relaxed);
      sockets.rx_ring_full += worker->rx_ring_full.load(std::memory_order_relaxed);
      sockets.rx_fill_ring_empty += worker->rx_fill_ring_empty.load(std::memory_order_relaxed);
    }
  }
  return {{"rx_dropped", sockets.rx_dropped},
          {"rx_ring_full", sockets.rx_ring_full},
          {"rx_fill_ring_empty", sockets.rx_fill_ring_empty},
          {"not_bound", not_bound_.load(std::memory_order_relaxed)},
          {"not_attached", not_attached_.load(std::memory_order_relaxed)},
          {"nic", nic_.load(std::memory_order_relaxed)},
          {"kernel", kernel_.load(std::memory_order_relaxed)}};
}

}  // namespace wiretally
