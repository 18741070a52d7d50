// SPDX-License-Identifier: Apache-2.0
// Which of an interface's offloads change packets before a meter sees them, and
// capture.manage_offloads: off while the meter runs, back on when it ends. Thread: main.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/capture/offload_memory.hpp"

namespace wiretally {

// Names as `ethtool -K` takes them: "gro", "lro" (received packets are merged), "tso", "gso" (sent
// ones are not yet cut). Empty if none is on, or if the interface does not say.
std::vector<std::string> offloads_on(const std::string& interface_name);

// Switches off what is on; on again when it goes, in reverse order. What a meter that was killed
// left off is in `memory_path` (offload_memory.hpp): it stays off, and comes on again with the
// rest.
class OffloadKeeper {
 public:
  OffloadKeeper() = default;
  // Says on the log what it does and what it may not (it takes CAP_NET_ADMIN).
  OffloadKeeper(const std::vector<std::string>& interface_names, const std::string& memory_path);
  ~OffloadKeeper();
  OffloadKeeper(const OffloadKeeper&) = delete;
  OffloadKeeper& operator=(const OffloadKeeper&) = delete;

  // Now and then: an interface that was deleted and made anew has them on.
  void look();

 private:
  struct Managed {
    std::string interface_name;
    unsigned ifindex = 0;  // 0: not there
  };
  void take_over(const std::vector<std::string>& interface_names);
  void switch_off(const Managed& interface);

  std::unique_ptr<OffloadMemory> memory_;
  std::vector<Managed> managed_;
  std::vector<SwitchedOff> off_;
};

// For a meter that leaves offloads alone: on again what a killed one has left off.
void restore_offloads(const std::string& memory_path);

// One warning an interface whose offloads change packets; for a meter that leaves them alone.
void warn_of_offloads(const std::vector<std::string>& interface_names);

}  // namespace wiretally
