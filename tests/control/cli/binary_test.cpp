// SPDX-License-Identifier: Apache-2.0
// The binary as a script sees it: exit codes, and one sentence on standard error for every failure.
// The path of the binary comes from the build, in WIRETALLY_BINARY.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace wiretally {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ran {
  int code = -1;
  std::string output;  // both streams
};

Ran ran_shell(const std::string& line) {
  Ran result;
  std::FILE* pipe = ::popen(("(" + line + ") 2>&1").c_str(), "r");
  char part[4096];
  for (std::size_t n = 0; (n = std::fread(part, 1, sizeof(part), pipe)) > 0;) {
    result.output.append(part, n);
  }
  const int status = ::pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

Ran ran(const std::string& arguments) {
  const char* binary = std::getenv("WIRETALLY_BINARY");
  EXPECT_NE(binary, nullptr) << "run me with meson test";
  return ran_shell(std::string(binary) + " " + arguments);
}

class Binary : public testing::Test {
 protected:
  Binary() {
    std::string name = testing::TempDir() + "binary_XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~Binary() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::string directory_;
};

void expect_sentence(const Ran& result, int code, const std::string& part) {
  EXPECT_EQ(result.code, code) << result.output;
  EXPECT_THAT(result.output, HasSubstr(part));
  EXPECT_THAT(result.output, testing::StartsWith("wiretally: "));
  for (const char* trace : {"terminate called", "what()", "std::", "Traceback", "Assertion"}) {
    EXPECT_THAT(result.output, Not(HasSubstr(trace)));
  }
}

TEST_F(Binary, ends_with_2_for_bad_usage) {
  expect_sentence(ran(""), 2, "a command is missing");
  expect_sentence(ran("reda x.pcap"), 2, "did you mean `wiretally read`");
  expect_sentence(ran("monitor --json"), 2, "there is no command \"monitor\"");
  expect_sentence(ran("read"), 2, "--help");
  expect_sentence(ran("flows --sort size"), 2, "see `wiretally flows --help`");
}

TEST_F(Binary, ends_with_0_for_help_and_version) {
  EXPECT_EQ(ran("--help").code, 0);
  EXPECT_EQ(ran("read --help").code, 0);
  EXPECT_EQ(ran("--version").code, 0);
}

TEST_F(Binary, ends_with_1_when_nothing_runs) {
  for (const char* command : {"status", "ledger", "flows", "top", "stop"}) {
    expect_sentence(ran(std::string(command) + " --socket " + directory_ + "/none"), 1,
                    "no wiretally runs");
  }
}

TEST_F(Binary, ends_with_2_for_a_bad_configuration) {
  const std::string bad =
      file("bad.yaml", "capture: {interfaces: [{name: lo}]}\nflows: {tick: fast}\n");
  const Ran checked = ran("check " + bad);
  EXPECT_EQ(checked.code, 2);
  EXPECT_THAT(checked.output, testing::StartsWith(bad + ":2:15: flows.tick: "));
  expect_sentence(ran("run --config " + bad), 2, bad + ":2:15: flows.tick: ");
  expect_sentence(ran("status --config " + bad), 2, "flows.tick");
  expect_sentence(ran("run --config " + directory_ + "/none.yaml"), 2, "none.yaml");
}

TEST_F(Binary, imports_what_check_takes) {
  const std::string ipfm = file("ipfm.conf", "DEVICE eth0\nLOG FROM 192.0.2.0/24\nDISABLED\n");
  const std::string yaml = directory_ + "/out.yaml";
  const Ran imported = ran("import ipfm " + ipfm + " > " + yaml);
  EXPECT_EQ(imported.code, 0);
  EXPECT_THAT(imported.output, testing::StartsWith("wiretally: " + ipfm + ":3: DISABLED"));
  EXPECT_EQ(ran("check " + yaml).code, 0) << ran("check " + yaml).output;
  expect_sentence(ran("import ipfm " + directory_ + "/none"), 2, "none");
  expect_sentence(ran("import ipfm"), 2, "wants one FILE");
  const Ran refused = ran("import softflowd -- -i eth0 -n 192.0.2.1:99999 > " + yaml);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.output, HasSubstr("has no port from 1 to 65535"));
  expect_sentence(ran("import ipfm " + yaml), 2, "is it the right file?");
}

// `run` would refuse each: `check` says it, with its place, and touches nothing.
TEST_F(Binary, checks_the_places_that_run_would_refuse) {
  const std::string plain = file("plain", "not a socket\n");
  const std::string config =
      file("places.yaml", "capture: {driver: pcap, files: [" + directory_ +
                              "/none.pcap]}\n"
                              "control: {socket: " +
                              plain +
                              "}\n"
                              "metrics: {listen: \"no.such.host.invalid:1\"}\n"
                              "history: {path: " +
                              directory_ + "}\n");
  const Ran checked = ran("check " + config);
  EXPECT_EQ(checked.code, 2);
  EXPECT_THAT(checked.output,
              HasSubstr(":1:32: capture.files[0]: " + directory_ + "/none.pcap: no such file"));
  EXPECT_THAT(checked.output, HasSubstr(":2:19: control.socket: a file that is not a socket"));
  EXPECT_THAT(checked.output, HasSubstr(":3:19: metrics.listen: \"no.such.host.invalid\" has no"));
  EXPECT_THAT(checked.output, HasSubstr(":4:17: history.path: " + directory_ + " is a folder"));
  EXPECT_EQ(ran("run --config " + config).code, 2);
  EXPECT_TRUE(std::filesystem::is_regular_file(plain));
}

TEST_F(Binary, names_the_true_cause_of_a_wrong_path) {
  const std::string plain = file("plain", "not a socket\n");
  expect_sentence(ran("ledger --socket " + plain), 2, "is not a socket");
  expect_sentence(ran("ledger --socket " + directory_), 2, "is not a socket");
  expect_sentence(ran("report --database " + directory_ + "/none.db"), 3, "there is no such file");
  expect_sentence(ran("report --database " + directory_), 3, "it is a folder");
  expect_sentence(ran("import ipfm " + directory_), 2, "is a directory; a file is meant");
  EXPECT_EQ(ran("import ipfm " + file("device.conf", "DEVICE eth0\n")).code, 2)
      << "no host is logged";
  expect_sentence(ran("import softflowd -- -i eth0 -n host:nosuchservice"), 2,
                  "/etc/services has no `nosuchservice`");
}

TEST_F(Binary, refuses_options_that_exclude_each_other) {
  for (const char* both : {"--csv --json", "--csv --svg x", "--json --svg x", "--daily --total",
                           "--p95 --by group", "--p95 --svg x", "-n 3 --from 2026-01-01"}) {
    EXPECT_EQ(ran(std::string("report ") + both).code, 2) << both;
  }
  for (const char* none : {"read x --explain -n -1", "read x --explain --from 0",
                           "read x --explain -n 99999999999999999999", "report --groups 3",
                           "report --by group --groups -1", "flows -n -1"}) {
    const Ran refused = ran(none);
    EXPECT_EQ(refused.code, 2) << none;
    EXPECT_THAT(refused.output, HasSubstr("--help`")) << none;
  }
}

TEST_F(Binary, says_too_few_descriptors_by_their_name) {
  const std::string config =
      file("lo.yaml", "capture: {driver: pcap, interfaces: [{name: lo}]}\ncontrol: {socket: " +
                          directory_ + "/c.sock}\n");
  const char* binary = std::getenv("WIRETALLY_BINARY");
  for (const char* limit : {"10", "12", "40"}) {
    const Ran refused = ran_shell(std::string("ulimit -n ") + limit + "; exec " + binary +
                                  " run --config " + config);
    expect_sentence(refused, 3, std::string("its limit is ") + limit);
    EXPECT_THAT(refused.output, HasSubstr("too many open files"));
    EXPECT_THAT(refused.output, HasSubstr("ulimit -n 1024"));
  }
}

// What it would cost to find the bad one first: the others.
TEST_F(Binary, reads_the_captures_around_one_that_is_none) {
  std::string capture("\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0", 24);
  capture += std::string("\x01\0\0\0\0\0\0\0\x3c\0\0\0\x3c\0\0\0", 16) + std::string(60, '\0');
  const std::string good = file("good.pcap", capture);
  const std::string empty = file("empty.pcap", "");
  const Ran read = ran("read " + good + " " + empty + " " + good + " -o none");
  EXPECT_EQ(read.code, 2);
  EXPECT_THAT(read.output, HasSubstr(empty + ": is empty"));
  EXPECT_THAT(read.output, HasSubstr("2 packets, "));
  EXPECT_THAT(read.output, HasSubstr("The ledger balances"));
  const Ran explained = ran("read " + good + " " + empty + " " + good + " --explain");
  EXPECT_EQ(explained.code, 2);
  EXPECT_THAT(explained.output, HasSubstr("packet 2"));
  expect_sentence(ran("read " + good + " --explain --from 99"), 1, "the last one is packet 1");
  expect_sentence(ran("read " + good + " --explain --filter udp"), 1, "none of 1 packets fits");
}

TEST_F(Binary, ends_with_2_for_captures_that_cannot_be_read) {
  expect_sentence(ran("read " + directory_ + "/none.pcap"), 2, "none.pcap");
  expect_sentence(ran("read " + directory_), 2, directory_);
  expect_sentence(ran("read " + file("text.pcap", "this is no capture at all, but a text\n")), 2,
                  "text.pcap");
}

TEST_F(Binary, keeps_csv_on_standard_output_clean) {
  // A capture without packets: the 24 octets of a pcap header, Ethernet.
  const std::string header("\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0",
                           24);
  const Ran result = ran("read --output csv " + file("empty.pcap", header) + " 2>/dev/null");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.output,
            "first,last,src,dst,proto,sport,dport,packets,octets,l2_octets,tcp_flags,tos,vlan,"
            "ethertype,ingress,end_reason\n");
}

TEST_F(Binary, says_when_records_cannot_be_written) {
  const std::string header("\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0",
                           24);
  const std::string capture = file("empty.pcap", header);
  const Ran result = ran("read -q --output csv " + capture + " >/dev/full");
  expect_sentence(result, 3, "No space left on device");
}

TEST_F(Binary, lists_devices_and_health_as_json) {
  const Ran devices = ran("devices --json");
  EXPECT_EQ(devices.code, 0);
  EXPECT_THAT(devices.output, HasSubstr(R"("interfaces":[)"));
  const Ran doctor = ran("doctor --json");
  EXPECT_LE(doctor.code, 1);
  EXPECT_THAT(doctor.output, HasSubstr(R"("findings":[)"));
  expect_sentence({ran("doctor nosuch0").code, "wiretally: " + ran("doctor nosuch0").output}, 1,
                  "there is no such interface");
}

}  // namespace
}  // namespace wiretally
