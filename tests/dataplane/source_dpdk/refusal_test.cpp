// SPDX-License-Identifier: Apache-2.0
// What a user reads when a device cannot be opened, and that nothing else is printed.
#include <gtest/gtest.h>
#include <sched.h>

#include "config/startup_error.hpp"
#include "dataplane/source/dpdk_capture.hpp"
#include "eal_environment.hpp"

namespace wiretally {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A device opened after a refusal: nothing of the refused one is left.
void expect_port_still_opens() {
  EXPECT_EQ(refusal_of_port("net_null0"), "");
}

TEST(EalStart, prints_nothing) {
  EXPECT_EQ(output_of_eal_start(), "");
}

TEST(EalStart, leaves_the_callers_affinity_as_it_was) {
  cpu_set_t set;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(set), &set), 0);
  EXPECT_EQ(static_cast<long>(CPU_COUNT(&set)), ::sysconf(_SC_NPROCESSORS_ONLN))
      << "EAL pins its caller to one core; ours must stay free";
}

TEST(EalStart, a_second_one_in_a_process_is_refused_in_a_sentence) {
  try {
    const DpdkEal second(eal_config(), {});
    FAIL() << "started twice";
  } catch (const StartupError& error) {
    EXPECT_EQ(error.code(), ExitCode::kMachine);
    EXPECT_TRUE(has(error.what(), "only once in a process")) << error.what();
  }
}

struct Refusal {
  const char* device;
  const char* expected;
};

class PortRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(PortRefusal, names_key_value_and_reason_and_prints_nothing_else) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const std::string text = refusal_of_port(GetParam().device);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(text.starts_with("capture.dpdk.ports[0].device: ")) << text;
  EXPECT_TRUE(has(text, GetParam().device)) << text;
  EXPECT_TRUE(has(text, GetParam().expected)) << text;
  expect_port_still_opens();
}

INSTANTIATE_TEST_SUITE_P(
    All, PortRefusal,
    ::testing::Values(
        Refusal{"net_af_packet0,iface=nosuchif", "there is no network interface nosuchif"},
        Refusal{"net_af_xdp0,iface=nosuchif", "there is no network interface nosuchif"},
        Refusal{"net_af_packet0,iface=averyveryverylongname", "there is no network interface"},
        Refusal{"net_nosuchdriver0,x=1", "DPDK has no driver net_nosuchdriver here"},
        Refusal{"net_null0,bogus=1", "check its arguments"},
        Refusal{"net_memif0,role=nonsense", "DPDK cannot open device net_memif0"}));

TEST(PortRefusals, more_queues_than_the_device_has_are_refused_with_what_it_offers) {
  const std::string text = refusal_of_port("net_null0", 2000);
  EXPECT_TRUE(has(text, "queues: 2000, but the device offers 1024")) << text;
  expect_port_still_opens();
}

TEST(PortRefusals, too_little_memory_names_the_key_and_what_is_needed) {
  const std::string text = refusal_of_port("net_null0", 64);  // some 600 MiB of buffers
  EXPECT_TRUE(has(text, "no memory for 4095 packet buffers")) << text;
  EXPECT_TRUE(has(text, "raise capture.dpdk.memory")) << text;
  expect_port_still_opens();
}

TEST(CaptureRefusals, come_before_the_eal_is_asked) {
  CaptureConfig config;
  config.dpdk = eal_config();
  const auto refusal = [&](const std::vector<DpdkPortConfig>& ports) -> std::string {
    config.dpdk.ports = ports;
    try {
      const DpdkCapture capture(config);
    } catch (const StartupError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_TRUE(has(refusal({}), "capture.dpdk.ports: no port"));
  EXPECT_TRUE(has(refusal({{"net_af_packet0,iface=nosuchif", "", 0, 1}}), "nosuchif"));
  EXPECT_TRUE(has(refusal({{"net_null0", "", 0, 1}, {"net_null0", "", 0, 1}}), "already names"));
  EXPECT_TRUE(has(refusal(std::vector<DpdkPortConfig>(40, {"net_null0", "", 0, 1})), "at most 32"));
  config.dpdk.workers = {0, 1};
  EXPECT_TRUE(has(refusal({{"net_null0", "", 0, 1}}), "a worker would poll nothing"));
}

TEST(Port, without_name_and_ifindex_gets_them_from_its_place) {
  const auto port = open_port("net_null0", 1, PortIndex{3});
  EXPECT_EQ(port->name(), "port3");
  EXPECT_EQ(port->ifindex(), 4u);
}

}  // namespace
}  // namespace wiretally
