// SPDX-License-Identifier: Apache-2.0
// What each encapsulation costs the parser: nanoseconds a packet by the outer key, by the inner
// key, and by the outer key with attributes, all arms side by side. Each arm has 4096 packets of
// its kind, the last one of all kinds by chance, as they would lie in a receive ring. Thread: one,
// pinned.
#include <fmt/core.h>

#include <array>
#include <cstring>
#include <functional>
#include <random>
#include <span>
#include <stdexcept>
#include <vector>

#include "dataplane/packet/parse.hpp"
#include "perf/lab/bench_main.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally::perf {
namespace {

constexpr std::size_t kPackets = 4096;
constexpr std::size_t kStride = 256;  // octets of the arena a packet

enum class View : std::uint8_t { kOuter, kInner, kAttributes };

struct Kind {
  const char* name;
  std::function<PacketBuilder()> headers;  // in front of an inner IPv4 and TCP header
  bool tunnel = false;
};

PacketBuilder ethernet(unsigned type) {
  return PacketBuilder().ethernet(type);
}
PacketBuilder over_udp(unsigned port) {
  return ethernet(0x0800).ipv4(17).udp(40000, port);
}

std::vector<Kind> kinds() {
  return {
      {"IPv4 TCP, plain", [] { return ethernet(0x0800); }},
      {"one tag", [] { return ethernet(0x8100).tag(7, 0x0800); }},
      {"QinQ", [] { return ethernet(0x88a8).tag(7, 0x8100).tag(8, 0x0800); }},
      {"MPLS, 2 labels", [] { return ethernet(0x8847).mpls(100, false).mpls(200, true); }},
      {"QinQ and MPLS",
       [] {
         return ethernet(0x88a8).tag(7, 0x8100).tag(8, 0x8847).mpls(100, false).mpls(200, true);
       }},
      {"PPPoE", [] { return ethernet(0x8864).pppoe(0x0021); }},
      {"IPv4 in IPv6, 3 extension headers",
       [] { return ethernet(0x86dd).ipv6(0).extension(43).extension(60).extension(4); }, true},
      {"IP in IP", [] { return ethernet(0x0800).ipv4(4); }, true},
      {"GRE with a key", [] { return ethernet(0x0800).ipv4(47).gre(0x2000, 0x0800).be32(7); },
       true},
      {"VXLAN", [] { return over_udp(4789).vxlan().ethernet(0x0800); }, true},
      {"GENEVE", [] { return over_udp(6081).geneve(0x6558).ethernet(0x0800); }, true},
      {"GTP-U", [] { return over_udp(2152).gtp(); }, true},
      {"VXLAN in GRE",
       [] {
         return ethernet(0x0800)
             .ipv4(47)
             .gre(0, 0x0800)
             .ipv4(17)
             .udp(40000, 4789)
             .vxlan()
             .ethernet(0x0800);
       },
       true},
  };
}

class ParseArm : public Arm {
 public:
  // Packets of these kinds, in an order that nothing can foresee.
  ParseArm(const char* name, std::span<const Kind> kinds, View view)
      : Arm(name), view_(view), arena_(kPackets * kStride) {
    std::mt19937 random(1);
    for (std::size_t i = 0; i < kPackets; ++i) {
      const Kind& kind = kinds[random() % kinds.size()];
      const std::vector<std::uint8_t> packet =
          kind.headers().inner_ipv4(6).tcp(random() & 0xffff, 443).payload(20).build();
      if (packet.size() > kStride) throw std::logic_error("the packet is longer than its place");
      std::memcpy(&arena_[i * kStride], packet.data(), packet.size());
      octets_[i] = static_cast<std::uint32_t>(packet.size());
    }
  }

  void prepare() override {}
  std::uint64_t run() override {
    const ParseOptions options{view_ == View::kInner ? TunnelView::kInner : TunnelView::kOuter};
    for (std::size_t i = 0; i < kPackets; ++i) {
      const PacketView view{&arena_[i * kStride], octets_[i], octets_[i]};
      ParsedPacket& out = packets_[i % packets_.size()];
      const ParseError result = view_ == View::kAttributes
                                    ? parse_with_attributes(view, options, out, attributes_)
                                    : parse(view, options, out);
      good_ += result == ParseError::kNone;
      ports_ += out.key.destination_port == 443;
    }
    parsed_ += kPackets;
    return kPackets;
  }
  void check() const override {
    const bool reads_tcp = view_ == View::kInner;
    if (good_ != parsed_ || (reads_tcp && ports_ != parsed_)) {
      throw std::logic_error(name() + ": not read as it was meant");
    }
  }

 private:
  View view_;
  std::vector<std::uint8_t> arena_;
  std::array<std::uint32_t, kPackets> octets_{};
  std::array<ParsedPacket, 64> packets_;
  FlowAttributes attributes_;
  std::uint64_t parsed_ = 0;
  std::uint64_t good_ = 0;
  std::uint64_t ports_ = 0;
};

std::string cell(const ArmResult& result) {
  const Estimate ns = result.ns_per_operation();
  if (ns.samples == 0) return fmt::format("{:>22}", "-");
  return fmt::format("{:6.1f} [{:5.1f} {:5.1f}]", ns.median, ns.low, ns.high);
}

void run(InterleaveOptions options) {
  pin_to_core(options.core);
  options.slice_ns = 20'000'000;
  Arms arms;
  constexpr std::array kViews = {View::kOuter, View::kInner, View::kAttributes};
  const std::vector<Kind> all = kinds();
  const auto add = [&](const char* name, std::span<const Kind> some) {
    for (const View view : kViews) arms.push_back(std::make_unique<ParseArm>(name, some, view));
  };
  for (const Kind& kind : all) add(kind.name, {&kind, 1});
  add("all of these, mixed", all);
  const std::vector<ArmResult> results = interleave(arms, options);
  fmt::print("ns a packet, parse only: {:>18} {:>22} {:>24}\n", "outer key", "inner key",
             "outer key, attributes");
  unsigned dropped = 0;
  for (std::size_t i = 0; i < results.size(); i += kViews.size()) {
    fmt::print("{:<34} {} {} {}\n", results[i].name, cell(results[i]), cell(results[i + 1]),
               cell(results[i + 2]));
    for (std::size_t j = 0; j < kViews.size(); ++j) dropped += results[i + j].dropped;
  }
  fmt::print("{} of {} slices dropped\n", dropped, results.size() * options.rounds);
}

}  // namespace
}  // namespace wiretally::perf

int main(int argc, char** argv) {
  return wiretally::perf::bench_main(argc, argv, wiretally::perf::run);
}
