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
  const bool recent = major > 5 || (major == 5 && minor >= 10);
  findings.push_back({recent ? Health::kGood : Health::kWarning, "kernel", "Linux " + release,
                      recent ? "" : "wiretally is tested with Linux 5.10 and later; upgrade"});
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

void check_capabilities(const SystemFacts& facts, Findings& findings) {
  std::vector<std::string> lacking;
  if (!facts.has_capability(Capability::kNetRaw)) lacking.emplace_back("CAP_NET_RAW");
  if (!facts.has_capability(Capability::kNetAdmin)) lacking.emplace_back("CAP_NET_ADMIN");
  if (!lacking.empty()) {
    findings.push_back(
        {Health::kMissing, "permission",
         fmt::format("no {}: live interfaces cannot be opened (captures can be read)",
                     fmt::join(lacking, ", ")),
         "run with sudo, or `sudo setcap cap_net_raw,cap_net_admin,cap_ipc_lock+ep "
         "$(command -v wiretally)`"});
    return;
  }
  const bool lock = facts.has_capability(Capability::kIpcLock);
  findings.push_back({lock ? Health::kGood : Health::kWarning, "permission",
                      lock ? "may open interfaces and lock memory"
                           : "may open interfaces but not lock memory, which DPDK wants",
                      lock ? "" : "run with sudo, or add cap_ipc_lock"});
}

// CAP_SYS_ADMIN has what CAP_BPF was taken from.
void check_kernel_drivers(const SystemFacts& facts, const Probes& probes, Findings& findings) {
  const bool may_load =
      facts.has_capability(Capability::kBpf) || facts.has_capability(Capability::kSysAdmin);
  if (!may_load) {
    findings.push_back({Health::kWarning, "eBPF",
                        "no CAP_BPF: the drivers ebpf and af_xdp cannot load their programs",
                        "run with sudo, or add cap_bpf (and cap_perfmon before Linux 5.18) to the "
                        "setcap line"});
    return;
  }
  if (!facts.bpf_is_compiled()) {
    findings.push_back({Health::kWarning, "eBPF", "programs are interpreted, several times slower",
                        "`sudo sysctl net.core.bpf_jit_enable=1`"});
    return;
  }
  const bool sockets = probes.has_xdp_sockets();
  findings.push_back({sockets ? Health::kGood : Health::kWarning, "eBPF",
                      sockets ? "may load programs, compiled; the kernel has XDP sockets"
                              : "the kernel has no XDP sockets: driver af_xdp cannot work",
                      sockets ? "" : "use a kernel with CONFIG_XDP_SOCKETS, or driver ebpf"});
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

void check_interface(const NetworkInterface& interface, const Probes& probes, Findings& findings) {
  const std::size_t before = findings.size();
  check_link(interface, findings);
  if (interface.up) check_offloads(interface, probes.offloads_of(interface.name), findings);
  check_xdp(interface, probes.xdp_program_of(interface.name), findings);
  if (findings.size() != before) return;
  findings.push_back(
      {Health::kGood, interface.name,
       fmt::format("up, {} receive queue{}, no offload and no XDP program in the way",
                   interface.rx_queues, interface.rx_queues == 1 ? "" : "s"),
       ""});
}

void check_interfaces(const SystemFacts& facts, const Probes& probes,
                      const std::vector<std::string>& wanted, Findings& findings) {
  const std::vector<NetworkInterface> all = facts.interfaces();
  for (const std::string& name : wanted) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const NetworkInterface& one) { return one.name == name; });
    if (found == all.end()) {
      findings.push_back({Health::kMissing, name, "there is no such interface",
                          "`wiretally devices` lists what there is"});
    } else {
      check_interface(*found, probes, findings);
    }
  }
  if (!wanted.empty()) return;
  bool any = false;
  for (const NetworkInterface& interface : all) {
    if (interface.name == "lo") continue;
    any = true;
    check_interface(interface, probes, findings);
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
  check_kernel_drivers(facts, probes, findings);
  check_huge_pages(facts, findings);
  check_interfaces(facts, probes, interfaces, findings);
  return findings;
}

}  // namespace wiretally
