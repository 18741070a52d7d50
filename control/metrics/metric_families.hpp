// SPDX-License-Identifier: Apache-2.0
// A Status as Prometheus families: every name, label, type and help text of /metrics stands here.
// Label sets come from the configuration and fixed enums, so their number never grows with traffic.
// Thread: any (a scrape's). From: the last tick's Status. To: prometheus-cpp.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "control/status.hpp"

namespace wiretally {

std::vector<prometheus::MetricFamily> metric_families(const Status& status);

}  // namespace wiretally
