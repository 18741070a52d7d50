// SPDX-License-Identifier: Apache-2.0
// EAL start and stop, and the checks before it. Thread: control, at start and end.
#include "dataplane/source/dpdk_eal.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "config/startup_error.hpp"
#include "dataplane/source/dpdk_log.hpp"
#include "dataplane/source/dpdk_machine.hpp"

namespace wiretally {
namespace {

constexpr std::uint64_t kMemoryMin = 32ull << 20;

[[noreturn]] void refuse(ExitCode code, const std::string& text) {
  throw StartupError(code, text);
}

std::string core_list(const std::vector<std::uint32_t>& cores) {
  return fmt::format("{}", fmt::join(cores, ","));
}

void check_workers(const DpdkConfig& config) {
  const std::vector<std::uint32_t> allowed = allowed_cores();
  std::set<std::uint32_t> seen;
  if (config.workers.empty()) {
    refuse(ExitCode::kUsage, "capture.dpdk.workers: no cores: name at least one, for example [1]");
  }
  for (std::size_t i = 0; i < config.workers.size(); ++i) {
    const std::uint32_t core = config.workers[i];
    const std::string key = fmt::format("capture.dpdk.workers[{}]", i);
    if (!seen.insert(core).second) {
      refuse(ExitCode::kUsage,
             fmt::format("{}: core {} is named twice: one worker polls on one core", key, core));
    }
    if (std::find(allowed.begin(), allowed.end(), core) == allowed.end()) {
      refuse(ExitCode::kMachine,
             fmt::format("{}: core {} cannot be used here: choose among cores {}", key, core,
                         core_list(allowed)));
    }
  }
}

// The number of 2 MiB pages this machine needs in all, so that the memory fits beside what others
// use.
std::string huge_page_cure(std::uint64_t wanted, const std::vector<HugePages>& pages) {
  constexpr std::uint64_t kPage = 2ull << 20;
  std::uint64_t present = 0;
  for (const HugePages& size : pages) {
    if (size.page_octets == kPage) present = size.total;
  }
  const std::uint64_t more = (wanted - free_huge_page_octets(pages) + kPage - 1) / kPage;
  return fmt::format(
      "echo {} > /proc/sys/vm/nr_hugepages, a smaller capture.dpdk.memory, or "
      "capture.dpdk.no_huge: true",
      present + more);
}

void check_memory(const DpdkConfig& config) {
  const std::string wanted = size_text(config.memory);
  if (config.memory < kMemoryMin) {
    refuse(ExitCode::kUsage, fmt::format("capture.dpdk.memory: {} is too little: at least {}",
                                         wanted, size_text(kMemoryMin)));
  }
  if (config.no_huge) {
    const std::uint64_t available = available_memory_octets();
    if (available != 0 && config.memory > available) {
      refuse(
          ExitCode::kMachine,
          fmt::format("capture.dpdk.memory: {} of ordinary memory (no_huge) are more than the {} "
                      "available: ask for less",
                      wanted, size_text(available)));
    }
    return;
  }
  const std::vector<HugePages> pages = huge_pages();
  const std::uint64_t free = free_huge_page_octets(pages);
  if (free >= config.memory) return;
  const std::string what =
      free == 0 ? "no free huge pages" : "only " + size_text(free) + " of huge pages are free";
  refuse(ExitCode::kMachine, fmt::format("capture.dpdk.memory: {} wanted, but {}: {}", wanted, what,
                                         huge_page_cure(config.memory, pages)));
}

std::string pci_devices_here(const std::vector<PciNetworkDevice>& present) {
  std::string list;
  for (const PciNetworkDevice& device : present) {
    list += (list.empty() ? "" : ", ") + device.address;
  }
  return list.empty() ? "there is none" : list;
}

void check_pci_device(const DpdkDevice& device, const std::vector<PciNetworkDevice>& present) {
  const auto found = std::find_if(present.begin(), present.end(), [&](const PciNetworkDevice& pci) {
    return pci.address == device.name;
  });
  const std::string what = fmt::format("{}: \"{}\": ", device.key, device.text);
  if (found == present.end()) {
    refuse(ExitCode::kMachine, fmt::format("{}no PCI network device {}; here: {}", what,
                                           device.name, pci_devices_here(present)));
  }
  if (found->ready()) return;
  std::string holder = found->driver.empty() ? "no driver holds it"
                                             : "the kernel driver " + found->driver + " holds it";
  std::vector<std::string> cures;
  if (found->carries_default_route) {  // binding it would cut the user off
    holder += ", and it carries this machine's default route";
    cures.emplace_back("take another device");
  } else {
    cures.push_back("dpdk-devbind.py --bind=vfio-pci " + device.name);
  }
  if (!found->interfaces.empty()) {
    cures.push_back(fmt::format("device: \"net_af_packet0,iface={}\"", found->interfaces.front()));
  }
  refuse(ExitCode::kMachine, fmt::format("{}{}: {}", what, holder, fmt::join(cures, ", or ")));
}

// Runs rte_eal_init with everything it prints caught, and the caller's affinity as it was.
int initialise(std::vector<std::string> arguments) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  cpu_set_t affinity;
  const bool known = ::pthread_getaffinity_np(::pthread_self(), sizeof(affinity), &affinity) == 0;
  int result;
  {
    const OutputToDpdkLog quiet;
    result = rte_eal_init(static_cast<int>(pointers.size()), pointers.data());
  }
  if (known) ::pthread_setaffinity_np(::pthread_self(), sizeof(affinity), &affinity);
  return result;
}

}  // namespace

