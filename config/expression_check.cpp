// SPDX-License-Identifier: Apache-2.0
// Holds the judge. Thread: see the header.
#include "config/expression_check.hpp"

namespace wiretally {
namespace {

ExpressionJudge the_judge = nullptr;

}  // namespace

void set_expression_judge(ExpressionJudge judge) {
  the_judge = judge;
}

ExpressionVerdict judge_expression(const std::string& expression, ExpressionUse use) {
  return the_judge == nullptr ? ExpressionVerdict{} : the_judge(expression, use);
}

}  // namespace wiretally
