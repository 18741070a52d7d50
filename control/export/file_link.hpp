// SPDX-License-Identifier: Apache-2.0
// A link into IPFIX files (RFC 5655) instead of to a collector. A file is begun with its first
// record, starts with Templates and Options and counts its sequence from 0, so each can be read
// alone. It is called NAME.part until it is whole: when it has its size, when its time is over, or
// when the meter ends. A record is delivered when the kernel has taken it. Thread: as ExportLink.
#pragma once

#include <memory>
#include <string>

#include "control/export/collector_link.hpp"

namespace wiretally {

std::unique_ptr<RecordSink> make_file_link(const CollectorConfig& collector,
                                           const ExporterInfo& exporter, LogCallback log);

// The name of a file begun at `time` (UTC, ns): strftime's conversions in `pattern` are filled in;
// without any, the time goes before the suffix: flows.ipfix -> flows-20251125T093000Z.ipfix.
// `copy`: 0, or a number that tells files of the same second apart.
std::string file_name(const std::string& pattern, TimeNs time, unsigned copy);

}  // namespace wiretally
