// SPDX-License-Identifier: Apache-2.0
// The doctor on machines of our making: a tree of /sys and /proc in a scratch directory.
#include "control/cli/doctor_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace wiretally {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class Machine : public testing::Test {
 protected:
  Machine() {
    std::string name = testing::TempDir() + "machine_XXXXXX";
    root_ = ::mkdtemp(name.data());
    write("/proc/sys/kernel/osrelease", "6.1.0-18-amd64");
    write("/proc/cpuinfo", "processor : 0\nflags\t\t: fpu sse4_2 popcnt aes avx2\n");
    write("/sys/devices/system/cpu/online", "0-3,6");
    set_capabilities("000001ffffffffff");
    set_huge_pages(600, 600);
    add_interface("eth1", 2, "0x1003", "1");
  }
  ~Machine() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text << "\n";
  }
  void set_capabilities(const std::string& hex) const {
    write("/proc/self/status", "Name:\tdoctor\nCapEff:\t" + hex);
  }
  void set_huge_pages(int total, int free) const {
    const std::string at = "/sys/kernel/mm/hugepages/hugepages-2048kB";
    write(at + "/nr_hugepages", std::to_string(total));
    write(at + "/free_hugepages", std::to_string(free));
  }
  void add_interface(const std::string& name, int ifindex, const std::string& flags,
                     const std::string& carrier) const {
    const std::string at = "/sys/class/net/" + name;
    write(at + "/ifindex", std::to_string(ifindex));
    write(at + "/flags", flags);
    write(at + "/carrier", carrier);
    write(at + "/mtu", "1500");
    write(at + "/speed", "10000");
    write(at + "/address", "02:00:00:00:00:01");
    fs::create_directories(root_ + at + "/queues/rx-0");
    fs::create_directories(root_ + at + "/queues/rx-1");
    fs::create_directories(root_ + at + "/queues/tx-0");
  }
  [[nodiscard]] SystemFacts facts() const { return SystemFacts(root_); }
  [[nodiscard]] std::vector<Finding> findings(
      const std::vector<std::string>& interfaces = {}) const {
    return examine(facts(),
                   {[this](const std::string&) { return offloads_; },
                    [this](const std::string&) { return xdp_program_; },
                    [this](const std::string&) { return xdp_features_; },
                    [this] { return kernel_features_; }, [this] { return left_off_; }},
                   interfaces);
  }
  // The worst finding of a check.
  [[nodiscard]] Finding finding(const std::string& check,
                                const std::vector<std::string>& interfaces = {}) const {
    Finding worst{Health::kGood, "(none)", "", ""};
    for (const Finding& one : findings(interfaces)) {
      if (one.check == check && (worst.check == "(none)" || one.health > worst.health)) worst = one;
    }
    return worst;
  }

  std::string root_;
  std::vector<std::string> offloads_;
  std::string xdp_program_;
  std::optional<XdpFeatures> xdp_features_ = XdpFeatures{true, true, false, true};
  std::vector<KernelFeature> kernel_features_ = {
      {"BPF ring buffer", "5.8", "driver ebpf cannot work", true},
      {"tcx", "6.6", "a filter stays after a kill", true},
      {"BTF", "5.2", "bpftool shows less", true, false}};
  std::vector<SwitchedOff> left_off_;
};

TEST_F(Machine, is_healthy_when_nothing_is_missing) {
  for (const Finding& one : findings()) {
    EXPECT_EQ(one.health, Health::kGood) << one.check << ": " << one.text;
    EXPECT_EQ(one.cure, "") << one.check;
  }
  EXPECT_EQ(findings().size(), 6u);
}

TEST_F(Machine, without_capabilities_cannot_meter) {
  set_capabilities("0000000000000000");
  EXPECT_EQ(finding("permission").health, Health::kMissing);
  EXPECT_THAT(finding("permission").text, HasSubstr("driver pcap lacks CAP_NET_RAW;"));
  EXPECT_THAT(finding("permission").cure, HasSubstr("setcap cap_net_raw"));
  set_capabilities("0000000000002000");
  EXPECT_EQ(finding("permission").health, Health::kWarning);  // pcap can
}

