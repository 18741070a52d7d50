// SPDX-License-Identifier: Apache-2.0
// Networks from text. Start-up only, on control.
#include "config/network.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "config/values.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kV4At = 12;

std::string text_of(const Network& network) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(network.is_v6 ? AF_INET6 : AF_INET,
            network.address.data() + (network.is_v6 ? 0 : kV4At), text, sizeof text);
  return fmt::format("{}/{}", text, network.prefix);
}

}  // namespace

std::array<std::uint8_t, 16> Network::mask() const {
  std::array<std::uint8_t, 16> mask{};
  unsigned left = prefix;
  for (std::size_t i = is_v6 ? 0 : kV4At; i < mask.size(); ++i) {
    const unsigned bits = std::min(left, 8u);
    mask[i] = static_cast<std::uint8_t>(0xff00 >> bits);
    left -= bits;
  }
  return mask;
}

Network parse_network(const std::string& text) {
  Network network;
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  network.is_v6 = is_ipv6(address);
  if (!network.is_v6 && !is_ipv4(address)) {
    throw ValueError(
        fmt::format("{} is no network; write 192.0.2.0/24 or 2001:db8::/32", quoted(text)));
  }
  inet_pton(network.is_v6 ? AF_INET6 : AF_INET, address.c_str(),
            network.address.data() + (network.is_v6 ? 0 : kV4At));
  const unsigned width = network.is_v6 ? 128 : 32;
  network.prefix = width;
  if (slash != std::string::npos) {
    const std::uint64_t prefix = parse_integer(text.substr(slash + 1));
    if (prefix > width) {
      throw ValueError(fmt::format("{} has a prefix of more than {} bits", quoted(text), width));
    }
    network.prefix = static_cast<unsigned>(prefix);
  }
  const Network given = network;
  const auto mask = network.mask();
  for (std::size_t i = 0; i < mask.size(); ++i) network.address[i] &= mask[i];
  if (network.address != given.address) {
    throw ValueError(
        fmt::format("{} has bits set behind its prefix; write {}", quoted(text), text_of(network)));
  }
  return network;
}

}  // namespace wiretally
