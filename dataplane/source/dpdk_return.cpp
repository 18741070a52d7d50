// SPDX-License-Identifier: Apache-2.0
// A port whose kernel interface is deleted and made again: net_af_packet and net_af_xdp hold
// sockets of the old one, and know no other way than a new device. Thread: the watch of
// DpdkCapture.
#include <fmt/format.h>
#include <rte_ethdev.h>
#include <time.h>

#include "config/startup_error.hpp"
#include "dataplane/clock.hpp"
#include "dataplane/source/dpdk_port.hpp"
#include "dataplane/source/gap.hpp"
#include "dataplane/source/kernel_link.hpp"

namespace wiretally {
namespace {

constexpr int kLetGoTries = 100;
constexpr long kLetGoPauseNs = 2'000'000;

std::uint64_t count_of(const std::vector<MissedCount>& missed, std::string_view reason) {
  for (const MissedCount& each : missed) {
    if (each.reason == reason) return each.packets;
  }
  return 0;
}

}  // namespace

void DpdkPort::look(const Log& log) {
  if (interface_.empty()) return;
  const auto number = interface_number(interface_);
  if (!number) return;  // it cannot be asked for now; what was found last holds
  const unsigned ifindex = *number;
  if (ifindex_held_ != 0 && ifindex != ifindex_held_) {
    if (!let_go()) return;  // the worker has not come by yet; the next look
    log(fmt::format("{}: the interface has gone; waiting for it", interface_));
  }
  if (ifindex_held_ != 0) return look_at_queues(log);
  if (ifindex == 0 || !take_up(log)) return;
  const double gap_s = static_cast<double>(monotonic_ns() - lost_at_ns_) / 1e9;
  log(fmt::format("{}: attached again after {:.2f} s", interface_, gap_s));
  count_gap();
}

// Queues that were added have no socket of ours. (None that has one can be taken away.)
void DpdkPort::look_at_queues(const Log& log) {
  if (device_.driver != "net_af_xdp" || device_.has("start_queue") || device_.has("xdp_prog")) {
    return;
  }
  const auto interface = kernel_interface(interface_);
  if (!interface || interface->rx_queues == queues_seen_) return;
  queues_seen_ = interface->rx_queues;
  if (queues_seen_ <= queue_count_) return;
  log(
      fmt::format("{}: {} receive queues, and port {} takes {}: what comes on the others is not "
                  "metered; set queues: {} and start again, or use driver af_xdp, which follows",
                  interface_, queues_seen_, name_, queue_count_, queues_seen_));
}

// What lies in the old device's ring is read first.
bool DpdkPort::let_go() {
  if (lost_at_ns_ == 0) lost_at_ns_ = monotonic_ns();
  for (const auto& gate : gates_) gate->close();
  for (const auto& gate : gates_) {
    for (int tries = 0; !gate->closed(); ++tries) {
      if (tries == kLetGoTries) return false;
      const timespec pause{0, kLetGoPauseNs};
      ::nanosleep(&pause, nullptr);
    }
  }
  const std::lock_guard lock(mutex_);
  const std::vector<MissedCount> last = missed_locked();
  no_mbuf_before_ = count_of(last, "no_mbuf");
  errors_before_ = count_of(last, "errors");
  kernel_before_ = count_of(last, "kernel");
  received_before_ = received_locked();
  kernel_counters_.clear();
  promiscuous_interface_.reset();
  for (const Member& member : members_) rte_eth_dev_stop(member.ethdev);
  close_devices();
  ifindex_held_ = 0;
  return true;
}

bool DpdkPort::take_up(const Log& log) {
  const std::lock_guard lock(mutex_);
  remarks_.clear();
  try {
    if (device_.driver == "net_af_xdp") check_foreign_program(device_);
    open_devices();
    try {
      start_devices();
    } catch (...) {
      kernel_counters_.clear();
      close_devices();
      ifindex_held_ = 0;
      throw;
    }
  } catch (const StartupError& error) {
    if (last_refusal_ != error.what()) log(error.what());
    last_refusal_ = error.what();
    return false;
  }
  last_refusal_.clear();
  for (const std::string& remark : remarks_) log(fmt::format("port {}: {}", name_, remark));
  for (std::size_t i = 0; i < gates_.size(); ++i) gates_[i]->open(queues_[i].ethdev);
  return true;
}

void DpdkPort::count_gap() {
  const std::uint64_t before = received_before_ + kernel_before_;
  const auto passed = [this] { return received_packets(interface_); };
  const auto seen = [this, before] { return received() + count_of(missed(), "kernel") - before; };
  const std::uint64_t gap = measure_gap(passed, seen);
  const std::lock_guard lock(mutex_);
  not_attached_ += gap;
  lost_at_ns_ = 0;
}

}  // namespace wiretally
