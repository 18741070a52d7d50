// SPDX-License-Identifier: Apache-2.0
#include "kernel_parser.hpp"

#include <bpf/bpf.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace wiretally {
namespace {

constexpr std::size_t kIpv6FrameMin = 54;

void check(bool good, const char* what) {
  if (good) return;
  perror(what);
  std::abort();
}

kernel_totals read_totals(const XdpLoader& loader, bool sent) {
  std::vector<kernel_totals> by_cpu(loader.cpus());
  const std::uint32_t index = sent ? WT_SENT : WT_RECEIVED;  // of generation 0
  check(bpf_map_lookup_elem(loader.totals(), &index, by_cpu.data()) == 0, "totals");
  return by_cpu[0];
}

}  // namespace

void pin_to_cpu_0() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(0, &mask);
  check(sched_setaffinity(0, sizeof mask, &mask) == 0, "sched_setaffinity");
}

KernelParser::KernelParser(const XdpLoaderOptions& options, bool sent)
    : loader_(options), sent_(sent), ring_(loader_.ring(), options.ring_octets) {
  pin_to_cpu_0();
}

KernelVerdict KernelParser::parse(std::span<const std::uint8_t> frame) {
  constexpr std::uint32_t kXdpPass = 2;
  constexpr auto kTcActUnspec = static_cast<std::uint32_t>(-1);
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
              .data_size_in = static_cast<__u32>(frame.size()), .repeat = 1);
  const int program = sent_ ? loader_.sent_program() : loader_.program();
  const int result = bpf_prog_test_run_opts(program, &run);
  if (sent_ && result == -EINVAL && frame.size() < kIpv6FrameMin) {
    KernelVerdict refused;
    refused.refused = true;
    return refused;
  }
  check(result == 0, "BPF_PROG_TEST_RUN");
  check(run.retval == (sent_ ? kTcActUnspec : kXdpPass), "the program did not let the frame pass");
  return verdict();
}

KernelVerdict KernelParser::parse_uncut(std::span<const std::uint8_t> frame,
                                        std::uint32_t segment_size, std::uint32_t segments,
                                        std::uint32_t wire_octets) {
  __sk_buff context{};
  context.gso_size = segment_size;
  context.gso_segs = segments;
  context.wire_len = wire_octets;
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
              .data_size_in = static_cast<__u32>(frame.size()), .ctx_in = &context,
              .ctx_size_in = sizeof context, .repeat = 1);
  check(bpf_prog_test_run_opts(loader_.sent_program(), &run) == 0, "BPF_PROG_TEST_RUN");
  return verdict();
}

// What the frame has left behind.
KernelVerdict KernelParser::verdict() {
  KernelVerdict verdict;
  const std::uint32_t epoch = loader_.control().epoch;
  const auto flows = loader_.flow_table(0, 0)->flows(epoch);
  check(flows.size() <= 1, "one frame made more than one flow");
  if (!flows.empty()) verdict.counted = flows.front();
  loader_.control().epoch = epoch + WT_GENERATIONS;  // an empty table, and the same sums
  if (const auto record = ring_.next(); !record.empty()) {
    std::memcpy(&verdict.handed_up, record.data(), sizeof verdict.handed_up);
    const auto* octets = reinterpret_cast<const std::uint8_t*>(record.data());
    verdict.head.assign(octets + sizeof verdict.handed_up,
                        octets + sizeof verdict.handed_up + verdict.handed_up.captured);
    check(ring_.next().empty(), "one frame was handed up twice");
    ring_.release();
  }
  const kernel_totals now = read_totals(loader_, sent_);
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
