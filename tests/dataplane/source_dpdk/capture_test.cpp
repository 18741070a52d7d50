// SPDX-License-Identifier: Apache-2.0
// The whole driver as control uses it, from the configuration to worker threads and back. One EAL a
// process, so this program has one test that starts it.
#include "dataplane/source/dpdk_capture.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <thread>

#include "config/startup_error.hpp"
#include "dataplane/source/dpdk_machine.hpp"
#include "dataplane/source/dpdk_source.hpp"
#include "recording_file.hpp"

// ThreadSanitizer does not see EAL's own lock around rte_thread_register: the library is not
// instrumented.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:librte_eal.so";
}

namespace wiretally {
namespace {

class Capture : public RecordingDirectory {};

std::vector<Recorded> packets_of(std::size_t count, std::size_t octets, std::int64_t first_us) {
  std::vector<Recorded> packets(count);
  for (std::size_t i = 0; i < count; ++i) {
    packets[i].time_us = first_us + static_cast<std::int64_t>(i);
    packets[i].octets.assign(octets, static_cast<std::uint8_t>(i));
  }
  return packets;
}

struct Seen {
  std::size_t packets = 0;
  std::uint64_t octets = 0;
  TimeNs first = 0;
  TimeNs last = 0;
  int core = -1;
};

// A worker's thread: everything until its recordings end, counted by port.
std::array<Seen, 2> work(const DpdkCapture& capture, std::size_t worker) {
  pin_current_thread(capture.core(worker));
  const DpdkThread known;
  const auto source = capture.make_source(worker);
  std::array<Seen, 2> seen{};
  std::array<PacketView, kBurstMax> views;
  while (!source->exhausted()) {
    const std::size_t polled = source->poll(views);
    for (std::size_t i = 0; i < polled; ++i) {
      Seen& port = seen[static_cast<std::size_t>(views[i].port)];
      if (port.packets++ == 0) port.first = views[i].time;
      port.last = views[i].time;
      port.octets += views[i].wire_octets;
      port.core = ::sched_getcpu();
    }
    source->release();
  }
  return seen;
}

TEST_F(Capture, replays_two_recordings_on_pinned_workers_in_their_own_time_and_ends) {
  CaptureConfig config;
  config.dpdk.no_huge = true;
  config.dpdk.memory = 128ull << 20;
  config.dpdk.workers = allowed_cores();
  if (config.dpdk.workers.size() > 2) config.dpdk.workers.resize(2);
  const std::size_t workers = config.dpdk.workers.size();
  config.dpdk.ports = {
      {"net_pcap0,rx_pcap=" + write("a.pcap", packets_of(5000, 100, 1'000'000)), "left", 7, 1},
      {"net_pcap1,rx_pcap=" + write("b.pcap", packets_of(300, 1000, 2'000'000)), "", 0, 1}};

  DpdkCapture capture(config);
  ASSERT_EQ(capture.workers(), workers);
  EXPECT_EQ(capture.time_base(), TimeBase::kPackets);
  EXPECT_TRUE(capture.remarks().empty());
  EXPECT_EQ(capture.ports()[0]->name(), "left");
  EXPECT_EQ(capture.ports()[0]->ifindex(), 7u);
  EXPECT_EQ(capture.ports()[1]->name(), "port1");
  capture.start();
  std::vector<std::array<Seen, 2>> results(workers);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers; ++i) {
    threads.emplace_back([&, i] { results[i] = work(capture, i); });
  }
  for (std::thread& thread : threads) thread.join();
  capture.stop();

  const Seen& left = results[0][0];
  EXPECT_EQ(left.packets, 5000u);
  EXPECT_EQ(left.octets, 500'000u);
  EXPECT_EQ(left.first, 1'000'000'000);
  EXPECT_EQ(left.last, 1'004'999'000);
  EXPECT_EQ(left.core, static_cast<int>(config.dpdk.workers[0]));
  const Seen& right = results[workers - 1][1];
  EXPECT_EQ(right.packets, 300u);
  EXPECT_EQ(right.octets, 300'000u);
  EXPECT_EQ(right.first, 2'000'000'000);
  EXPECT_EQ(right.core, static_cast<int>(config.dpdk.workers[workers - 1]));
  for (const auto& port : capture.ports()) {
    for (const MissedCount& count : port->missed()) EXPECT_EQ(count.packets, 0u) << count.reason;
  }
}

}  // namespace
}  // namespace wiretally
