// SPDX-License-Identifier: Apache-2.0
// The checks, each a function that adds its findings.
// Thread: main.
#include "control/cli/doctor_checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

namespace wiretally {
namespace {

using Findings = std::vector<Finding>;

void check_kernel(const SystemFacts& facts, Findings& findings) {
  const std::string release = facts.kernel_release();
  char* rest = nullptr;
  const long major = std::strtol(release.c_str(), &rest, 10);
  const long minor = *rest == '.' ? std::strtol(rest + 1, nullptr, 10) : 0;
  const bool recent = major > 5 || (major == 5 && minor >= 15);
  findings.push_back(
      {recent ? Health::kGood : Health::kWarning, "kernel",
       "Linux " + release + (recent ? "" : ": the drivers ebpf and af_xdp take 5.15 or later"),
       recent ? "" : "`sudo apt install linux-image-amd64` of Debian 12 or later, then reboot"});
}

void check_cpu(const SystemFacts& facts, Findings& findings) {
  for (const char* flag : {"sse4_2", "popcnt", "aes"}) {
    if (facts.cpu_has(flag)) continue;
    findings.push_back(
        {Health::kMissing, "cpu", fmt::format("the processor lacks {}", flag),
         "use an x86-64-v2 processor with AES; in a virtual machine, choose the host's "
         "CPU model"});
    return;
  }
  const std::uint32_t cores = facts.cores();
  if (cores < 2) {
    findings.push_back({Health::kWarning, "cpu",
                        "one core only: the worker and control take turns, packets may be missed",
                        "give the machine a second core"});
    return;
  }
  findings.push_back({Health::kGood, "cpu",
                      fmt::format("{} cores, AES, {}", cores,
                                  facts.cpu_has("avx2") ? "AVX2" : "no AVX2 (slower, works)"),
                      ""});
}

struct DriverRights {
  const char* driver;
  std::vector<std::pair<Capability, const char*>> takes;
};

// Which capabilities each driver takes; root has them all.
const std::vector<DriverRights>& driver_rights() {
  using enum Capability;
  static const std::vector<DriverRights> kRights = {
      {"pcap", {{kNetRaw, "CAP_NET_RAW"}}},
      {"ebpf",
       {{kBpf, "CAP_BPF"},
        {kPerfmon, "CAP_PERFMON"},
        {kNetAdmin, "CAP_NET_ADMIN"},
        {kNetRaw, "CAP_NET_RAW"}}},
      {"af_xdp",
       {{kBpf, "CAP_BPF"},
        {kNetAdmin, "CAP_NET_ADMIN"},
        {kNetRaw, "CAP_NET_RAW"},
        {kIpcLock, "CAP_IPC_LOCK"}}},
      {"dpdk",
       {{kNetAdmin, "CAP_NET_ADMIN"}, {kNetRaw, "CAP_NET_RAW"}, {kIpcLock, "CAP_IPC_LOCK"}}}};
  return kRights;
}

// CAP_SYS_ADMIN has what CAP_BPF and CAP_PERFMON were taken from.
bool has_right(const SystemFacts& facts, Capability capability) {
  const bool split_off = capability == Capability::kBpf || capability == Capability::kPerfmon;
  return facts.has_capability(capability) ||
         (split_off && facts.has_capability(Capability::kSysAdmin));
}

void check_capabilities(const SystemFacts& facts, Findings& findings) {
  const char* cure =
      "run with sudo, or `sudo setcap "
      "cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon,cap_ipc_lock+ep $(command -v wiretally)`";
  std::vector<std::string> able, lacks;
  for (const DriverRights& each : driver_rights()) {
    std::vector<std::string> lacking;
    for (const auto& [capability, name] : each.takes) {
      if (!has_right(facts, capability)) lacking.emplace_back(name);
    }
    if (lacking.empty()) {
      able.emplace_back(each.driver);
    } else {
      lacks.push_back(fmt::format("driver {} lacks {}", each.driver, fmt::join(lacking, ", ")));
    }
  }
  if (able.empty()) {
    findings.push_back({Health::kMissing, "permission",
                        fmt::format("no live interface can be opened (captures can be read): {}",
                                    fmt::join(lacks, "; ")),
                        cure});
  } else if (!lacks.empty()) {
    findings.push_back(
        {Health::kWarning, "permission", fmt::format("{}", fmt::join(lacks, "; ")), cure});
  } else {
    findings.push_back(
        {Health::kGood, "permission",
         fmt::format("has the capabilities that the drivers {} take", fmt::join(able, ", ")), ""});
  }
}

void check_kernel_features(const SystemFacts& facts, const Probes& probes, Findings& findings) {
  std::vector<std::string> there, unknown;
  for (const KernelFeature& each : probes.kernel_features()) {
    if (!each.there) {
      unknown.push_back(each.name);
    } else if (*each.there) {
      there.push_back(each.name);
    } else {
      findings.push_back(
          {each.matters ? Health::kWarning : Health::kGood, "kernel features",
           fmt::format("no {} (Linux {}): {}", each.name, each.since, each.without),
           each.matters ? fmt::format("boot Linux {} or later; Debian 12: `sudo apt install -t "
                                      "bookworm-backports linux-image-amd64`",
                                      each.since)
                        : ""});
    }
  }
  if (!unknown.empty()) {
    findings.push_back({Health::kWarning, "kernel features",
                        fmt::format("may not be asked for: {}", fmt::join(unknown, ", ")),
                        "`sudo wiretally doctor`"});
  }
  if (!facts.bpf_is_compiled()) {
    findings.push_back({Health::kWarning, "kernel features",
                        "eBPF programs are interpreted, several times slower",
                        "`sudo sysctl net.core.bpf_jit_enable=1`"});
  } else {
    there.insert(there.begin(), "eBPF compiler");
  }
  if (there.empty()) return;
  findings.push_back(
      {Health::kGood, "kernel features", fmt::format("{}", fmt::join(there, ", ")), ""});
}

void check_huge_pages(const SystemFacts& facts, Findings& findings) {
  std::string sizes;
  std::uint64_t free_kb = 0;
  for (const HugePages& pages : facts.huge_pages()) {
    if (pages.total == 0) continue;
    sizes += fmt::format("{}{} of {} pages of {} kB free", sizes.empty() ? "" : ", ", pages.free,
                         pages.total, pages.page_kb);
    free_kb += pages.free * pages.page_kb;
  }
  constexpr std::uint64_t kEnoughKb = 1024 * 1024;  // capture.dpdk.memory's default
  const char* cure =
      "`echo 512 | sudo tee /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages`, or set "
      "capture.dpdk.no_huge: true; only the dpdk driver needs them";
  if (free_kb == 0) {
    findings.push_back({Health::kWarning, "huge pages", sizes.empty() ? "none" : sizes, cure});
  } else if (free_kb < kEnoughKb) {
    findings.push_back(
        {Health::kWarning, "huge pages", sizes + ": less than capture.dpdk.memory's 1024M", cure});
  } else {
    findings.push_back({Health::kGood, "huge pages", sizes, ""});
  }
}

void check_link(const NetworkInterface& interface, Findings& findings) {
  const std::string& name = interface.name;
  if (!interface.up) {
    findings.push_back({Health::kWarning, name, "is down: no packet arrives",
                        fmt::format("`sudo ip link set dev {} up`", name)});
  } else if (!interface.carrier) {
    findings.push_back(
        {Health::kWarning, name, "has no carrier: no packet arrives", "plug in or start its peer"});
  }
}

// Of `on`, those of `names`, in that order.
std::vector<std::string> common(const std::vector<std::string>& on,
                                std::initializer_list<const char*> names) {
  std::vector<std::string> found;
  for (const char* name : names) {
    if (std::find(on.begin(), on.end(), name) != on.end()) found.emplace_back(name);
  }
  return found;
}

void check_offloads(const NetworkInterface& interface, const std::vector<std::string>& on,
                    Findings& findings) {
  const auto add = [&](const std::vector<std::string>& names, const char* effect) {
    if (names.empty()) return;
    findings.push_back({Health::kWarning, interface.name,
                        fmt::format("{} on: {}", fmt::join(names, ", "), effect),
                        fmt::format("`sudo ethtool -K {} {} off`, or capture.manage_offloads: true",
                                    interface.name, fmt::join(names, " off "))});
  };
  add(common(on, {"gro", "lro"}),
      "received packets are merged, so a kernel driver counts fewer and larger ones");
  add(common(on, {"tso", "gso"}),
      "packets this host sends are seen before they are cut, larger than on the wire");
}

void check_xdp(const NetworkInterface& interface, const std::string& program, Findings& findings) {
  if (program.empty()) return;
  findings.push_back(
      {Health::kWarning, interface.name,
       fmt::format("has an XDP program attached: {}; the drivers af_xdp and ebpf do not replace it",
                   program),
       fmt::format("stop its owner, or `sudo ip link set dev {} xdp off`; the drivers pcap and "
                   "dpdk (net_af_packet) share the interface",
                   interface.name)});
}

// What a meter that was killed has left off, of this interface, and is off still.
void check_left_off(const NetworkInterface& interface, const std::vector<std::string>& on,
                    const std::vector<SwitchedOff>& left, Findings& findings) {
  std::vector<std::string> names;
  for (const SwitchedOff& one : left) {
    const bool here = one.interface_name == interface.name && one.ifindex == interface.ifindex;
    if (here && std::find(on.begin(), on.end(), one.offload) == on.end()) {
      names.push_back(one.offload);
    }
  }
  if (names.empty()) return;
  findings.push_back(
      {Health::kWarning, interface.name,
       fmt::format("{} off since a meter with capture.manage_offloads was killed: sending and "
                   "receiving cost this host more",
                   fmt::join(names, ", ")),
       fmt::format("`sudo ethtool -K {} {} on`, or start that meter again", interface.name,
                   fmt::join(names, " on "))});
}

std::string xdp_words(const std::optional<XdpFeatures>& features) {
  if (!features) return "";
  if (!features->native) return ", generic XDP only";
  return std::string(", native XDP") + (features->zero_copy ? " with zero-copy" : "");
}

void check_xdp_features(const NetworkInterface& interface,
                        const std::optional<XdpFeatures>& features, Findings& findings) {
  if (!features || (features->native && features->redirect)) return;
  findings.push_back(
      {Health::kWarning, interface.name,
       fmt::format(
           "its driver{} has no {}XDP of its own: the drivers ebpf and af_xdp run in generic "
           "mode, at the cost of the kernel's whole receive path",
           interface.driver.empty() ? "" : " " + interface.driver,
           features->native ? "redirecting " : ""),
       "a card whose driver has it (i40e, ice, ixgbe, mlx5, virtio_net, ...), or capture: {driver: "
       "pcap}"});
}

void check_interface(const NetworkInterface& interface, const Probes& probes,
                     const std::vector<SwitchedOff>& left, Findings& findings) {
  const std::size_t before = findings.size();
  check_link(interface, findings);
  const std::vector<std::string> on = probes.offloads_of(interface.name);
  if (interface.up) check_offloads(interface, on, findings);
  check_left_off(interface, on, left, findings);
  check_xdp(interface, probes.xdp_program_of(interface.name), findings);
  const std::optional<XdpFeatures> features = probes.xdp_features_of(interface.name);
  check_xdp_features(interface, features, findings);
  if (findings.size() != before) return;
  findings.push_back(
      {Health::kGood, interface.name,
       fmt::format("up, {} receive queue{}{}, no offload and no XDP program in the way",
                   interface.rx_queues, interface.rx_queues == 1 ? "" : "s", xdp_words(features)),
       ""});
}

void check_interfaces(const SystemFacts& facts, const Probes& probes,
                      const std::vector<std::string>& wanted, Findings& findings) {
  const std::vector<NetworkInterface> all = facts.interfaces();
  const std::vector<SwitchedOff> left = probes.left_off();
  for (const std::string& name : wanted) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const NetworkInterface& one) { return one.name == name; });
    if (found == all.end()) {
      findings.push_back({Health::kMissing, name, "there is no such interface",
                          "`wiretally devices` lists what there is"});
    } else {
      check_interface(*found, probes, left, findings);
    }
  }
  if (!wanted.empty()) return;
  bool any = false;
  for (const NetworkInterface& interface : all) {
    if (interface.name == "lo") continue;
    any = true;
    check_interface(interface, probes, left, findings);
  }
  if (any || !facts.pci_devices().empty()) return;
  findings.push_back({Health::kMissing, "interfaces", "only loopback here",
                      "add a network card, or make a pair to try: `sudo ip link add v1 type veth "
                      "peer name v2`"});
}

}  // namespace

std::vector<Finding> examine(const SystemFacts& facts, const Probes& probes,
                             const std::vector<std::string>& interfaces) {
  Findings findings;
  check_kernel(facts, findings);
  check_cpu(facts, findings);
  check_capabilities(facts, findings);
  check_kernel_features(facts, probes, findings);
  check_huge_pages(facts, findings);
  check_interfaces(facts, probes, interfaces, findings);
  return findings;
}

}  // namespace wiretally
