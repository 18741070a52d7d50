// SPDX-License-Identifier: Apache-2.0
// A veth pair in a network namespace of this process: frames sent into one end, the port on the
// other. The namespace goes away with the process. Needs root.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace wiretally {

using Frame = std::vector<std::uint8_t>;

// A test that needs the namespace; skips, saying why, where there cannot be one.
class WireTest : public ::testing::Test {
 protected:
  void SetUp() override;
};

// Throws std::runtime_error when a command fails.
void run_command(const std::string& command);

class Wire {
 public:
  // Interfaces `sender` and `receiver`, both up, with this many queues; no IPv6, so that the kernel
  // sends nothing of its own.
  Wire(const std::string& sender, const std::string& receiver, unsigned mtu = 1500,
       unsigned queues = 1);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // From the sending end; false if the kernel did not take it.
  bool send(const Frame& frame);
  // Out of the receiving end, as the host itself would.
  bool send_back(const Frame& frame);

  // Packets that reached the receiving end, as the kernel counts them.
  [[nodiscard]] std::uint64_t arrived() const;
  // Packets the veth pair itself threw away on the sender's side.
  [[nodiscard]] std::uint64_t lost_before() const;
  // How many ask for the receiving end to be promiscuous.
  [[nodiscard]] int promiscuity() const;

 private:
  std::string sender_;
  std::string receiver_;
  int socket_ = -1;
  int back_ = -1;
};

// Ethernet + IPv4 + UDP of `octets` in all; `flow` is in the source port, `number` in the payload.
Frame udp_frame(std::size_t octets, std::uint16_t flow, std::uint32_t number);

// Three IPv4 fragments of one UDP datagram of 2508 octets.
std::vector<Frame> fragments(std::uint16_t identification);

}  // namespace wiretally
