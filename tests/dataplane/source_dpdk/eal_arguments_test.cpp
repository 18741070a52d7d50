// SPDX-License-Identifier: Apache-2.0
// The EAL's command line from the YAML, and what is refused before the EAL is asked. No EAL.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "config/startup_error.hpp"
#include "dataplane/source/dpdk_eal.hpp"
#include "dataplane/source/dpdk_machine.hpp"

namespace wiretally {
namespace {

DpdkConfig config_with(const std::vector<std::string>& devices) {
  DpdkConfig config;
  for (const std::string& device : devices) config.ports.push_back({device, "", 0, 1});
  return config;
}

std::string arguments_of(const DpdkConfig& config) {
  std::string joined;
  for (const std::string& argument : eal_arguments(config, parse_dpdk_devices(config))) {
    joined += " " + argument;
  }
  return joined + " ";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(EalArguments, keep_off_pci_unless_a_pci_device_is_named) {
  EXPECT_TRUE(has(arguments_of(config_with({"net_af_packet0,iface=v1"})), " --no-pci "));
  const std::string pci = arguments_of(config_with({"3b:00.0", "net_null0", "0000:3b:00.1,x=1"}));
  EXPECT_FALSE(has(pci, "--no-pci"));
  EXPECT_TRUE(has(pci, " -a 0000:3b:00.0 "));
  EXPECT_TRUE(has(pci, " -a 0000:3b:00.1,x=1 "));
  EXPECT_FALSE(has(pci, "net_null")) << "virtual devices are added one by one, later";
}

TEST(EalArguments, leave_no_files_with_and_without_huge_pages) {
  DpdkConfig config = config_with({"net_null0"});
  config.memory = 256ull << 20;
  EXPECT_TRUE(has(arguments_of(config), " --in-memory "));
  EXPECT_TRUE(has(arguments_of(config), " -m 256 "));
  config.no_huge = true;
  EXPECT_TRUE(has(arguments_of(config), " --no-huge --no-shconf "));
  EXPECT_FALSE(has(arguments_of(config), "--in-memory")) << "EAL refuses the two together";
}

TEST(EalArguments, name_all_worker_cores) {
  DpdkConfig config = config_with({"net_null0"});
  config.workers = {3, 5};
  EXPECT_TRUE(has(arguments_of(config), " --lcores 0@(3,5) "));
}

std::pair<ExitCode, std::string> refusal_of(const DpdkConfig& config) {
  try {
    check_machine_for_dpdk(config, parse_dpdk_devices(config));
  } catch (const StartupError& error) {
    return {error.code(), error.what()};
  }
  return {ExitCode::kDone, ""};
}

DpdkConfig config_that_fits() {
  DpdkConfig config = config_with({"net_null0"});
  config.workers = {allowed_cores().front()};
  config.memory = 64ull << 20;
  config.no_huge = true;
  return config;
}

TEST(CheckMachine, takes_what_this_machine_has) {
  EXPECT_EQ(refusal_of(config_that_fits()).second, "");
}

TEST(CheckMachine, refuses_cores_that_are_not_there_naming_those_that_are) {
  DpdkConfig config = config_that_fits();
  config.workers.push_back(1023);
  const auto [code, text] = refusal_of(config);
  EXPECT_EQ(code, ExitCode::kMachine);
  EXPECT_TRUE(has(text, "capture.dpdk.workers[1]: core 1023")) << text;
  EXPECT_TRUE(has(text, "cores " + std::to_string(allowed_cores().front()))) << text;
}

TEST(CheckMachine, refuses_no_core_and_one_core_twice) {
  DpdkConfig config = config_that_fits();
  config.workers.push_back(config.workers.front());
  EXPECT_EQ(refusal_of(config).first, ExitCode::kUsage);
  EXPECT_TRUE(has(refusal_of(config).second, "named twice"));
  config.workers.clear();
  EXPECT_EQ(refusal_of(config).first, ExitCode::kUsage);
}

TEST(CheckMachine, refuses_more_ordinary_memory_than_there_is) {
  DpdkConfig config = config_that_fits();
  config.memory = 1ull << 50;
  const auto [code, text] = refusal_of(config);
  EXPECT_EQ(code, ExitCode::kMachine);
  EXPECT_TRUE(has(text, "capture.dpdk.memory: 1048576 GiB of ordinary memory")) << text;
}

TEST(CheckMachine, refuses_too_little_memory) {
  DpdkConfig config = config_that_fits();
  config.memory = 1 << 20;
  EXPECT_EQ(refusal_of(config).first, ExitCode::kUsage);
}

TEST(CheckMachine, refuses_more_huge_pages_than_are_free_with_the_command_that_mends_it) {
  DpdkConfig config = config_that_fits();
  config.no_huge = false;
  config.memory = free_huge_page_octets(huge_pages()) + (1ull << 30);
  const auto [code, text] = refusal_of(config);
  EXPECT_EQ(code, ExitCode::kMachine);
  EXPECT_TRUE(has(text, "capture.dpdk.memory")) << text;
  EXPECT_TRUE(has(text, "/proc/sys/vm/nr_hugepages")) << text;
  EXPECT_TRUE(has(text, "capture.dpdk.no_huge: true")) << text;
}

TEST(CheckMachine, refuses_a_pci_device_that_is_not_there) {
  DpdkConfig config = config_that_fits();
  config.ports.push_back({"ffff:ff:1f.7", "", 0, 1});
  const auto [code, text] = refusal_of(config);
  EXPECT_EQ(code, ExitCode::kMachine);
  EXPECT_TRUE(has(text, "capture.dpdk.ports[1].device: \"ffff:ff:1f.7\": no PCI network device"))
      << text;
}

TEST(CheckMachine, refuses_a_pci_device_that_the_kernel_holds_saying_who_and_what_to_do) {
  const auto devices = pci_network_devices();
  const auto held = std::find_if(
      devices.begin(), devices.end(),
      [](const PciNetworkDevice& device) { return !device.ready() && !device.driver.empty(); });
  if (held == devices.end()) GTEST_SKIP() << "no PCI network device with a kernel driver here";
  DpdkConfig config = config_that_fits();
  config.ports.push_back({held->address, "", 0, 1});
  const auto [code, text] = refusal_of(config);
  EXPECT_EQ(code, ExitCode::kMachine);
  EXPECT_TRUE(has(text, held->driver)) << text;
  const bool offers_binding = has(text, "dpdk-devbind.py --bind=vfio-pci " + held->address);
  EXPECT_EQ(offers_binding, !held->carries_default_route) << text;
}

// In a child, as EAL is tried only once in a process; what it prints is all a user would see.
TEST(EalStart, that_fails_gives_one_sentence_with_eals_own_words_and_prints_nothing_else) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a sanitizer needs more address space than this test allows";
#endif
  const auto start_without_address_space = [] {
    DpdkConfig config = config_that_fits();
    config.memory = 512ull << 20;
    const rlimit limit{config.memory, config.memory};
    ::setrlimit(RLIMIT_AS, &limit);
    std::string said = "started";
    try {
      const DpdkEal eal(config, {});
    } catch (const StartupError& error) {
      said = error.what();
    }
    std::fprintf(stderr, "[%s]", said.c_str());
    std::_Exit(said == "started" ? 1 : 0);
  };
  EXPECT_EXIT(start_without_address_space(), ::testing::ExitedWithCode(0),
              "^\\[capture.dpdk: DPDK did not start \\(.*\\). It said: .*\\]$");
}

}  // namespace
}  // namespace wiretally
