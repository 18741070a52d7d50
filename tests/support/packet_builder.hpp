// SPDX-License-Identifier: Apache-2.0
// Packets for tests, header by header from the outside in. Length fields are filled by build(); a
// test that wants a wrong one says so with patch(). Every header says what follows it, so that a
// packet can also lie. Thread: any.
#pragma once

#include <arpa/inet.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace wiretally {

class PacketBuilder {
 public:
  static constexpr const char* kFrom4 = "10.0.0.1";
  static constexpr const char* kTo4 = "10.0.0.2";
  static constexpr const char* kFrom6 = "2001:db8::1";
  static constexpr const char* kTo6 = "2001:db8::2";

  // -- plain octets
  PacketBuilder& octets(std::initializer_list<unsigned> values) {
    for (const unsigned value : values) data_.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }
  PacketBuilder& be16(unsigned value) { return octets({value >> 8 & 0xff, value & 0xff}); }
  PacketBuilder& be32(std::uint32_t value) { return be16(value >> 16).be16(value & 0xffff); }
  PacketBuilder& zeros(std::size_t count) {
    data_.insert(data_.end(), count, 0);
    return *this;
  }
  PacketBuilder& payload(std::size_t count) {
    data_.insert(data_.end(), count, 0xa5);
    return *this;
  }
  // Octets that belong to no length field: padding, a check sequence.
  PacketBuilder& trailer(std::size_t count) {
    if (end_ == 0) end_ = data_.size();
    return zeros(count);
  }

  // -- links
  PacketBuilder& ethernet(unsigned type) {
    return start().octets({2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}).be16(type);
  }
  // 802.3 with its length, then LLC.
  PacketBuilder& ethernet_llc(unsigned dsap, unsigned ssap, unsigned control) {
    ethernet(0);
    length_at(data_.size() - 2, data_.size());
    return octets({dsap, ssap, control});
  }
  PacketBuilder& snap(std::uint32_t organization, unsigned protocol) {
    return octets({organization >> 16 & 0xff, organization >> 8 & 0xff, organization & 0xff})
        .be16(protocol);
  }
  PacketBuilder& tag(unsigned id, unsigned type) { return start().be16(id).be16(type); }
  PacketBuilder& mpls(std::uint32_t label, bool bottom) {
    return start().be32(label << 12 | (bottom ? 0x100U : 0U) | 64);
  }
  PacketBuilder& pppoe(unsigned protocol) {
    start().octets({0x11, 0}).be16(1).be16(0);
    length_at(data_.size() - 2, data_.size());
    return be16(protocol);
  }

  // -- network and transport
  PacketBuilder& ipv4(unsigned protocol, const char* from = kFrom4, const char* to = kTo4) {
    start().octets({0x45, 0}).be16(0).be32(0).octets({64, protocol}).be16(0);
    length_at(start_ + 2, start_);
    return address(AF_INET, from).address(AF_INET, to);
  }
  // `words` of options behind the fixed header, which the caller appends.
  PacketBuilder& ipv4_with_options(unsigned protocol, unsigned words) {
    ipv4(protocol);
    data_[start_] = static_cast<std::uint8_t>(0x45 + words);
    return *this;
  }
  PacketBuilder& inner_ipv4(unsigned protocol) {
    return ipv4(protocol, "192.168.1.1", "192.168.1.2");
  }
  PacketBuilder& ipv6(unsigned next_header, const char* from = kFrom6, const char* to = kTo6) {
    start().be32(0x60000000).be16(0).octets({next_header, 64});
    length_at(start_ + 4, start_ + 40);
    return address(AF_INET6, from).address(AF_INET6, to);
  }
  PacketBuilder& inner_ipv6(unsigned next_header) {
    return ipv6(next_header, "fd00::1", "fd00::2");
  }
  PacketBuilder& extension(unsigned next_header, unsigned extra_words = 0) {
    return start().octets({next_header, extra_words, 1, 4, 0, 0, 0, 0}).zeros(extra_words * 8U);
  }
  PacketBuilder& fragment_header(unsigned next_header, unsigned offset_octets, bool more) {
    return start().octets({next_header, 0}).be16(offset_octets | (more ? 1U : 0U)).be32(0x1234);
  }
  PacketBuilder& tcp(unsigned source, unsigned destination, unsigned flags = 0x10) {
    return start().be16(source).be16(destination).be32(1).be32(0).be16(0x5000 | flags).zeros(6);
  }
  PacketBuilder& udp(unsigned source, unsigned destination) {
    start().be16(source).be16(destination).be16(0).be16(0);
    length_at(start_ + 4, start_);
    return *this;
  }
  PacketBuilder& icmp(unsigned type, unsigned code) {
    return start().octets({type, code}).zeros(6);
  }

  // -- tunnels
  PacketBuilder& gre(unsigned flags, unsigned protocol) {
    return start().be16(flags).be16(protocol);
  }
  PacketBuilder& vxlan() { return start().octets({8, 0, 0, 0, 0, 0, 42, 0}); }
  PacketBuilder& geneve(unsigned protocol, unsigned option_words = 0) {
    return start().octets({option_words, 0}).be16(protocol).be32(42 << 8).zeros(option_words * 4U);
  }
  PacketBuilder& gtp(unsigned flags = 0x30, unsigned message = 255) {
    start().octets({flags, message}).be16(0).be32(42);
    length_at(start_ + 2, start_ + 8);
    return *this;
  }

  // Another value for octets of the last header; a length written this way stays as it is.
  PacketBuilder& patch(std::size_t offset, std::initializer_list<unsigned> values) {
    std::size_t at = start_ + offset;
    std::erase_if(lengths_, [at](const Length& length) { return length.at == at; });
    for (const unsigned value : values) data_.at(at++) = static_cast<std::uint8_t>(value);
    return *this;
  }

  [[nodiscard]] std::vector<std::uint8_t> build() const {
    std::vector<std::uint8_t> packet = data_;
    const std::size_t end = end_ == 0 ? data_.size() : end_;
    for (const Length& length : lengths_) {
      const std::size_t value = end - length.from;
      packet[length.at] = static_cast<std::uint8_t>(value >> 8);
      packet[length.at + 1] = static_cast<std::uint8_t>(value);
    }
    return packet;
  }

 private:
  struct Length {
    std::size_t at;
    std::size_t from;  // counts the octets from here to the end
  };

  PacketBuilder& start() {
    start_ = data_.size();
    return *this;
  }
  void length_at(std::size_t at, std::size_t from) { lengths_.push_back({at, from}); }
  PacketBuilder& address(int family, const char* text) {
    std::uint8_t octets[16];
    if (inet_pton(family, text, octets) != 1) throw std::invalid_argument(text);
    data_.insert(data_.end(), octets, octets + (family == AF_INET ? 4 : 16));
    return *this;
  }

  std::vector<std::uint8_t> data_;
  std::vector<Length> lengths_;
  std::size_t start_ = 0;
  std::size_t end_ = 0;
};

}  // namespace wiretally
