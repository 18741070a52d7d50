// SPDX-License-Identifier: Apache-2.0
// One EAL for a test program (it cannot be started twice), in ordinary memory, on one core.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/packet/packet_view.hpp"
#include "dataplane/source/dpdk_eal.hpp"
#include "dataplane/source/dpdk_port.hpp"
#include "dataplane/source/dpdk_source.hpp"

namespace wiretally {

// Configuration with which the EAL of this program runs.
DpdkConfig eal_config();

// What the EAL's start wrote to stdout and stderr.
const std::string& output_of_eal_start();

std::unique_ptr<DpdkPort> open_port(const std::string& device, std::uint16_t queues = 1,
                                    PortIndex index = PortIndex{0});

// Text of the StartupError that opening gives; empty if it opens.
std::string refusal_of_port(const std::string& device, std::uint16_t queues = 1);

// Count of one reason in port.missed().
std::uint64_t missed(DpdkPort& port, std::string_view reason);
std::uint64_t missed_in_all(DpdkPort& port);

}  // namespace wiretally
