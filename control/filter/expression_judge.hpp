// SPDX-License-Identifier: Apache-2.0
// libpcap's opinion of the expressions in a configuration, for config/expression_check.hpp. Thread:
// any.
#pragma once

#include "config/expression_check.hpp"

namespace wiretally {

ExpressionVerdict expression_judge(const std::string& expression, ExpressionUse use);

}  // namespace wiretally
