// SPDX-License-Identifier: Apache-2.0
// What driver ebpf costs: a frame through the kernel program (BPF_PROG_TEST_RUN, so no driver and
// no stack in it), beside an empty program; and an entry through the drain. Root. Thread: one.
#include <bpf/bpf.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/descriptor.hpp"
#include "ebpf/map_source.hpp"
#include "ebpf/xdp_loader.hpp"
#include "perf/lab/interleave.hpp"
#include "perf/lab/machine.hpp"

namespace wiretally {

std::span<const std::byte> xdp_bench_object();

namespace perf {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::uint32_t kRepeat = 100'000;
constexpr std::uint32_t kXdpPass = 2;

Octets ipv4_udp() {
  Octets packet = {0x45, 0, 0,   46, 0,   0, 0,    0, 64, 17, 0, 0,  192, 0,
                   2,    1, 198, 51, 100, 1, 0x30, 0, 0,  53, 0, 26, 0,   0};
  packet.resize(46);
  return packet;
}

Octets ipv6_tcp() {
  Octets packet = {0x60, 0, 0, 0, 0, 20, 6, 64};
  packet.resize(60, 0x20);
  packet[52] = 0x50;
  packet[53] = 0x10;
  return packet;
}

// `between`: what stands between the addresses and the packet, types included.
Octets frame(const Octets& between, const Octets& packet) {
  constexpr std::array<std::uint8_t, 12> kAddresses = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
  Octets octets;
  octets.reserve(128);
  octets.insert(octets.end(), kAddresses.begin(), kAddresses.end());
  octets.insert(octets.end(), between.begin(), between.end());
  octets.insert(octets.end(), packet.begin(), packet.end());
  if (octets.size() < 60) octets.resize(60);
  return octets;
}

class Program {
 public:
  Program(const std::string& name, std::uint32_t map_entries)
      : loader_(options(name, map_entries)), maps_(loader_) {}

  void run(const Octets& frame, std::uint32_t repeat) {
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data(),
                .data_size_in = static_cast<__u32>(frame.size()),
                .repeat = static_cast<int>(repeat));
    const int error = bpf_prog_test_run_opts(loader_.program(), &opts);
    if (error != 0 || opts.retval != kXdpPass) {
      throw std::runtime_error(fmt::format("BPF_PROG_TEST_RUN: {} ({})", error, opts.retval));
    }
  }
  // A map of the program's.
  [[nodiscard]] Descriptor map_named(const std::string& name) const {
    std::array<__u32, 32> ids{};
    bpf_prog_info info{};
    info.nr_map_ids = ids.size();
    info.map_ids = reinterpret_cast<__u64>(ids.data());
    __u32 length = sizeof info;
    if (bpf_obj_get_info_by_fd(loader_.program(), &info, &length) != 0) info.nr_map_ids = 0;
    for (std::size_t i = 0; i < info.nr_map_ids && i < ids.size(); ++i) {
      Descriptor map(bpf_map_get_fd_by_id(ids[i]));
      bpf_map_info about{};
      length = sizeof about;
      if (bpf_obj_get_info_by_fd(map.get(), &about, &length) == 0 && about.name == name) return map;
    }
    throw std::runtime_error("the program has no map " + name);
  }
  // Entries drained; every frame must have been counted in the tables.
  std::uint64_t drain() {
    std::uint64_t entries = 0;
    std::uint64_t packets = 0;
    const DirectionTotals both = maps_.drain(
        [&](std::span<const kernel_flow> flows) {
          entries += flows.size();
          for (const kernel_flow& flow : flows) packets += flow.count.packets;
        },
        [](const KernelRow&) {});
    const kernel_totals sums = both[WT_RECEIVED] + both[WT_SENT];
    if (packets != sums.received.packets)
      throw std::runtime_error(fmt::format("{} of {} frames counted, {} handed up, {} coarse",
                                           packets, sums.received.packets, sums.handed_up.packets,
                                           sums.coarse[1].packets));
    return entries;
  }

