// SPDX-License-Identifier: Apache-2.0
// Where a name is cut. Thread: any.
#include "control/cli/short_name.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <sstream>

#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kAddressMin = 4;  // "2…1f"

std::string cut_in_the_middle(const std::string& text, std::size_t columns) {
  if (text.size() <= columns || columns < 3) return text;
  const std::size_t left = (columns - 1) / 2;
  return text.substr(0, left) + "…" + text.substr(text.size() - (columns - 1 - left));
}

struct FlowName {
  std::string source;
  std::string source_port;
  std::string destination;
  std::string destination_port;
  std::string protocol;
};

std::optional<FlowName> flow_of(const std::string& name) {
  FlowName flow;
  std::string arrow;
  std::string word;
  std::string number;
  std::string more;
  std::istringstream words(name);
  words >> flow.source >> flow.source_port >> arrow >> flow.destination >> flow.destination_port >>
      word >> number;
  unsigned protocol = 0;
  const char* const end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, protocol);
  if (!words || words >> more || arrow != ">" || word != "protocol" || read.ec != std::errc{} ||
      read.ptr != end || protocol > UINT8_MAX) {
    return std::nullopt;
  }
  flow.protocol = protocol_name(static_cast<std::uint8_t>(protocol));
  return flow;
}

std::string short_flow(const FlowName& flow, std::size_t columns) {
  std::string rest = " " + flow.protocol;
  std::size_t ports = flow.source_port.size() + flow.destination_port.size() + 5;  // "_ > _"
  if (columns < ports + rest.size() + 2 * kAddressMin) rest.clear();
  ports += rest.size();
  const std::size_t room = std::max(columns, ports + 2 * kAddressMin) - ports;
  // What a short address does not need is the other's.
  const std::size_t half = room / 2;
  const std::size_t source =
      std::max(half, room - std::min(room, std::max(flow.destination.size(), kAddressMin)));
  const std::string first = cut_in_the_middle(flow.source, source);
  const std::size_t second = room - std::min(source, flow.source.size());
  return first + " " + flow.source_port + " > " + cut_in_the_middle(flow.destination, second) +
         " " + flow.destination_port + rest;
}

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string short_name(const std::string& name, std::size_t columns) {
  if (name.size() <= columns) return name;
  const std::optional<FlowName> flow = flow_of(name);
  return flow ? short_flow(*flow, columns) : cut_in_the_middle(name, columns);
}

std::size_t columns_beside_name(const std::vector<std::string>& headings,
                                const std::vector<std::vector<std::string>>& rows) {
  std::size_t sum = 0;
  for (std::size_t column = 1; column < headings.size(); ++column) {
    std::size_t widest = width_of(headings[column]);
    for (const auto& row : rows) widest = std::max(widest, width_of(row[column]));
    sum += 2 + widest;
  }
  return sum;
}

}  // namespace wiretally
