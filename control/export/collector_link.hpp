// SPDX-License-Identifier: Apache-2.0
// One collector: a RecordSink with its own thread, bounded queue, pace and UDP socket. Nothing the
// collector does or does not do is felt by the tick: down, slow, without a name, it costs only its
// own records, each counted under its reason. Threads: offer() and finish() control; account() any;
// everything else the link's own thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "control/export/exporter_info.hpp"
#include "control/sink/record_sink.hpp"

namespace wiretally {

// One line per change of state, from the link's thread.
enum class LinkEvent : std::uint8_t {
  kGood,     // it sends, or sends again
  kTrouble,  // records wait, and may be lost
};
using LogCallback = std::function<void(LinkEvent event, const std::string& line)>;

// Starts the link's thread and returns at once; a collector that cannot be resolved or reached is a
// state, never an error. Throws StartupError(kUsage) for what no waiting can mend: an address or
// source that is none, max_datagram out of range, a transport other than UDP.
std::unique_ptr<RecordSink> make_collector_link(const CollectorConfig& collector,
                                                const ExporterInfo& exporter, LogCallback log);

}  // namespace wiretally
