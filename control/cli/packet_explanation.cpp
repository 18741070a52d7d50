// SPDX-License-Identifier: Apache-2.0
// See packet_explanation.hpp. Thread: main.
#include "control/cli/packet_explanation.hpp"

#include <fmt/format.h>

#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include "control/cli/layer_text.hpp"
#include "control/sink/record_text.hpp"
#include "dataplane/packet/walk_observer.hpp"

namespace wiretally {
namespace {

// A line a header: offset, octets, name, fields.
class HeaderLines final : public WalkObserver {
 public:
  explicit HeaderLines(const PacketView& view) : start_(view.data) {}

  void on_header(Layer layer, const Cursor& before, const Walk& walk, Layer next) override {
    add(before.at(), walk.cursor.at(), name_of(layer.kind), fields_of(layer, before, walk));
    end_ = next;
  }
  void on_ip(const Walk& walk, const IpPacket& ip, ParseError error) override {
    if (error != ParseError::kNone) {
      add(walk.cursor.at(), walk.cursor.at(), "IP", fmt::format("not valid: {}", label(error)));
      return;
    }
    add(walk.cursor.at(), ip.payload.at(), ip_name(ip), ip_text(walk, ip));
    ip_lines_.push_back({lines_.size() - 1, ip});
    const std::string transport = transport_text(ip);
    if (!transport.empty())
      add(ip.payload.at(), ip.payload.at(), protocol_name(ip.protocol), transport);
    end_ = {};
  }

  // The IP header that the key is taken from.
  void mark_key(const FlowKey& key, TunnelView view) {
    std::size_t marked = lines_.size();
    for (const auto& [line, ip] : ip_lines_) {
      FlowKey addresses;
      fill_addresses(ip, addresses);
      const bool same = addresses.source == key.source && addresses.destination == key.destination;
      if (same && (marked == lines_.size() || view == TunnelView::kInner)) marked = line;
    }
    if (marked < lines_.size()) lines_[marked] += "   <- key";
  }

  // Where the walk stopped, unless that was at an IP header.
  [[nodiscard]] Layer end() const { return end_; }
  [[nodiscard]] std::string text() const {
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }

 private:
  void add(const std::uint8_t* from, const std::uint8_t* to, std::string_view name,
           const std::string& fields) {
    lines_.push_back(
        fmt::format("  {:>6} {:>4}  {:<14} {}", from - start_, to - from, name, fields));
  }

  const std::uint8_t* start_;
  std::vector<std::string> lines_;
  std::vector<std::pair<std::size_t, IpPacket>> ip_lines_;
  Layer end_;
};

std::string time_text(TimeNs time) {
  TimeNs seconds = time / kNsPerSecond;
  TimeNs rest = time % kNsPerSecond;
  if (rest < 0) {
    --seconds;
    rest += kNsPerSecond;
  }
  const auto clock = static_cast<std::time_t>(seconds);
  std::tm utc{};
  if (gmtime_r(&clock, &utc) == nullptr) return fmt::format("{} ns", time);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:09}Z", std::string_view(text, size), rest);
}

std::string key_text(const ParsedPacket& packet, TunnelView view) {
  const FlowKey& key = packet.key;
  if (key.ip_version() == IpVersion::kNone) {
    return fmt::format("frame without IP, number 0x{:04x}, vlan {}", key.destination_port,
                       key.vlan());
  }
  std::string text = fmt::format("{} > {} {}", source_end_text(key), destination_end_text(key),
                                 protocol_name(key.protocol));
  const bool icmp = key.protocol == 1 || key.protocol == 58;
  if (icmp) {
    text += fmt::format(" type {} code {}", key.destination_port >> 8, key.destination_port & 0xff);
  }
  return text + fmt::format(", vlan {}, {} header", key.vlan(),
                            view == TunnelView::kInner ? "innermost" : "outermost");
}

// Which rule gave the octets; see dataplane/packet/README.md.
std::string_view octets_rule(const ParsedPacket& packet, ParseError result) {
  if (result == ParseError::kNoIpLength)
    return "on the wire from the IP header on: its length is 0";
  switch (packet.key.ip_version()) {
    case IpVersion::kV4:
      return "the IPv4 total length";
    case IpVersion::kV6:
      return "the IPv6 payload length, or a jumbo option's, and 40";
    default:
      return "none of an IP packet";
  }
}

// For a frame without IP, or in which nothing more was found where more was expected: where it
// ended.
std::string result_text(const HeaderLines& headers, const ParsedPacket& packet, ParseError result) {
  if (result != ParseError::kNone) {
    return fmt::format("{} {}: {}", is_metered(result) ? "metered, with the note" : "not metered,",
                       label(result), help(result));
  }
  if (packet.key.ip_version() != IpVersion::kNone) return "metered";
  return fmt::format("metered; the walk ended at: {}", name_of(headers.end().kind));
}

}  // namespace

ExplainedPacket explain_packet(const PacketView& view, const ParseOptions& options,
                               std::uint64_t number) {
  ExplainedPacket explained;
  HeaderLines headers(view);
  FlowAttributes attributes;
  explained.result = parse_general(view, options, explained.packet, &attributes, &headers);
  ParsedPacket counted;
  const ParseError counted_as = parse(view, options, counted);
  const bool metered = is_metered(explained.result);
  explained.agrees = counted_as == explained.result &&
                     (!metered || std::memcmp(&counted, &explained.packet, sizeof counted) == 0);

  const ParsedPacket& packet = explained.packet;
  if (metered) headers.mark_key(packet.key, options.tunnel);
  explained.text =
      fmt::format("packet {}  {}  {} octets on the wire, {} captured, link type {}\n{}", number,
                  time_text(view.time), view.wire_octets, view.captured,
                  static_cast<unsigned>(view.link_type), headers.text());
  if (metered) {
    explained.text += fmt::format("  key     {}\n", key_text(packet, options.tunnel));
    explained.text += fmt::format(
        "  counts  {} octets ({}), {} layer-2 octets, tcp_flags {}, tos {}\n", packet.octets,
        octets_rule(packet, explained.result), packet.wire_octets, packet.tcp_flags, packet.tos);
    if (attributes.tunnel != TunnelKind::kNone) {
      explained.text +=
          fmt::format("  tunnel  {} {}\n", label(attributes.tunnel), attributes.tunnel_id);
    }
  }
  explained.text += fmt::format("  result  {}\n", result_text(headers, packet, explained.result));
  if (!explained.agrees) explained.text += "  ERROR   the meter counts this packet otherwise\n";
  return explained;
}

}  // namespace wiretally
