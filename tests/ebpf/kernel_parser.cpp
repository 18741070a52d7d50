// SPDX-License-Identifier: Apache-2.0
#include "kernel_parser.hpp"

#include <bpf/bpf.h>
#include <sched.h>

#include <cstdlib>
#include <cstring>

namespace wiretally {
namespace {

void check(bool good, const char* what) {
  if (good) return;
  perror(what);
  std::abort();
}

void pin_to_cpu_0() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(0, &mask);
  check(sched_setaffinity(0, sizeof mask, &mask) == 0, "sched_setaffinity");
}

kernel_totals read_totals(const XdpLoader& loader) {
  std::vector<kernel_totals> by_cpu(loader.cpus());
  const std::uint32_t generation = 0;
  check(bpf_map_lookup_elem(loader.totals(), &generation, by_cpu.data()) == 0, "totals");
  return by_cpu[0];
}

}  // namespace

KernelParser::KernelParser(const XdpLoaderOptions& options)
    : loader_(options), ring_(loader_.ring(), options.ring_octets), map_(loader_.flow_map(0, 0)) {
  pin_to_cpu_0();
}

KernelVerdict KernelParser::parse(std::span<const std::uint8_t> frame) {
  constexpr std::uint32_t kXdpPass = 2;
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
              .data_size_in = static_cast<__u32>(frame.size()), .repeat = 1);
  check(bpf_prog_test_run_opts(loader_.program(), &run) == 0, "BPF_PROG_TEST_RUN");
  check(run.retval == kXdpPass, "the program did not let the frame pass");

  KernelVerdict verdict;
  KernelEntry entry{};
  if (bpf_map_get_next_key(map_, nullptr, &entry.key) == 0) {
    check(bpf_map_lookup_and_delete_elem(map_, &entry.key, &entry.count) == 0, "flow");
    verdict.counted = entry;
  }
  if (const auto record = ring_.next(); !record.empty()) {
    std::memcpy(&verdict.handed_up, record.data(), sizeof verdict.handed_up);
    const auto* octets = reinterpret_cast<const std::uint8_t*>(record.data());
    verdict.head.assign(octets + sizeof verdict.handed_up,
                        octets + sizeof verdict.handed_up + verdict.handed_up.captured);
    check(ring_.next().empty(), "one frame was handed up twice");
    ring_.release();
  }
  const kernel_totals now = read_totals(loader_);
  verdict.totals = now - before_;
  before_ = now;
  return verdict;
}

std::string KernelParser::why_not_here() {
  try {
    XdpLoaderOptions options;
    options.map_entries = 64;
    options.ring_octets = 1u << 18;
    const XdpLoader loader(options);
    return {};
  } catch (const XdpError& error) {
    return error.what();
  }
}

}  // namespace wiretally