std::vector<std::string> eal_arguments(const DpdkConfig& config,
                                       const std::vector<DpdkDevice>& devices) {
  // One EAL thread (the caller), allowed on all worker cores: so EAL's helper threads keep off
  // them.
  std::vector<std::string> arguments = {"wiretally",
                                        "--lcores",
                                        fmt::format("0@({})", core_list(config.workers)),
                                        "-m",
                                        std::to_string(config.memory >> 20),
                                        "--no-telemetry",
                                        "--log-level=warning"};
  if (config.no_huge) {
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
  } else {
    arguments.emplace_back("--in-memory");
  }
  bool any_pci = false;
  for (const DpdkDevice& device : devices) {
    if (device.bus != DpdkBus::kPci) continue;
    any_pci = true;
    arguments.emplace_back("-a");
    arguments.push_back(device.arguments.empty() ? device.name
                                                 : device.name + "," + device.arguments);
  }
  // Without this EAL looks at every PCI device, the one of the default route too.
  if (!any_pci) arguments.emplace_back("--no-pci");
  return arguments;
}

void check_machine_for_dpdk(const DpdkConfig& config, const std::vector<DpdkDevice>& devices) {
  check_workers(config);
  check_memory(config);
  std::vector<PciNetworkDevice> present;
  for (const DpdkDevice& device : devices) {
    if (device.bus != DpdkBus::kPci) continue;
    if (present.empty()) present = pci_network_devices();
    check_pci_device(device, present);
  }
}

DpdkEal::DpdkEal(const DpdkConfig& config, const std::vector<DpdkDevice>& devices) {
  static std::atomic<bool> started{false};
  if (started) {
    refuse(ExitCode::kMachine, "capture.driver: dpdk: DPDK can be started only once in a process");
  }
  check_machine_for_dpdk(config, devices);
  started = true;
  DpdkLog::install();
  DpdkLog::clear();
  if (initialise(eal_arguments(config, devices)) >= 0) return;
  refuse(ExitCode::kMachine, fmt::format("capture.dpdk: DPDK did not start ({}). It said: {}",
                                         rte_strerror(rte_errno), DpdkLog::last_lines()));
}

DpdkEal::~DpdkEal() {
  rte_eal_cleanup();
}

void pin_current_thread(std::uint32_t core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (core < CPU_SETSIZE) CPU_SET(core, &set);
  if (::pthread_setaffinity_np(::pthread_self(), sizeof(set), &set) != 0) {
    refuse(ExitCode::kMachine, fmt::format("capture.dpdk.workers: a thread cannot run on core {}: "
                                           "choose among cores {}",
                                           core, core_list(allowed_cores())));
  }
}

DpdkThread::DpdkThread() : registered_(rte_thread_register() == 0) {}

DpdkThread::~DpdkThread() {
  if (registered_) rte_thread_unregister();
}

}  // namespace wiretally
