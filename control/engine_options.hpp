// SPDX-License-Identifier: Apache-2.0
// What the configuration means for each part of the engine. Thread: main.
#pragma once

#include <functional>
#include <vector>

#include "config/config.hpp"
#include "control/capture/capture.hpp"
#include "control/export/exporter_info.hpp"
#include "control/merge/merger.hpp"
#include "control/sink/record_sink.hpp"
#include "control/status.hpp"
#include "dataplane/worker.hpp"

namespace wiretally {

// True if some sink or collector has use for the attributes of flows, or the key has.
bool attributes_wanted(const Config& config, const std::vector<RecordSink*>& sinks);
bool attributes_wanted(const Config& config, std::size_t collector);
// True if monitors have use for those of count tables; flows and records need not keep them then.
bool monitors_want_attributes(const Config& config);

// `service`: `run`; else `read`.
WorkerOptions worker_options(const Config& config, TimeBase time_base, bool service);
// By PortIndex.
std::vector<std::uint32_t> port_ifindexes(const Capture& capture);
// "eth0,eth1"
std::string port_names(const Capture& capture);
MergerOptions merger_options(const Config& config, const Capture& capture, bool recording,
                             bool attributes);
// `board` is asked for the statistics of each refresh; it outlives the links.
ExporterInfo exporter_info(const Config& config, const Capture& capture, bool service,
                           const StatusBoard& board);
// What a collector wants to see; empty: everything.
std::function<bool(const FlowRecord&)> acceptance(const CollectorConfig& collector);

}  // namespace wiretally
