// SPDX-License-Identifier: Apache-2.0
// What `wiretally doctor` looks at. Each check says what it found and, where something is to be
// mended, the command that does it. Thread: main. From: SystemFacts, offloads. To: doctor_command.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/capture/offload_memory.hpp"
#include "control/cli/system_facts.hpp"
#include "dataplane/source/link_features.hpp"
#include "ebpf/kernel_features.hpp"

namespace wiretally {

enum class Health : std::uint8_t {
  kGood,
  kWarning,  // works, but worse or not with every driver
  kMissing,  // metering cannot work like this
};

struct Finding {
  Health health = Health::kGood;
  std::string check;  // "kernel", "huge pages", "eth1", ...
  std::string text;
  std::string cure;  // a command or what to do; "" if good
};

// What only the kernel can be asked, so that a test can answer instead.
struct Probes {
  std::function<std::vector<std::string>(const std::string& interface_name)> offloads_of;
  // The XDP program attached there: "name, id 7"; "" if none is.
  std::function<std::string(const std::string& interface_name)> xdp_program_of;
  std::function<std::optional<XdpFeatures>(const std::string& interface_name)> xdp_features_of;
  std::function<std::vector<KernelFeature>()> kernel_features;
  // What meters that were killed have switched off.
  std::function<std::vector<SwitchedOff>()> left_off;
};

// `interfaces` empty: all but loopback.
std::vector<Finding> examine(const SystemFacts& facts, const Probes& probes,
                             const std::vector<std::string>& interfaces);

}  // namespace wiretally
