// SPDX-License-Identifier: Apache-2.0
// Every link type the meter reads, and some it does not, for tests that go through all of them. A
// test holds the list against is_known(). Thread: any.
#pragma once

#include <array>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

// Append only: the position of a type is part of the fuzzers' inputs.
inline constexpr std::array kKnownLinkTypes = {
    LinkType::kEthernet,
    LinkType::kNull,
    LinkType::kRaw,
    LinkType::kLinuxSll,
    LinkType::kLinuxSll2,
    LinkType::kIeee80211,
    LinkType::kIeee80211Radiotap,
    LinkType::kPpi,
    LinkType::kPpp,
    LinkType::kPppSerial,
    LinkType::kCiscoHdlc,
    LinkType::kFrameRelay,
    LinkType::kNflog,
    LinkType::kFddi,
    LinkType::kIpv4,
    LinkType::kIpv6,
    LinkType::kLoop,
    LinkType::kTokenRing,
    LinkType::kArcnet,
    LinkType::kRawBsd,
    LinkType::kRawOpenBsd,
    LinkType::kPppEther,
    LinkType::kAtmRfc1483,
    LinkType::kIeee80211Prism,
    LinkType::kIpOverFibreChannel,
    LinkType::kSunAtm,
    LinkType::kArcnetLinux,
    LinkType::kIpOver1394,
    LinkType::kIeee80211Avs,
    LinkType::kPppWithDirection,
    LinkType::kJuniperEthernet,
    LinkType::kPppWithDirectionHdlc,
    LinkType::kCiscoHdlcWithDirection,
    LinkType::kFrameRelayWithDirection,
    LinkType::kIpnet,
    LinkType::kNetAnalyzer,
    LinkType::kIpOverInfiniband,
    LinkType::kEthernetWithPreamble,
    LinkType::kBroadcomTag,
    LinkType::kBroadcomTagPrepended,
};

// Users' own, Bluetooth, USB and others that hold no IP packets the meter could read.
inline constexpr std::array kUnknownLinkTypes = {LinkType{147}, LinkType{187}, LinkType{189},
                                                 LinkType{220}, LinkType{65535}};

}  // namespace wiretally
