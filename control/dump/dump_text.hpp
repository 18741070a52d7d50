// SPDX-License-Identifier: Apache-2.0
// A dump as a file: its name, the order of its rows, and the text in IPFM's layout, as CSV or as
// JSON. Thread: any.
#pragma once

#include <cctz/time_zone.h>

#include <string>
#include <string_view>
#include <unordered_map>

#include "control/dump/dump.hpp"

namespace wiretally {

struct HostAddressHash {
  std::size_t operator()(const HostAddress& host) const;
};
// Names that DNS told; hosts without one are not in it.
using HostNames = std::unordered_map<HostAddress, std::string, HostAddressHash>;

// Rows of the same host become one. Then the largest first, by what config.sort says; of equal
// ones, and without a sort, as IPFM lists them: by the octets of the address, the last one first;
// IPv4 before IPv6.
void arrange(Dump& dump);

[[nodiscard]] std::string address_text(const HostAddress& host);
[[nodiscard]] std::string file_name(const Dump& dump, const cctz::time_zone& zone);
// `fresh`: nothing is in the file yet, so that a CSV begins with its heading.
[[nodiscard]] std::string dump_text(const Dump& dump, const cctz::time_zone& zone,
                                    const HostNames& names, bool fresh);

}  // namespace wiretally