 private:
  static XdpLoaderOptions options(const std::string& name, std::uint32_t map_entries) {
    XdpLoaderOptions options;
    options.object = xdp_bench_object();
    options.program = name;
    options.map_entries = map_entries;
    return options;
  }
  XdpLoader loader_;
  MapSource maps_;
};

// The same frame again and again: its flow is there, and in the cache.
class HitArm final : public Arm {
 public:
  HitArm(const std::string& name, const std::string& program, Octets frame)
      : Arm(name), program_(program, 1024), frame_(std::move(frame)) {}
  void prepare() override {}
  std::uint64_t run() override {
    program_.run(frame_, kRepeat);
    return kRepeat;
  }

 private:
  Program program_;
  Octets frame_;
};

class NewFlowArm final : public Arm {
 public:
  explicit NewFlowArm(std::uint32_t flows)
      : Arm(fmt::format("new flow each, {} k in the table", flows / 1000)),
        program_("wt_new_flows", flows),
        flows_(flows) {}
  void prepare() override { program_.drain(); }
  std::uint64_t run() override {
    program_.run(frame_, flows_);
    return flows_;
  }

 private:
  Program program_;
  std::uint32_t flows_;
  Octets frame_ = frame({8, 0}, ipv4_udp());
};

// The kernel's own hash map, which the table of flows is held against: nothing but lookup and
// update, or the drain in batches.
class KernelMap {
 public:
  explicit KernelMap(std::uint32_t flows)
      : name_(fmt::format("kernel_{}k", flows / 1000)),
        program_("wt_" + name_, 64),
        map_(program_.map_named(name_)),
        flows_(flows) {}
  void fill() { program_.run(frame_, flows_); }
  std::uint64_t drain() {
    std::uint64_t entries = 0;
    std::uint32_t position = 0;
    for (bool first = true;; first = false) {
      auto count = static_cast<std::uint32_t>(keys_.size());
      const int result =
          bpf_map_lookup_and_delete_batch(map_.get(), first ? nullptr : &position, &position,
                                          keys_.data(), counts_.data(), &count, nullptr);
      if (result != 0 && errno != ENOENT) throw std::runtime_error("the kernel's map: no drain");
      entries += count;
      if (result != 0) return entries;
    }
  }
  [[nodiscard]] std::uint32_t flows() const { return flows_; }

 private:
  std::string name_;
  Program program_;
  Descriptor map_;
  std::uint32_t flows_;
  std::vector<kernel_flow_key> keys_ = std::vector<kernel_flow_key>(4096);
  std::vector<kernel_flow_count> counts_ = std::vector<kernel_flow_count>(4096);
  Octets frame_ = frame({8, 0}, ipv4_udp());
};

class KernelNewFlowArm final : public Arm {
 public:
  explicit KernelNewFlowArm(std::uint32_t flows)
      : Arm(fmt::format("beside it: lookup and update in a hash map of the kernel's, {} k",
                        flows / 1000)),
        map_(flows) {}
  void prepare() override { map_.drain(); }
  std::uint64_t run() override {
    map_.fill();
    return map_.flows();
  }

 private:
  KernelMap map_;
};

class KernelDrainArm final : public Arm {
 public:
  explicit KernelDrainArm(std::uint32_t flows)
      : Arm(fmt::format("beside it: that map in batches, {} k", flows / 1000)), map_(flows) {}
  void prepare() override {
    map_.drain();
    map_.fill();
  }
  std::uint64_t run() override { return map_.drain(); }

 private:
  KernelMap map_;
};

class DrainArm final : public Arm {
 public:
  explicit DrainArm(std::uint32_t flows)
      : Arm(fmt::format("drain, {} k entries", flows / 1000)),
        program_("wt_new_flows", flows),
        flows_(flows) {}
  void prepare() override {
    if (filled_) program_.drain();  // prepared before, and not run
    program_.run(frame_, flows_);
    filled_ = true;
  }
  std::uint64_t run() override {
    const std::uint64_t entries = program_.drain();
    filled_ = false;
    if (entries != flows_) throw std::runtime_error(fmt::format("{} entries drained", entries));
    return entries;
  }

