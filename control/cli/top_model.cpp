// SPDX-License-Identifier: Apache-2.0
// Sums over windows of ticks. Thread: main.
#include "control/cli/top_model.hpp"

#include <algorithm>

namespace wiretally {
namespace {

constexpr std::string_view kOther = "other";

bool same(const TopRow& a, const TopRow& b) {
  return a.name == b.name && a.recent == b.recent && a.total == b.total && a.flows == b.flows;
}

double weight(const TopLine& line, TopSort sort) {
  switch (sort) {
    case TopSort::kRate2:
      return line.octets_per_s[0];
    case TopSort::kRate10:
      return line.octets_per_s[1];
    case TopSort::kRate40:
      return line.octets_per_s[2];
    case TopSort::kPackets:
      return line.packets_per_s;
    case TopSort::kOctets:
      return static_cast<double>(line.total.octets);
    case TopSort::kFlows:
      return static_cast<double>(line.flows);
  }
  return 0;
}

void add_line(TopLine& sum, const TopLine& line) {
  for (std::size_t w = 0; w < sum.octets_per_s.size(); ++w) {
    sum.octets_per_s[w] += line.octets_per_s[w];
  }
  sum.packets_per_s += line.packets_per_s;
  sum.total += line.total;
  sum.flows += line.flows;
}

}  // namespace

void TopModel::add(const TopRows& rows) {
  if (!samples_.empty() && samples_.front().seconds == rows.recent_seconds &&
      std::ranges::equal(samples_.front().rows, rows.rows, same)) {
    return;
  }
  samples_.push_front({rows.recent_seconds, rows.rows});
  forget_old();
}

void TopModel::forget_old() {
  double seconds = 0;
  std::size_t kept = 0;
  while (kept < samples_.size() && seconds < kWindows.back()) seconds += samples_[kept++].seconds;
  samples_.resize(kept);
}

std::unordered_map<std::string, TopLine> TopModel::sum() const {
  std::unordered_map<std::string, TopLine> lines;
  for (const TopRow& row : samples_.front().rows) {
    TopLine& line = lines[row.name];
    line.total = row.total;
    line.flows = row.flows;
  }
  for (std::size_t w = 0; w < kWindows.size(); ++w) {
    std::size_t count = 0;
    double seconds = 0;
    while (count < samples_.size() && seconds < kWindows[w]) seconds += samples_[count++].seconds;
    if (seconds <= 0) continue;
    for (std::size_t s = 0; s < count; ++s) {
      for (const TopRow& row : samples_[s].rows) {
        TopLine& line = lines[row.name];
        line.octets_per_s[w] += static_cast<double>(row.recent.octets) / seconds;
        if (w == 0) line.packets_per_s += static_cast<double>(row.recent.packets) / seconds;
      }
    }
  }
  return lines;
}

std::vector<TopLine> TopModel::lines(TopSort sort, std::size_t limit,
                                     const std::string& part) const {
  std::vector<TopLine> lines;
  TopLine other;
  if (samples_.empty()) return lines;
  for (auto& [name, line] : sum()) {
    line.name = name;
    if (name == kOther && part.empty()) {
      add_line(other, line);
    } else if (name.find(part) != std::string::npos) {
      lines.push_back(line);
    }
  }
  std::ranges::sort(lines, [sort](const TopLine& a, const TopLine& b) {
    const double left = weight(a, sort);
    const double right = weight(b, sort);
    return left != right ? left > right : a.name < b.name;
  });
  while (lines.size() > limit) {
    add_line(other, lines.back());
    lines.pop_back();
  }
  if (other.flows != 0 || other.octets_per_s.back() > 0) {
    other.name = kOther;
    lines.push_back(other);
  }
  return lines;
}

}  // namespace wiretally
