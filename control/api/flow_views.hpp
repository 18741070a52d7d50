// SPDX-License-Identifier: Apache-2.0
// What `flows` and `top` show: the cache's flows between two ticks, picked, summed and ordered.
// Thread: any.
#pragma once

#include "control/api/meter_view.hpp"
#include "control/merge/merger.hpp"

namespace wiretally {

ActiveFlows list_active_flows(const Merger& merger, const FlowQuery& query);
TopRows list_top(const Merger& merger, TopDimension dimension, std::size_t limit,
                 const std::string& filter = {});

}  // namespace wiretally