TEST_F(Machine, names_the_capabilities_that_each_driver_lacks) {
  set_capabilities("0000000000007000");  // network and locking only
  EXPECT_EQ(finding("permission").text,
            "driver ebpf lacks CAP_BPF, CAP_PERFMON; driver af_xdp lacks CAP_BPF");
  EXPECT_THAT(finding("permission").cure, HasSubstr("cap_bpf,cap_perfmon"));
  set_capabilities("0000008000007000");  // and CAP_BPF
  EXPECT_EQ(finding("permission").text, "driver ebpf lacks CAP_PERFMON");
  set_capabilities("000000c000003000");  // all but locking
  EXPECT_EQ(finding("permission").text,
            "driver af_xdp lacks CAP_IPC_LOCK; driver dpdk lacks CAP_IPC_LOCK");
  set_capabilities("0000000000207000");  // CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON
  EXPECT_EQ(finding("permission").health, Health::kGood);
}

TEST_F(Machine, names_each_feature_that_the_kernel_lacks_and_its_version) {
  EXPECT_EQ(finding("kernel features").text, "eBPF compiler, BPF ring buffer, tcx, BTF");
  kernel_features_[1].there = false;
  EXPECT_EQ(finding("kernel features").health, Health::kWarning);
  EXPECT_EQ(finding("kernel features").text, "no tcx (Linux 6.6): a filter stays after a kill");
  EXPECT_THAT(finding("kernel features").cure, HasSubstr("boot Linux 6.6 or later"));
}

TEST_F(Machine, does_not_warn_of_a_feature_that_nothing_hangs_on) {
  kernel_features_[2].there = false;
  EXPECT_EQ(finding("kernel features").health, Health::kGood);
}

TEST_F(Machine, says_which_features_may_not_be_asked_for) {
  kernel_features_[0].there.reset();
  EXPECT_EQ(finding("kernel features").text, "may not be asked for: BPF ring buffer");
  EXPECT_EQ(finding("kernel features").cure, "`sudo wiretally doctor`");
}

TEST_F(Machine, without_the_compiler_is_warned) {
  write("/proc/sys/net/core/bpf_jit_enable", "0");
  EXPECT_THAT(finding("kernel features").cure, HasSubstr("bpf_jit_enable=1"));
}

TEST_F(Machine, tells_how_its_interfaces_run_xdp) {
  EXPECT_THAT(finding("eth1").text, HasSubstr("2 receive queues, native XDP, no offload"));
  xdp_features_->zero_copy = true;
  EXPECT_THAT(finding("eth1").text, HasSubstr("native XDP with zero-copy"));
  xdp_features_->native = false;
  EXPECT_EQ(finding("eth1").health, Health::kWarning);
  EXPECT_THAT(finding("eth1").text, HasSubstr("no XDP of its own"));
  xdp_features_.reset();  // before Linux 6.3
  EXPECT_THAT(finding("eth1").text, HasSubstr("2 receive queues, no offload"));
}

TEST_F(Machine, says_what_a_killed_meter_left_off) {
  left_off_ = {{"eth1", 2, "gro"}, {"eth1", 2, "tso"}, {"eth1", 9, "lro"}, {"eth7", 2, "gso"}};
  EXPECT_THAT(finding("eth1").text, HasSubstr("gro, tso off since a meter"));
  EXPECT_THAT(finding("eth1").cure, HasSubstr("ethtool -K eth1 gro on tso on"));
  offloads_ = {"gro", "tso"};  // somebody has switched them on again
  for (const Finding& one : findings()) EXPECT_THAT(one.text, testing::Not(HasSubstr("killed")));
}

TEST_F(Machine, names_an_xdp_program_that_is_in_the_way) {
  xdp_program_ = "somebodys_filter, id 42";
  EXPECT_EQ(finding("eth1").health, Health::kWarning);
  EXPECT_THAT(finding("eth1").text, HasSubstr("somebodys_filter, id 42"));
  EXPECT_THAT(finding("eth1").cure, HasSubstr("ip link set dev eth1 xdp off"));
}

TEST_F(Machine, without_aes_cannot_meter) {
  write("/proc/cpuinfo", "flags\t\t: fpu sse4_2 popcnt aesthetics");
  EXPECT_EQ(finding("cpu").health, Health::kMissing);
  EXPECT_THAT(finding("cpu").text, HasSubstr("lacks aes"));
}

TEST_F(Machine, with_one_core_is_warned) {
  write("/sys/devices/system/cpu/online", "0");
  EXPECT_EQ(finding("cpu").health, Health::kWarning);
}

