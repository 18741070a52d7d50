// SPDX-License-Identifier: Apache-2.0
// Dumps to files: whole or not at all, and trouble that passes.
#include "control/dump/dump_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace wiretally {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class DumpFiles : public testing::Test {
 protected:
  DumpFiles() {
    std::string name = testing::TempDir() + "dumps_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~DumpFiles() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Dump dump(const std::string& file, std::uint64_t octets = 7) const {
    Dump made;
    made.monitor = "m";
    made.interfaces = "eth0";
    made.end = 1'700'006'400;
    made.rows = {{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1}, false}, {octets, 0, 1, 0}}};
    made.config.file = folder_ + "/" + file;
    made.config.timezone = "UTC";
    made.config.format = DumpFormat::kCsv;
    return made;
  }
  DumpWriter::Log log() {
    return [this](const std::string& line) { lines_.push_back(line); };
  }

  std::string folder_;
  std::vector<std::string> lines_;
};

TEST_F(DumpFiles, come_with_the_folders_they_need_and_nothing_beside_them) {
  DumpWriter writer(log());
  writer.add(dump("2023/%d/a"));
  writer.finish();
  EXPECT_THAT(content(folder_ + "/2023/15/a"), HasSubstr("192.0.2.1,7,0,7,1,0\n"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/2023/15/a.new"));
  EXPECT_EQ(writer.status().written, 1u);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(DumpFiles, replace_or_append) {
  DumpWriter writer(log());
  Dump more = dump("appended", 1);
  more.config.append = true;
  writer.add(more);
  more.rows[0].count.in_octets = 2;
  writer.add(more);
  writer.add(dump("replaced", 1));
  writer.add(dump("replaced", 2));
  writer.wait_idle();
  EXPECT_EQ(content(folder_ + "/appended"),
            "end,host,in_octets,out_octets,total_octets,in_packets,out_packets\n"
            "2023-11-15T00:00:00+00:00,192.0.2.1,1,0,1,1,0\n"
            "2023-11-15T00:00:00+00:00,192.0.2.1,2,0,2,1,0\n");
  EXPECT_THAT(content(folder_ + "/replaced"), HasSubstr("192.0.2.1,2,0,2"));
  EXPECT_THAT(content(folder_ + "/replaced"), testing::Not(HasSubstr("192.0.2.1,1,0,1")));
}

TEST_F(DumpFiles, wait_while_they_cannot_be_written_and_say_so_once) {
  const std::string in_the_way = folder_ + "/in_the_way";
  std::ofstream(in_the_way) << "a file, not a folder";
  DumpWriter writer(log());
  writer.add(dump("in_the_way/a"));
  writer.wait_idle();
  EXPECT_EQ(writer.status().written, 0u);
  EXPECT_EQ(writer.status().failures, 1u);
  EXPECT_EQ(writer.status().waiting, 1u);
  EXPECT_THAT(writer.status().trouble, HasSubstr("in_the_way"));
  ASSERT_THAT(lines_, SizeIs(1));
  EXPECT_THAT(lines_[0], HasSubstr("it waits and is tried again"));

  std::filesystem::remove(in_the_way);
  writer.finish();
  EXPECT_THAT(content(folder_ + "/in_the_way/a"), HasSubstr("192.0.2.1,7,0,7"));
  EXPECT_EQ(writer.status().written, 1u);
  EXPECT_EQ(writer.status().lost, 0u);
  EXPECT_THAT(writer.status().trouble, IsEmpty());
  EXPECT_THAT(lines_.back(), HasSubstr("written"));
}

TEST_F(DumpFiles, are_counted_as_lost_when_the_end_comes_first) {
  std::ofstream(folder_ + "/in_the_way") << "a file";
  DumpWriter writer(log());
  writer.add(dump("in_the_way/a"));
  writer.add(dump("in_the_way/b"));
  writer.add(dump("good"));
  writer.finish();
  EXPECT_EQ(writer.status().lost, 2u);
  EXPECT_EQ(writer.status().written, 1u);
}

TEST_F(DumpFiles, that_wait_are_bounded) {
  std::ofstream(folder_ + "/in_the_way") << "a file";
  DumpWriter writer(log());
  for (int i = 0; i < 400; ++i) writer.add(dump("in_the_way/a"));
  EXPECT_LE(writer.status().waiting, 257u);
  EXPECT_GE(writer.status().lost, 143u);
}

TEST_F(DumpFiles, are_whole_or_as_they_were_on_a_full_disk) {
  EXPECT_THAT(put_into_file("/dev/full", "text", true), HasSubstr("make room"));
  const std::string path = folder_ + "/kept";
  ASSERT_EQ(put_into_file(path, "before\n", false), "");
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small{20, limit.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string appended = put_into_file(path, std::string(100, 'x'), true);
  const std::string replaced = put_into_file(path, std::string(100, 'x'), false);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::signal(SIGXFSZ, handler);
  EXPECT_NE(appended, "");
  EXPECT_NE(replaced, "");
  EXPECT_EQ(content(path), "before\n");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(DumpFiles, have_names_that_dns_tells) {
  DumpWriter writer(log(),
                    [](const HostAddress&) { return std::optional<std::string>("a.example"); });
  Dump named = dump("named");
  named.config.resolve = true;
  writer.add(named);
  writer.finish();
  EXPECT_THAT(content(folder_ + "/named"), HasSubstr(",a.example,7,"));
}

}  // namespace
}  // namespace wiretally
