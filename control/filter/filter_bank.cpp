// SPDX-License-Identifier: Apache-2.0
// Which programs are there. Thread: see the header.
#include "control/filter/filter_bank.hpp"

#include <mutex>
#include <string_view>

namespace wiretally {

std::size_t FilterBank::ShapeHash::operator()(const FrameShape& shape) const {
  const auto* const octets = reinterpret_cast<const char*>(&shape);
  return std::hash<std::string_view>{}({octets, sizeof shape});
}

FilterBank::Programs FilterBank::cut(const FrameShape& shape) const {
  Programs programs;
  programs.reserve(filters_.size());
  for (const FlowFilter* filter : filters_) programs.push_back(filter->cut(shape));
  return programs;
}

// Places in the map do not move.
const FilterBank::Programs* FilterBank::programs_for(const FrameShape& shape) {
  {
    const std::shared_lock lock(mutex_);
    const auto known = programs_.find(shape);
    if (known != programs_.end()) return &known->second;
    if (tests_ >= tests_max_ || programs_.size() >= kShapesMax) return nullptr;
  }
  const std::lock_guard lock(mutex_);
  const auto [made, is_new] = programs_.try_emplace(shape);
  if (!is_new) return &made->second;
  made->second = cut(shape);
  for (const auto& program : made->second) tests_ += program ? program->tests() : 0;
  return &made->second;
}

void FilterBank::ask(const KeyFrame& frame, std::uint8_t* answers) {
  const Programs* const programs = frame.has_ip() ? programs_for(frame.shape()) : nullptr;
  for (std::size_t i = 0; i < filters_.size(); ++i) {
    answers[i] = programs != nullptr && (*programs)[i] ? (*programs)[i]->matches(frame.data())
                                                       : filters_[i]->matches(frame);
  }
}

}  // namespace wiretally
