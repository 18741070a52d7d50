// SPDX-License-Identifier: Apache-2.0
// Where the counts of a tick enter the history. A producer (monitors, interfaces) keeps counts
// since it was last asked; the tick asks it when the history is due and hands over what came.
// Thread: control, once a tick; `add` does not block on the disk.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "control/volume.hpp"

namespace wiretally {

enum class SeriesKind : std::uint8_t { kMonitor, kInterface };
// As the history file and the reports spell it.
constexpr std::string_view name_of(SeriesKind kind) {
  return kind == SeriesKind::kMonitor ? "monitor" : "interface";
}

// Where the history file notes what the groups of a monitor are.
inline std::string grouping_note(const std::string& monitor) {
  return "group_by." + monitor;
}

// Where it notes which monitors counted the same packets as this one, a line each.
inline std::string overlap_note(const std::string& monitor) {
  return "overlaps." + monitor;
}

inline std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

// What is counted: a monitor or an interface as a whole (group empty), or one group of a monitor.
struct Series {
  SeriesKind kind = SeriesKind::kMonitor;
  std::string name;
  std::string group;  // "192.0.2.1", "443"; with several group_by fields as the monitors print it

  friend auto operator<=>(const Series&, const Series&) = default;
};

// What was counted of a series since its last sample. The groups of a monitor are parts of its own
// sample, which comes too; an `other` row need not come: history makes its own of what is left.
struct SeriesSample {
  Series series;
  DirectedVolume volume;
};

using Groupings = std::map<std::string, std::string>;  // by monitor; without groups: empty

// By name of a monitor: others that counted packets which it counted too. kAnyMonitor: too many to
// tell them.
inline constexpr const char* kAnyMonitor = "*";
using Overlaps = std::map<std::string, std::set<std::string>>;

// Monitors and whoever else counts. Thread: control.
class HistoryProducer {
 public:
  virtual ~HistoryProducer() = default;
  // Appends what was counted since the last call; series without traffic may be left out.
  virtual void take_samples(std::vector<SeriesSample>& samples) = 0;
  // What the groups of each monitor are, as `group_by` has it: "host", "src_host,protocol".
  [[nodiscard]] virtual Groupings groupings() const { return {}; }
  // Those that were seen since the last call.
  [[nodiscard]] virtual Overlaps take_overlaps() { return {}; }
};

class HistoryFeed {
 public:
  virtual ~HistoryFeed() = default;
  // True when samples are wanted at this tick: a flush interval or a minute has ended. `wall_s`:
  // seconds since the Unix epoch, UTC.
  [[nodiscard]] virtual bool due(std::int64_t wall_s) = 0;
  // `wall_s`: when these were counted; the minute they belong to.
  virtual void add(std::int64_t wall_s, std::span<const SeriesSample> samples) = 0;
};

}  // namespace wiretally