 private:
  Program program_;
  std::uint32_t flows_;
  bool filled_ = false;
  Octets frame_ = frame({8, 0}, ipv4_udp());
};

Arms make_arms() {
  Arms arms;
  const auto hit = [&](const char* name, const Octets& octets) {
    arms.push_back(std::make_unique<HitArm>(name, "wt_flow_count", octets));
  };
  arms.push_back(std::make_unique<HitArm>("empty program", "wt_empty", frame({8, 0}, ipv4_udp())));
  hit("IPv4, UDP", frame({8, 0}, ipv4_udp()));
  hit("IPv6, TCP", frame({0x86, 0xdd}, ipv6_tcp()));
  hit("VLAN, IPv4, UDP", frame({0x81, 0, 0, 7, 8, 0}, ipv4_udp()));
  hit("QinQ, MPLS x 2, IPv4, UDP",
      frame({0x88, 0xa8, 0, 7, 0x81, 0, 0, 8, 0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64}, ipv4_udp()));
  for (const std::uint32_t flows : {10'000u, 200'000u}) {
    arms.push_back(std::make_unique<NewFlowArm>(flows));
    arms.push_back(std::make_unique<KernelNewFlowArm>(flows));
    arms.push_back(std::make_unique<DrainArm>(flows));
    arms.push_back(std::make_unique<KernelDrainArm>(flows));
  }
  return arms;
}

// Slices in turn; by this thread's CPU time, for the programs run on it and a drain waits for grace
// periods, which costs nobody anything. What the hypervisor takes is in it.
double slice(Arm& arm, const InterleaveOptions& options) {
  std::int64_t spent = 0;
  std::uint64_t operations = 0;
  for (const std::int64_t began = wall_ns(); wall_ns() - began < options.slice_ns;) {
    arm.prepare();
    const std::int64_t before = thread_cpu_ns();
    operations += arm.run();
    spent += thread_cpu_ns() - before;
  }
  return static_cast<double>(spent) / static_cast<double>(operations);
}

void measure(const Arms& arms, const InterleaveOptions& options) {
  std::vector<std::vector<double>> ns(arms.size());
  for (unsigned round = 0; round <= options.rounds; ++round) {
    for (std::size_t i = 0; i < arms.size(); ++i) {
      const double cost = slice(*arms[i], options);
      if (round != 0) ns[i].push_back(cost);  // the first one warms up
    }
  }
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const Estimate e = estimate(ns[i]);
    fmt::print("| {} | {:.0f} [{:.0f} {:.0f}] | {:.2f} M/s |\n", arms[i]->name(), e.median, e.low,
               e.high, 1000 / e.median);
  }
}

int main(int argc, char** argv) {
  InterleaveOptions options;
  options.rounds = 20;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--rounds" && i + 1 < argc) {
      options.rounds = static_cast<unsigned>(std::stoul(argv[++i]));
    } else if (word == "--core" && i + 1 < argc) {
      options.core = std::stoi(argv[++i]);
    } else if (word == "--realtime") {
      if (!run_undisturbed()) std::fprintf(stderr, "no real-time priority\n");
    } else {
      std::fprintf(stderr, "usage: xdp_bench [--rounds N] [--core N] [--realtime]\n");
      return 2;
    }
  }
  pin_to_core(options.core);
  fmt::print("{}\n{}\n\n| kernel program | ns [95 %] | rate |\n| --- | --: | --: |\n",
             describe_machine(), command_line(argc, argv));
  measure(make_arms(), options);
  return 0;
}

}  // namespace
}  // namespace perf
}  // namespace wiretally

int main(int argc, char** argv) {
  try {
    return wiretally::perf::main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "xdp_bench: %s\n", error.what());
    return 3;
  }
}
