// SPDX-License-Identifier: Apache-2.0
// The parser alone over a recording, as flow records in CSV: source, parse(), one map. No count
// table, no tick, no timeout stands between, so a difference from the truth is the parser's. Usage:
// parse_to_csv [--inner] [--each] [--reference] FILE. --reference: the tests' reference parser in
// place of the product's, to hold it against the corpus as well.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <arpa/inet.h>

#include "config/startup_error.hpp"
#include "dataplane/packet/parse.hpp"
#include "dataplane/source/pcap_file_source.hpp"
#include "tests/support/reference_compare.hpp"

namespace wiretally {
namespace {

struct KeyHash {
  std::size_t operator()(const FlowKey& key) const {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&key), sizeof key});
  }
};

struct Counts {
  TimeNs first = 0;
  TimeNs last = 0;
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  std::uint64_t wire_octets = 0;
  unsigned tcp_flags = 0;
  unsigned tos = 0;

  void add(const ParsedPacket& packet, TimeNs time) {
    if (packets == 0) {
      first = last = time;
      tos = packet.tos;
    }
    first = std::min(first, time);
    last = std::max(last, time);
    ++packets;
    octets += packet.octets;
    wire_octets += packet.wire_octets;
    tcp_flags |= packet.tcp_flags;
  }
};

using Flows = std::unordered_map<FlowKey, Counts, KeyHash>;

std::string address(const FlowKey& key, const std::array<std::uint8_t, 16>& octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (key.ip_version() == IpVersion::kNone) return {};
  const bool v4 = key.ip_version() == IpVersion::kV4;
  inet_ntop(v4 ? AF_INET : AF_INET6, octets.data() + (v4 ? 12 : 0), text.data(), text.size());
  return text.data();
}

unsigned ethertype(const FlowKey& key) {
  switch (key.ip_version()) {
    case IpVersion::kV4:
      return 0x0800;
    case IpVersion::kV6:
      return 0x86dd;
    default:
      return key.destination_port;
  }
}

void print_time(TimeNs time) {
  const bool negative = time < 0;
  const auto magnitude = negative ? -time : time;
  std::printf("%s%lld.%09lld,", negative ? "-" : "",
              static_cast<long long>(magnitude / kNsPerSecond),
              static_cast<long long>(magnitude % kNsPerSecond));
}

void print_record(const FlowKey& key, const Counts& counts) {
  const bool ip = key.ip_version() != IpVersion::kNone;
  print_time(counts.first);
  print_time(counts.last);
  std::printf("%s,%s,%u,%u,%u,", address(key, key.source).c_str(),
              address(key, key.destination).c_str(), unsigned{key.protocol},
              unsigned{key.source_port}, ip ? unsigned{key.destination_port} : 0);
  std::printf("%llu,%llu,%llu,%u,%u,%u,0x%04x,0,4\n",
              static_cast<unsigned long long>(counts.packets),
              static_cast<unsigned long long>(counts.octets),
              static_cast<unsigned long long>(counts.wire_octets), counts.tcp_flags, counts.tos,
              unsigned{key.vlan()}, ethertype(key));
}

void print(const Flows& flows) {
  std::vector<const Flows::value_type*> sorted;
  for (const auto& flow : flows) sorted.push_back(&flow);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    if (a->second.first != b->second.first) return a->second.first < b->second.first;
    return std::memcmp(&a->first, &b->first, sizeof(FlowKey)) < 0;
  });
  std::puts(
      "first,last,src,dst,proto,sport,dport,packets,octets,l2_octets,tcp_flags,tos,vlan,ethertype,"
      "ingress,end_reason");
  for (const auto* flow : sorted) print_record(flow->first, flow->second);
}

struct Request {
  ParseOptions options;
  std::string path;
  bool each = false;
  bool reference = false;
};

ParseError read_packet(const PacketView& view, const Request& request, ParsedPacket& packet) {
  if (!request.reference) return parse(view, request.options, packet);
  const bool in_flow =
      reference::to_parsed(reference::read(view), request.options.tunnel, view, packet);
  return in_flow ? ParseError::kNone : ParseError::kTruncatedIp;
}

std::string name(ParseError error) {
  return std::string(label(error));
}

void print_each(const ParsedPacket& packet, ParseError outcome) {
  const FlowKey& key = packet.key;
  std::printf("%s,%s,%s,%u,%u,%u,%llu,%u\n", name(outcome).c_str(),
              is_metered(outcome) ? address(key, key.source).c_str() : "",
              is_metered(outcome) ? address(key, key.destination).c_str() : "",
              unsigned{key.protocol}, unsigned{key.source_port}, unsigned{key.destination_port},
              static_cast<unsigned long long>(packet.octets), unsigned{packet.tcp_flags});
}

int run(const Request& request) {
  PcapFileSource source({request.path}, PortIndex{0});
  std::array<PacketView, kBurstMax> views;
  std::array<std::uint64_t, kParseErrors> outcomes{};
  Flows flows;
  while (!source.exhausted()) {
    const std::size_t count = source.poll(views);
    for (std::size_t i = 0; i < count; ++i) {
      ParsedPacket packet;
      const ParseError outcome = read_packet(views[i], request, packet);
      ++outcomes[static_cast<std::size_t>(outcome)];
      if (request.each) print_each(packet, outcome);
      if (is_metered(outcome) && !request.each) flows[packet.key].add(packet, views[i].time);
    }
    source.release();
  }
  if (!request.each) print(flows);
  for (std::size_t i = 0; i < kParseErrors; ++i) {
    if (outcomes[i] == 0) continue;
    std::fprintf(stderr, "%-24s %llu\n", name(ParseError{static_cast<std::uint8_t>(i)}).c_str(),
                 static_cast<unsigned long long>(outcomes[i]));
  }
  return 0;
}

}  // namespace
}  // namespace wiretally

int main(int argc, char** argv) {
  wiretally::Request request;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--inner") {
      request.options.tunnel = wiretally::TunnelView::kInner;
    } else if (argument == "--each") {
      request.each = true;
    } else if (argument == "--reference") {
      request.reference = true;
    } else {
      request.path = argument;
    }
  }
  if (request.path.empty()) {
    std::fputs("usage: parse_to_csv [--inner] [--each] [--reference] FILE\n", stderr);
    return 2;
  }
  try {
    return wiretally::run(request);
  } catch (const wiretally::StartupError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
