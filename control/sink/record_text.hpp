// SPDX-License-Identifier: Apache-2.0
// A Flow Record as text: the CSV row, the JSON object, addresses, names of the small enums.
// Everything that prints a record (files, control socket, terminal) prints it through here, so all
// agree. The put_ functions write into a caller's buffer and return its new end: they are the hot
// part of `read --output csv`, with no allocation and no locale. Thread: any.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "control/merge/flow_record.hpp"

namespace wiretally {

enum class TickStep : std::uint8_t;     // control/status.hpp
enum class WorkerPhase : std::uint8_t;  // dataplane/worker_counters.hpp

// IANA flowEndReason in snake_case, also a metrics label; "" for 0, which no record has.
std::string_view label(FlowEndReason reason);
std::string_view label(EndCause cause);  // as the timeouts of the configuration are called
std::string_view label(CoarseLevel level);
std::string_view label(TickStep step);
std::string_view label(WorkerPhase phase);
std::string_view label(TunnelKind kind);    // "vxlan", "gre", ...; "" for none
std::string_view label(IpVersion version);  // "4", "6", "none"

// "tcp", "udp", ... or the number.
std::string protocol_name(std::uint8_t protocol);

// What the record knows of its ends; "" if nothing (a non-IP frame, a coarse record).
std::string source_text(const FlowKey& key);
std::string destination_text(const FlowKey& key);

// "192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.1" without ports (ICMP, fragments), "any" if not
// known. A non-IP frame has only a source: "ether 0x88cc".
std::string source_end_text(const FlowKey& key);
std::string destination_end_text(const FlowKey& key);

// 0x0800, 0x86dd, or the ethertype of a non-IP frame.
std::uint16_t ethertype_of(const FlowKey& key);

inline constexpr std::string_view kCsvHeader =
    "first,last,src,dst,proto,sport,dport,packets,octets,l2_octets,tcp_flags,tos,vlan,ethertype,"
    "ingress,end_reason\n";

// No row is longer: 2 times, 2 addresses and 12 numbers of at most 20 digits, names and marks.
inline constexpr std::size_t kRecordTextMax = 1024;

// "seconds.nanoseconds", negative before 1970.
char* put_time(char* out, TimeNs time);
// An address; IPv4 in its last four octets, as in a FlowKey.
char* put_address(char* out, const std::array<std::uint8_t, 16>& address, IpVersion version);
// The address if the record knows it, else nothing.
char* put_source(char* out, const FlowKey& key);
char* put_destination(char* out, const FlowKey& key);
char* put_ethertype(char* out, const FlowKey& key);
// One row of the contract's CSV, newline included. Needs kRecordTextMax octets at `out`.
char* put_csv_row(char* out, const FlowRecord& record);
// The members of a JSON object without its braces, so that a caller can add its own.
// Needs kRecordTextMax octets at `out`.
char* put_json_members(char* out, const FlowRecord& record);

}  // namespace wiretally
