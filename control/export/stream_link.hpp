// SPDX-License-Identifier: Apache-2.0
// A link over TCP or TLS (RFC 7011 section 10.4). A record is delivered when the collector's kernel
// has acknowledged it. When the connection ends, records that were not acknowledged go back to the
// front of the queue and are sent again in the next one, which begins with Templates: after a break
// a record may come twice, but none is missing that the collector's kernel had not taken. Thread:
// as ExportLink.
#pragma once

#include "control/export/collector_link.hpp"

namespace wiretally {

std::unique_ptr<RecordSink> make_stream_link(const CollectorConfig& collector,
                                             const ExporterInfo& exporter, LogCallback log);

}  // namespace wiretally
