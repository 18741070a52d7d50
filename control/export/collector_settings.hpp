// SPDX-License-Identifier: Apache-2.0
// What a link takes from its configuration before it starts: checks, the address to send from, and
// the parts of ExporterInfo that were left empty.
// Thread: control.
#pragma once

#include <optional>

#include "config/config.hpp"
#include "control/export/collector_address.hpp"
#include "control/export/exporter_info.hpp"

namespace wiretally {

// Throws StartupError(kUsage) for a setting that no waiting can mend.
void check_collector(const CollectorConfig& collector);
// The address of `source`, port 0; nothing if it is empty. Throws StartupError(kUsage).
std::optional<SocketAddress> source_address(const CollectorConfig& collector);

// With a clock, a start time and a domain id.
ExporterInfo with_defaults(ExporterInfo exporter);

}  // namespace wiretally
