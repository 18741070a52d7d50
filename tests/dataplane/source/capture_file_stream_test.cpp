// SPDX-License-Identifier: Apache-2.0
// Recordings that stream: pipes and gzip'd files give what the mapped file gives, cut anywhere.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <random>
#include <thread>

#include "config/startup_error.hpp"
#include "dataplane/source/capture_file.hpp"
#include "dataplane/source/capture_file_window.hpp"
#include "tests/dataplane/source/capture_bytes.hpp"

namespace wiretally::testing {
namespace {

// A named pipe, gone at the end of the scope.
class NamedPipe {
 public:
  NamedPipe() {
    ::unlink(file_.path().c_str());
    if (::mkfifo(file_.path().c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
  }
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  TemporaryFile file_;
};

// Writes the octets into the pipe in pieces of `piece` octets.
std::thread feed(const std::string& path, std::string octets, std::size_t piece) {
  return std::thread([=] {
    const int fd = ::open(path.c_str(), O_WRONLY);
    for (std::size_t at = 0; at < octets.size(); at += piece) {
      const std::size_t length = std::min(piece, octets.size() - at);
      std::size_t written = 0;
      while (written < length) {
        const ssize_t n = ::write(fd, octets.data() + at + written, length - written);
        if (n <= 0) break;
        written += static_cast<std::size_t>(n);
      }
    }
    ::close(fd);
  });
}

// Some megabytes of packets of all sizes, so that records lie across the window's edges.
std::string large_pcap(std::size_t octets_min) {
  std::mt19937 random(20);
  std::string octets = pcap_header(Order::kLittle, kNanoseconds);
  for (std::uint32_t i = 0; octets.size() < octets_min; ++i) {
    const std::size_t size = i % 50 == 0 ? random() % 65'536 : random() % 1'600;
    octets += pcap_record(Order::kLittle, i, i, std::string(size, static_cast<char>(i)), i);
  }
  return octets;
}

std::string large_pcapng(std::size_t octets_min) {
  std::string octets = section_header(Order::kBig) + interface_block(Order::kBig, 1, 0);
  for (std::uint32_t i = 0; octets.size() < octets_min; ++i)
    octets += enhanced_packet(Order::kBig, 0, i, std::string(i % 3000, static_cast<char>(i)), i);
  return octets;
}

TEST(StreamedFile, gives_what_the_mapped_file_gives) {
  for (const std::string& octets : {large_pcap(5u << 20), large_pcapng(5u << 20)}) {
    const TemporaryFile plain(octets);
    const Recording expected = read_file(plain.path());
    ASSERT_GT(expected.packets.size(), 1000u);
    ASSERT_EQ(expected.damage, "");

    const TemporaryFile packed(gzip(octets), ".gz");
    const Recording unpacked = read_file(packed.path());
    EXPECT_EQ(unpacked.packets, expected.packets);
    EXPECT_EQ(unpacked.damage, "");

    for (const std::size_t piece : {std::size_t{1000}, std::size_t{65'536}}) {
      const NamedPipe pipe;
      std::thread writer = feed(pipe.path(), octets, piece);
      const Recording piped = read_file(pipe.path());
      writer.join();
      EXPECT_EQ(piped.packets, expected.packets);
      EXPECT_EQ(piped.damage, "");
    }
  }
}

TEST(StreamedFile, unpacks_a_pipe_octet_by_octet) {
  const std::string octets = pcap_header(Order::kLittle, kMicroseconds) +
                             pcap_record(Order::kLittle, 1, 2, "abc", 3) +
                             pcap_record(Order::kLittle, 2, 2, "defg", 4);
  const NamedPipe pipe;
  std::thread writer = feed(pipe.path(), gzip(octets), 1);
  const Recording recording = read_file(pipe.path());
  writer.join();
  EXPECT_EQ(recording.packets.size(), 2u);
  EXPECT_EQ(recording.damage, "");
}

TEST(StreamedFile, a_silent_pipe_returns_to_the_caller_and_is_not_exhausted) {
  const NamedPipe pipe;
  const int writer = ::open(pipe.path().c_str(), O_RDWR);
  const auto write = [writer](const std::string& octets) {
    ASSERT_EQ(::write(writer, octets.data(), octets.size()), static_cast<ssize_t>(octets.size()));
  };
  write(pcap_header(Order::kLittle, kMicroseconds));
  CaptureFile capture(pipe.path(), PortIndex{});
  std::array<PacketView, kBurstMax> views;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(capture.poll(views), 0u);
  EXPECT_FALSE(capture.exhausted());
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));

  const std::string record = pcap_record(Order::kLittle, 1, 2, "abc", 3);
  write(record.substr(0, 17));
  EXPECT_EQ(capture.poll(views), 0u);
  write(record.substr(17));
  EXPECT_EQ(capture.poll(views), 1u);
  EXPECT_EQ(capture.progress().octets_total, 0u);
  EXPECT_EQ(capture.progress().octets_done, 24 + record.size());
  ::close(writer);
  EXPECT_EQ(capture.poll(views), 0u);
  EXPECT_TRUE(capture.exhausted());
  EXPECT_EQ(capture.damage(), "");
}

TEST(StreamedFile, steps_over_a_block_larger_than_its_buffer) {
  const Order order = Order::kLittle;
  const std::string head = section_header(order) + interface_block(order, 1, 0);
  const std::string huge = block(order, 0xbad, std::string(3 * StreamedWindow::kBufferOctets, 'h'));
  const std::string packet = enhanced_packet(order, 0, 1, "after", 5);
  const TemporaryFile packed(gzip(head + huge + packet), ".gz");
  EXPECT_EQ(read_file(packed.path()).packets.size(), 1u);
  EXPECT_EQ(read_file(packed.path()).damage, "");

  std::string wrong = huge;
  wrong.back() = '\x7f';
  for (const bool stream : {false, true}) {
    const std::string octets = head + wrong + packet;
    const TemporaryFile file(stream ? gzip(octets) : octets);
    const Recording recording = read_file(file.path());
    EXPECT_TRUE(recording.packets.empty());
    EXPECT_NE(recording.damage.find("ends with length"), std::string::npos) << recording.damage;
  }
  const TemporaryFile cut(gzip(head + huge.substr(0, huge.size() / 2)), ".gz");
  EXPECT_NE(read_file(cut.path()).damage.find("cut off inside a block"), std::string::npos);
}

TEST(StreamedFile, grows_its_buffer_for_a_packet_block_with_megabytes_of_options) {
  const Order order = Order::kLittle;
  std::string options;
  for (int i = 0; i < 40; ++i) options += option(order, 1, std::string(65'532, 'c'));
  ASSERT_GT(options.size(), 2 * StreamedWindow::kBufferOctets);
  const std::string octets =
      section_header(order) + interface_block(order, 1, 0) + enhanced_packet(order, 0, 1, "a", 1) +
      enhanced_packet(order, 0, 2, "b", 1, options) + enhanced_packet(order, 0, 3, "c", 1);
  const TemporaryFile packed(gzip(octets), ".gz");
  const Recording recording = read_file(packed.path());
  EXPECT_EQ(recording.packets.size(), 3u);
  EXPECT_EQ(recording.damage, "");
}

TEST(GzippedFile, cut_at_any_octet_is_damage_and_never_a_fault) {
  std::string octets = pcap_header(Order::kLittle, kMicroseconds);
  std::mt19937 random(7);
  for (std::uint32_t i = 0; i < 40; ++i) {
    std::string data(20, '\0');
    for (char& c : data) c = static_cast<char>(random());
    octets += pcap_record(Order::kLittle, i, i, data, 60);
  }
  const std::string packed = gzip(octets);
  const TemporaryFile file("", ".pcap.gz");
  std::size_t refused = 0, damaged = 0;
  for (std::size_t cut = 2; cut < packed.size(); ++cut) {
    file.write(packed.substr(0, cut));
    try {
      const Recording recording = read_file(file.path());
      EXPECT_NE(recording.damage.find("the gzip data end early"), std::string::npos) << cut;
      ++damaged;
    } catch (const StartupError& error) {
      EXPECT_NE(std::string(error.what()).find("the gzip data end early"), std::string::npos);
      ++refused;
    }
  }
  EXPECT_GT(refused, 10u);
  EXPECT_GT(damaged, packed.size() / 2);
  file.write(packed);
  EXPECT_EQ(read_file(file.path()).packets.size(), 40u);
  EXPECT_EQ(read_file(file.path()).damage, "");
}

TEST(GzippedFile, with_a_wrong_checksum_is_damage) {
  std::string packed = gzip(pcap_header(Order::kLittle, kMicroseconds) +
                            pcap_record(Order::kLittle, 1, 0, "abc", 3));
  packed[packed.size() - 8] ^= 1;
  const TemporaryFile file(packed, ".gz");
  EXPECT_EQ(read_file(file.path()).packets.size(), 1u);
  EXPECT_NE(read_file(file.path()).damage.find("the gzip data are damaged"), std::string::npos);
}

TEST(GzippedFile, may_have_several_members_and_something_after_them) {
  const std::string header = pcap_header(Order::kLittle, kMicroseconds);
  const std::string record = pcap_record(Order::kLittle, 1, 0, "abc", 3);
  const TemporaryFile file(
      gzip(header + record) + gzip(record) + gzip(record) + std::string(512, 0), ".gz");
  EXPECT_EQ(read_file(file.path()).packets.size(), 3u);
  EXPECT_EQ(read_file(file.path()).damage, "");
}

TEST(GzippedFile, reports_progress_in_octets_of_the_packed_file) {
  std::string octets = pcap_header(Order::kLittle, kMicroseconds);
  std::mt19937 random(3);
  while (octets.size() < 4 * StreamedWindow::kBufferOctets) {
    std::string data(1000, '\0');
    for (char& c : data) c = static_cast<char>(random());  // so that it stays large when packed
    octets += pcap_record(Order::kLittle, 1, 1, data, 1000);
  }
  const std::string packed = gzip(octets);
  const TemporaryFile file(packed, ".gz");
  CaptureFile capture(file.path(), PortIndex{});
  EXPECT_EQ(capture.progress().octets_total, packed.size());
  std::array<PacketView, kBurstMax> views;
  ASSERT_GT(capture.poll(views), 0u);
  EXPECT_LT(capture.progress().octets_done, packed.size());
  read_all(capture);
  EXPECT_EQ(capture.progress().octets_done, packed.size());
}

TEST(MappedFile, that_shrinks_while_it_is_read_ends_with_a_sentence) {
  const std::string octets = large_pcap(4 * MappedWindow::kChoreOctets);
  const TemporaryFile file(octets);
  CaptureFile capture(file.path(), PortIndex{});
  std::array<PacketView, kBurstMax> views;
  ASSERT_GT(capture.poll(views), 0u);
  ASSERT_EQ(::truncate(file.path().c_str(), 2 * MappedWindow::kChoreOctets), 0);
  EXPECT_GT(read_all(capture).size(), 1000u);
  EXPECT_NE(capture.damage().find("became shorter"), std::string::npos) << capture.damage();
}

// In a child, for standard input is the process's own.
int packets_of_standard_input(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(path.c_str(), O_RDONLY);
    ::dup2(fd, STDIN_FILENO);
    ::_exit(static_cast<int>(read_file("-").packets.size()));
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StandardInput, may_be_a_file_or_a_gzipped_file) {
  const std::string octets = pcap_header(Order::kLittle, kMicroseconds) +
                             pcap_record(Order::kLittle, 1, 0, "abc", 3) +
                             pcap_record(Order::kLittle, 2, 0, "abc", 3);
  EXPECT_EQ(packets_of_standard_input(TemporaryFile(octets).path()), 2);
  EXPECT_EQ(packets_of_standard_input(TemporaryFile(gzip(octets)).path()), 2);
}

}  // namespace
}  // namespace wiretally::testing
