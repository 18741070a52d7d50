// SPDX-License-Identifier: Apache-2.0
// What the running kernel has of what the drivers ebpf and af_xdp use, found by trying it out and
// not by its version: distributions carry features back. Nothing is attached. Thread: main.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace wiretally {

struct KernelFeature {
  std::string name;
  std::string since;          // the version of Linux that brought it
  std::string without;        // what becomes of the meter, or of a driver
  std::optional<bool> there;  // empty: this process may not ask
  bool matters = true;        // false: good to know, nothing is worse without
};

// Always the same ones in the same order. Asking takes CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW.
[[nodiscard]] std::vector<KernelFeature> kernel_features();

}  // namespace wiretally
