// SPDX-License-Identifier: Apache-2.0
// Starts the EAL before the first test and stops it after the last.
#include "eal_environment.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "config/startup_error.hpp"
#include "dataplane/source/dpdk_machine.hpp"

// ThreadSanitizer does not see EAL's own lock around rte_thread_register: the library is not
// instrumented.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:librte_eal.so";
}

namespace wiretally {
namespace {

std::string start_output;

class EalEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    try {
      eal_ = std::make_unique<DpdkEal>(eal_config(), std::vector<DpdkDevice>{});
    } catch (const StartupError& error) {
      ADD_FAILURE() << error.what();
    }
    start_output = ::testing::internal::GetCapturedStdout();
    start_output += ::testing::internal::GetCapturedStderr();
  }
  void TearDown() override { eal_.reset(); }

 private:
  std::unique_ptr<DpdkEal> eal_;
};

// Owned by GoogleTest.
[[maybe_unused]] const auto* const environment =
    ::testing::AddGlobalTestEnvironment(new EalEnvironment);

DpdkPortConfig port_config(const std::string& device, std::uint16_t queues) {
  DpdkPortConfig config;
  config.device = device;
  config.queues = queues;
  return config;
}

}  // namespace

DpdkConfig eal_config() {
  DpdkConfig config;
  config.memory = 256ull << 20;
  // WIRETALLY_TEST_HUGE_PAGES=1: the same tests in huge pages (256 MiB of them must be free).
  config.no_huge = std::getenv("WIRETALLY_TEST_HUGE_PAGES") == nullptr;
  config.workers = {allowed_cores().front()};
  return config;
}

const std::string& output_of_eal_start() {
  return start_output;
}

std::unique_ptr<DpdkPort> open_port(const std::string& device, std::uint16_t queues,
                                    PortIndex index) {
  return std::make_unique<DpdkPort>(port_config(device, queues),
                                    parse_dpdk_device(device, static_cast<std::size_t>(index)),
                                    index, true);
}

std::string refusal_of_port(const std::string& device, std::uint16_t queues) {
  try {
    (void)open_port(device, queues);
  } catch (const StartupError& error) {
    return error.what();
  }
  return "";
}

std::uint64_t missed(DpdkPort& port, std::string_view reason) {
  for (const MissedCount& count : port.missed()) {
    if (count.reason == reason) return count.packets;
  }
  ADD_FAILURE() << "no reason " << reason;
  return 0;
}

std::uint64_t missed_in_all(DpdkPort& port) {
  std::uint64_t packets = 0;
  for (const MissedCount& count : port.missed()) packets += count.packets;
  return packets;
}

}  // namespace wiretally