TEST_F(Machine, counts_cores_in_ranges) {
  EXPECT_EQ(facts().cores(), 5u);
}

TEST_F(Machine, without_huge_pages_is_told_how_to_get_them) {
  set_huge_pages(0, 0);
  EXPECT_EQ(finding("huge pages").health, Health::kWarning);
  EXPECT_THAT(finding("huge pages").cure, HasSubstr("nr_hugepages"));
  EXPECT_THAT(finding("huge pages").cure, HasSubstr("no_huge: true"));
  set_huge_pages(600, 20);  // taken by others
  EXPECT_EQ(finding("huge pages").health, Health::kWarning);
  EXPECT_THAT(finding("huge pages").text, HasSubstr("20 of 600"));
}

TEST_F(Machine, with_an_old_kernel_is_warned) {
  write("/proc/sys/kernel/osrelease", "5.10.0");
  EXPECT_EQ(finding("kernel").health, Health::kWarning);
  write("/proc/sys/kernel/osrelease", "5.15.0");
  EXPECT_EQ(finding("kernel").health, Health::kGood);
}

TEST_F(Machine, names_the_command_for_each_offload_that_changes_packets) {
  offloads_ = {"gro", "tso", "gso"};
  std::vector<std::string> cures;
  for (const Finding& one : findings()) {
    if (one.check == "eth1") cures.push_back(one.cure);
  }
  const std::string managed = ", or capture.manage_offloads: true";
  EXPECT_THAT(cures, testing::ElementsAre("`sudo ethtool -K eth1 gro off`" + managed,
                                          "`sudo ethtool -K eth1 tso off gso off`" + managed));
}

TEST_F(Machine, tells_a_link_that_is_down_from_one_without_carrier) {
  add_interface("eth2", 3, "0x1002", "0");
  EXPECT_THAT(finding("eth2").text, HasSubstr("is down"));
  EXPECT_THAT(finding("eth2").cure, HasSubstr("ip link set dev eth2 up"));
  add_interface("eth2", 3, "0x1003", "0");
  EXPECT_THAT(finding("eth2").text, HasSubstr("no carrier"));
}

TEST_F(Machine, looks_only_at_the_interfaces_that_were_named) {
  add_interface("eth2", 3, "0x1002", "0");
  EXPECT_EQ(finding("eth2", {"eth1"}).check, "(none)");
  EXPECT_EQ(finding("nosuch0", {"nosuch0"}).health, Health::kMissing);
  EXPECT_THAT(finding("nosuch0", {"nosuch0"}).cure, HasSubstr("wiretally devices"));
}

TEST_F(Machine, with_loopback_only_has_nothing_to_meter) {
  fs::remove_all(root_ + "/sys/class/net/eth1");
  add_interface("lo", 1, "0x9", "1");
  EXPECT_EQ(finding("interfaces").health, Health::kMissing);
}

TEST_F(Machine, lists_its_interfaces_by_ifindex) {
  add_interface("aaa0", 9, "0x1003", "1");
  write("/sys/class/net/bonding_masters", "");  // a file among directories
  const std::vector<NetworkInterface> found = facts().interfaces();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "eth1");
  EXPECT_EQ(found[1].name, "aaa0");
  EXPECT_EQ(found[0].ifindex, 2u);
  EXPECT_TRUE(found[0].up);
  EXPECT_TRUE(found[0].carrier);
  EXPECT_EQ(found[0].speed_mbit, 10000);
  EXPECT_EQ(found[0].mtu, 1500u);
  EXPECT_EQ(found[0].rx_queues, 2u);
  EXPECT_EQ(found[0].tx_queues, 1u);
}

TEST_F(Machine, tells_cards_without_a_kernel_interface) {
  const std::string at = "/sys/bus/pci/devices/0000:3b:00.0";
  write(at + "/class", "0x020000");
  write(at + "/vendor", "0x8086");
  write(at + "/device", "0x1572");
  fs::create_directory_symlink("/sys/bus/pci/drivers/vfio-pci", root_ + at + "/driver");
  write("/sys/bus/pci/devices/0000:00:01.0/class", "0x030000");  // a graphics card
  const std::vector<PciNetworkDevice> found = facts().pci_devices();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].address, "0000:3b:00.0");
  EXPECT_EQ(found[0].id, "8086:1572");
  EXPECT_EQ(found[0].driver, "vfio-pci");
}

}  // namespace
}  // namespace wiretally
