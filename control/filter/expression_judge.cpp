// SPDX-License-Identifier: Apache-2.0
// A filter is good if it can be made. Thread: any.
#include "control/filter/expression_judge.hpp"

#include "config/startup_error.hpp"
#include "control/filter/flow_filter.hpp"
#include "dataplane/source/packet_filter.hpp"

namespace wiretally {

ExpressionVerdict expression_judge(const std::string& expression, ExpressionUse use) {
  if (use == ExpressionUse::kFlows) {
    const FilterVerdict verdict = check_flow_filter(expression);
    return {verdict.error, verdict.note};
  }
  try {
    const PacketFilter filter(expression);
    return {};
  } catch (const StartupError& error) {
    return {error.what(), ""};
  }
}

}  // namespace wiretally
