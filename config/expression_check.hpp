// SPDX-License-Identifier: Apache-2.0
// What is to be said of a tcpdump expression in a configuration. libpcap knows, and this folder
// does not link it: the program names a judge at its start. Without one, expressions are taken as
// text. Thread: set once before anything is loaded, then any.
#pragma once

#include <string>

namespace wiretally {

struct ExpressionVerdict {
  std::string error;  // why it cannot be used; empty: it can
  std::string note;   // a warning, or empty
};

// Packets: capture.filter. Flows: filters that are asked about a flow's key.
enum class ExpressionUse { kPackets, kFlows };

using ExpressionJudge = ExpressionVerdict (*)(const std::string& expression, ExpressionUse use);
void set_expression_judge(ExpressionJudge judge);
ExpressionVerdict judge_expression(const std::string& expression, ExpressionUse use);

}  // namespace wiretally
