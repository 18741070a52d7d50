// SPDX-License-Identifier: Apache-2.0
// Which of an interface's offloads change packets before a meter sees them, and
// capture.manage_offloads: off while the meter runs, back on when it ends. Thread: main.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace wiretally {

// Names as `ethtool -K` takes them: "gro", "lro" (received packets are merged), "tso", "gso" (sent
// ones are not yet cut). Empty if none is on, or if the interface does not say.
std::vector<std::string> offloads_on(const std::string& interface_name);

// Switches off what is on; on again when it goes, in reverse order. A meter that is killed cannot:
// the interface then stays without them, which costs it speed and nothing else.
class OffloadKeeper {
 public:
  OffloadKeeper() = default;
  // Says on the log what it does and what it may not (it takes CAP_NET_ADMIN).
  explicit OffloadKeeper(const std::vector<std::string>& interface_names);
  ~OffloadKeeper();
  OffloadKeeper(OffloadKeeper&& other) noexcept
      : switched_off_(std::exchange(other.switched_off_, {})) {}
  OffloadKeeper& operator=(OffloadKeeper&& other) noexcept {
    std::swap(switched_off_, other.switched_off_);
    return *this;
  }

 private:
  std::vector<std::pair<std::string, std::string>> switched_off_;  // interface, offload
};

// One warning an interface whose offloads change packets; for a meter that leaves them alone.
void warn_of_offloads(const std::vector<std::string>& interface_names);

}  // namespace wiretally
