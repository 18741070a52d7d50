// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any octets under any link type through the meter's parser and through the
// tests' reference parser, by the outer and by the inner header. Where the reference is sure, the
// two agree. A disagreement prints what each says.
#include "tests/fuzz/support.hpp"
#include "tests/support/reference_compare.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wiretally;
  const fuzz::PacketInput input({data, size});
  for (const TunnelView tunnel : {TunnelView::kOuter, TunnelView::kInner}) {
    const reference::Comparison comparison = reference::compare(input.view(), tunnel);
    const bool differ = comparison.verdict == reference::Verdict::kDifferent;
    fuzz::require(!differ, comparison.difference.c_str());
  }
  return 0;
}
