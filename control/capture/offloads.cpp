// SPDX-License-Identifier: Apache-2.0
// Asks and tells the kernel with SIOCETHTOOL; asking needs no privilege.
// Thread: main.
#include "control/capture/offloads.hpp"

#include <fmt/ranges.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dataplane/descriptor.hpp"

namespace wiretally {
namespace {

struct Offload {
  const char* name;
  std::uint32_t get;
  std::uint32_t set;
  std::uint32_t mask;  // bits of the answer that mean "on"
};

constexpr Offload kOffloads[] = {{"gro", ETHTOOL_GGRO, ETHTOOL_SGRO, ~0u},
                                 {"lro", ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_LRO},
                                 {"tso", ETHTOOL_GTSO, ETHTOOL_STSO, ~0u},
                                 {"gso", ETHTOOL_GGSO, ETHTOOL_SGSO, ~0u}};

// 0, or why not.
int ask(const std::string& interface_name, ethtool_value& value) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  const std::size_t length = std::min<std::size_t>(interface_name.size(), IFNAMSIZ - 1);
  std::memcpy(request.ifr_name, interface_name.data(), length);
  request.ifr_data = reinterpret_cast<char*>(&value);
  return ::ioctl(socket.get(), SIOCETHTOOL, &request) == 0 ? 0 : errno;
}

int switch_to(const std::string& interface_name, const std::string& name, bool on) {
  const auto offload = std::find_if(std::begin(kOffloads), std::end(kOffloads),
                                    [&name](const Offload& each) { return name == each.name; });
  ethtool_value now{offload->get, 0};
  if (const int error = ask(interface_name, now)) return error;
  // Flags share one word: the others stay as they are.
  const std::uint32_t others = offload->mask == ~0u ? 0 : now.data & ~offload->mask;
  const std::uint32_t bit = offload->mask == ~0u ? 1 : offload->mask;
  ethtool_value wanted{offload->set, others | (on ? bit : 0)};
  return ask(interface_name, wanted);
}

bool is_still_off(const SwitchedOff& one) {
  if (::if_nametoindex(one.interface_name.c_str()) != one.ifindex) return false;
  const std::vector<std::string> on = offloads_on(one.interface_name);
  return std::find(on.begin(), on.end(), one.offload) == on.end();
}

void put_right(const SwitchedOff& one) {
  if (const int error = switch_to(one.interface_name, one.offload, true)) {
    spdlog::warn("{}: {} is off since a meter was killed, and stays off: {}", one.interface_name,
                 one.offload, std::strerror(error));
    return;
  }
  spdlog::info("{}: {} is on again: a meter that was killed had switched it off",
               one.interface_name, one.offload);
}

}  // namespace

std::vector<std::string> offloads_on(const std::string& interface_name) {
  std::vector<std::string> on;
  for (const Offload& offload : kOffloads) {
    ethtool_value value{offload.get, 0};
    if (ask(interface_name, value) == 0 && (value.data & offload.mask) != 0) {
      on.emplace_back(offload.name);
    }
  }
  return on;
}

OffloadKeeper::OffloadKeeper(const std::vector<std::string>& interface_names,
                             const std::string& memory_path)
    : memory_(std::make_unique<OffloadMemory>(memory_path)) {
  take_over(interface_names);
  for (const std::string& name : interface_names) managed_.push_back({name, 0});
  look();
  if (memory_->why_not().empty()) return;
  spdlog::warn("{}: {}: if this meter is killed, nobody switches offloads on again", memory_path,
               memory_->why_not());
}

void OffloadKeeper::take_over(const std::vector<std::string>& interface_names) {
  for (const SwitchedOff& one : memory_->recall()) {
    if (!is_still_off(one)) continue;
    const bool ours = std::find(interface_names.begin(), interface_names.end(),
                                one.interface_name) != interface_names.end();
    if (!ours) {
      put_right(one);
      continue;
    }
    off_.push_back(one);
    spdlog::info("{}: {} is off since a meter was killed; on again when this one ends",
                 one.interface_name, one.offload);
  }
}

void OffloadKeeper::look() {
  for (Managed& each : managed_) {
    const unsigned ifindex = ::if_nametoindex(each.interface_name.c_str());
    if (ifindex == each.ifindex) continue;
    each.ifindex = ifindex;
    if (ifindex != 0) switch_off(each);
  }
}

// Remembered before it is done: a kill in between leaves a line too much, which does no harm.
void OffloadKeeper::switch_off(const Managed& interface) {
  const std::string& interface_name = interface.interface_name;
  std::vector<std::string> done;
  for (const std::string& name : offloads_on(interface_name)) {
    off_.push_back({interface_name, interface.ifindex, name});
    memory_->remember(off_);
    if (const int error = switch_to(interface_name, name, false)) {
      spdlog::warn("{}: {} stays on: {}; packets may be merged before they are counted",
                   interface_name, name, std::strerror(error));
      off_.pop_back();
      memory_->remember(off_);
      continue;
    }
    done.push_back(name);
  }
  if (done.empty()) return;
  spdlog::info("{}: {} off while the meter runs (capture.manage_offloads)", interface_name,
               fmt::join(done, ", "));
}

OffloadKeeper::~OffloadKeeper() {
  std::vector<SwitchedOff> left;
  for (; !off_.empty(); off_.pop_back()) {
    const SwitchedOff& one = off_.back();
    if (::if_nametoindex(one.interface_name.c_str()) != one.ifindex) continue;
    if (const int error = switch_to(one.interface_name, one.offload, true)) {
      spdlog::warn("{}: {} stays off: {}", one.interface_name, one.offload, std::strerror(error));
      left.push_back(one);
    }
  }
  if (memory_ == nullptr) return;
  left.empty() ? memory_->forget() : memory_->remember(left);
}

void restore_offloads(const std::string& memory_path) {
  if (OffloadMemory::left_by_the_dead(memory_path).empty()) return;
  OffloadMemory memory(memory_path);
  for (const SwitchedOff& one : memory.recall()) {
    if (is_still_off(one)) put_right(one);
  }
  memory.forget();
}

void warn_of_offloads(const std::vector<std::string>& interface_names) {
  for (const std::string& interface_name : interface_names) {
    const std::vector<std::string> on = offloads_on(interface_name);
    if (on.empty()) continue;
    spdlog::warn(
        "{}: {} on: packets may be merged or not yet cut when they are counted; set "
        "capture.manage_offloads: true, or `ethtool -K {} {} off`",
        interface_name, fmt::join(on, ", "), interface_name, fmt::join(on, " off "));
  }
}

}  // namespace wiretally
