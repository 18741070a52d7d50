// SPDX-License-Identifier: Apache-2.0
// Device names as users write them. Pure text, no EAL.
#include "dataplane/source/dpdk_device.hpp"

#include <gtest/gtest.h>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

struct Named {
  const char* text;
  DpdkBus bus;
  const char* name;
  const char* driver;
  const char* arguments;
};

class GoodDeviceName : public ::testing::TestWithParam<Named> {};

TEST_P(GoodDeviceName, is_taken_apart) {
  const Named& expected = GetParam();
  const DpdkDevice device = parse_dpdk_device(expected.text, 3);
  EXPECT_EQ(device.bus, expected.bus);
  EXPECT_EQ(device.name, expected.name);
  EXPECT_EQ(device.driver, expected.driver);
  EXPECT_EQ(device.arguments, expected.arguments);
  EXPECT_EQ(device.key, "capture.dpdk.ports[3].device");
}

INSTANTIATE_TEST_SUITE_P(
    All, GoodDeviceName,
    ::testing::Values(Named{"0000:3b:00.0", DpdkBus::kPci, "0000:3b:00.0", "", ""},
                      Named{"3b:00.1", DpdkBus::kPci, "0000:3b:00.1", "", ""},
                      Named{"10000:e1:1F.7", DpdkBus::kPci, "10000:e1:1f.7", "", ""},
                      Named{"0000:3b:00.0,rx_vec_en=0", DpdkBus::kPci, "0000:3b:00.0", "",
                            "rx_vec_en=0"},
                      Named{"net_af_packet0,iface=v1", DpdkBus::kVdev, "net_af_packet0",
                            "net_af_packet", "iface=v1"},
                      Named{"net_af_xdp_tap,iface=v1", DpdkBus::kVdev, "net_af_xdp_tap",
                            "net_af_xdp", "iface=v1"},
                      Named{"net_ring_lab", DpdkBus::kVdev, "net_ring_lab", "net_ring", ""},
                      Named{"net_vhost12,iface=/run/s", DpdkBus::kVdev, "net_vhost12", "net_vhost",
                            "iface=/run/s"}));

struct Refused {
  const char* text;
  const char* expected;  // part of the sentence
};

class BadDeviceName : public ::testing::TestWithParam<Refused> {};

TEST_P(BadDeviceName, is_refused_with_key_value_and_cure) {
  try {
    (void)parse_dpdk_device(GetParam().text, 0);
    FAIL() << GetParam().text << " was taken";
  } catch (const StartupError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    const std::string text = error.what();
    EXPECT_TRUE(text.starts_with("capture.dpdk.ports[0].device: \"" + std::string(GetParam().text)))
        << text;
    EXPECT_NE(text.find(GetParam().expected), std::string::npos) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadDeviceName,
    ::testing::Values(Refused{"", "write a PCI address"}, Refused{"0000:3b:00", "0000:3b:00.0"},
                      Refused{"0000:3b:00.8", "not a PCI address"},
                      Refused{"0000:3b:20.0", "not a PCI address"},
                      Refused{"0000:3b:00.0x", "not a PCI address"},
                      Refused{"zz:00.0", "not a PCI address"},
                      Refused{"eth0", "net_af_packet0,iface=eth0"},
                      Refused{"net_af packet0,iface=v1", "letters, digits"},
                      Refused{"net_af_packet0,iface", "\"iface\" is not of the form"},
                      Refused{"net_af_packet0,iface=", "\"iface=\" is not of the form"},
                      Refused{"net_af_packet0,,iface=v1", "is not of the form"}));

TEST(DpdkDevice, gives_all_values_of_a_repeated_argument_in_order) {
  const DpdkDevice device = parse_dpdk_device("net_pcap0,rx_pcap=b,x=1,rx_pcap=a", 0);
  EXPECT_EQ(device.values("rx_pcap"), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(device.value("x"), "1");
  EXPECT_FALSE(device.has("rx"));
}

std::string refusal_of(const std::vector<std::string>& names) {
  DpdkConfig config;
  for (const std::string& name : names) config.ports.push_back({name, "", 0, 1});
  try {
    (void)parse_dpdk_devices(config);
  } catch (const StartupError& error) {
    return error.what();
  }
  return "";
}

TEST(DpdkDevices, refuse_one_device_in_two_ports_naming_both) {
  const std::string vdev = refusal_of({"net_pcap0,rx_pcap=a", "net_pcap0,rx_pcap=b"});
  EXPECT_NE(vdev.find("ports[1]"), std::string::npos) << vdev;
  EXPECT_NE(vdev.find("capture.dpdk.ports[0].device already names"), std::string::npos) << vdev;
  EXPECT_NE(refusal_of({"3b:00.0", "0000:3b:00.0"}), "")
      << "the same address with and without domain";
}

TEST(DpdkDevices, refuse_one_interface_in_two_ports_as_counted_twice) {
  EXPECT_NE(refusal_of({"net_af_packet0,iface=v1", "net_af_packet1,iface=v1"}).find("twice"),
            std::string::npos);
  EXPECT_NE(refusal_of({"net_af_xdp0,iface=v1", "net_af_xdp1,iface=v1,start_queue=0"}), "");
}

TEST(DpdkDevices, allow_other_interfaces_and_other_queues) {
  EXPECT_EQ(refusal_of({"net_af_packet0,iface=v1", "net_af_packet1,iface=v2"}), "");
  EXPECT_EQ(refusal_of({"net_af_xdp0,iface=v1", "net_af_xdp1,iface=v1,start_queue=1"}), "");
}

}  // namespace
}  // namespace wiretally
