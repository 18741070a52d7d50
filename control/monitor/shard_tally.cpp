// SPDX-License-Identifier: Apache-2.0
// Classify once, add often. Thread: the task of the shard.
#include "control/monitor/shard_tally.hpp"

#include <algorithm>

namespace wiretally {
namespace {

constexpr std::size_t kPlacesAtStart = 1024;
constexpr std::size_t kKeyOctetsMax = 256;
constexpr std::uint32_t kNeverAsked = 0;  // no generation

// The labels of a key that do not make a flow but may make another answer.
std::uint32_t labels_of(const FlowKey& key, bool ingress) {
  return (ingress ? static_cast<std::uint32_t>(key.port) << 12 : 0u) | key.vlan();
}

// What filters read of the attributes (key_frame.cpp), in short: a flow whose packets come in other
// frames than before is asked about again.
std::uint32_t frames_of(const FlowAttributes* attributes) {
  if (attributes == nullptr) return 0;
  const FlowAttributes& a = *attributes;
  std::uint64_t mix = std::uint64_t{a.link_types} << 56 | std::uint64_t{a.link_type[0]} << 32 |
                      std::uint64_t{a.link_type[1]} << 16 | a.link_type[2];
  mix = (mix ^ tag_id(a.inner_tag)) * 0x9e3779b97f4a7c15;
  mix ^= std::uint64_t{a.labels} << 16 | std::uint64_t{a.has_next_header} << 8 | a.next_header;
  mix *= 0x9e3779b97f4a7c15;
  return static_cast<std::uint32_t>(mix >> 32);
}

// An address that a coarse row has lost is no end to be counted at.
FlowSides known_sides(FlowSides sides, CoarseLevel level) {
  if (level == CoarseLevel::kDestinationHost) sides.source = false;
  if (level == CoarseLevel::kSourceHost) sides.destination = false;
  return sides;
}

}  // namespace

ShardTally::ShardTally(MonitorSet& set)
    : set_(set),
      note_words_(kRows + set.rows_per_flow()),
      answers_(set.filters().size()),
      code_(set.monitors().size(), MonitorSet::kNotTaken),
      source_key_(kKeyOctetsMax),
      destination_key_(kKeyOctetsMax) {}

void ShardTally::make_room(std::uint32_t place) {
  std::size_t places = std::max(places_, kPlacesAtStart / 2);
  while (places <= place) places *= 2;
  notes_.grow(places * note_words_, false);
  places_ = places;
}

void ShardTally::count(std::uint32_t place, const FlowKey& key, const FlowAttributes* attributes,
                       std::uint8_t tos, const Volume& volume, bool begins) {
  if (place >= places_) make_room(place);
  std::uint32_t* const note = &notes_[place * note_words_];
  const std::uint32_t labels = labels_of(key, set_.wants_ingress());
  const std::uint32_t frames = set_.wants_attributes() ? frames_of(attributes) : 0;
  const bool was_asked = !begins && note[kGeneration] != kNeverAsked;
  const bool is_same = was_asked && note[kLabels] == labels && note[kFrames] == frames;
  if (!is_same || note[kGeneration] != set_.generation()) {
    const FlowView flow{key, attributes, set_.ifindex(key.port), tos};
    if (!is_same) note[kClass] = classify(flow);
    note[kGeneration] = set_.generation();
    note[kLabels] = labels;
    note[kFrames] = frames;
    tell_rows(note, flow);
  }
  ClassCell& cell = classes_[note[kClass]];
  cell.volume += volume;
  cell.flows += begins;
  const std::size_t groupings = cell.flow_class->groupings.size();
  if (groupings == 0) return;
  for (std::size_t i = kRows; i < note_words_; ++i) {
    if (note[i] != kNoRow) set_.cell(note[i]).add(volume, begins);
  }
}

void ShardTally::tell_rows(std::uint32_t* note, const FlowView& flow) {
  std::fill(note + kRows, note + note_words_, kNoRow);
  std::uint32_t* rows = note + kRows;
  for (const Grouping& grouping : classes_[note[kClass]].flow_class->groupings) {
    find_rows(grouping, flow, rows);
    rows += grouping.spec->has_two_ends() ? 3 : 1;
  }
}

std::uint32_t ShardTally::classify(const FlowView& flow) {
  set_.filters().ask(KeyFrame(flow.key, flow.attributes), answers_.data());
  const char both_sides = MonitorSet::taken(known_sides({}, flow.key.level()));
  for (std::uint32_t i = 0; i < code_.size(); ++i) {
    code_[i] = answers_[set_.filter_of(i)] == 0 ? MonitorSet::kNotTaken : both_sides;
  }
  for (const std::uint32_t i : set_.monitors_with_sides()) {
    if (code_[i] == MonitorSet::kNotTaken) continue;
    const Monitor& monitor = *set_.monitors()[i];
    const FlowSides sides = monitor.sides_of(flow.key);
    code_[i] = monitor.wants(sides) ? MonitorSet::taken(known_sides(sides, flow.key.level()))
                                    : MonitorSet::kNotTaken;
  }
  return class_number();
}

std::uint32_t ShardTally::class_number() {
  const auto known = class_index_.find(code_);
  if (known != class_index_.end()) return known->second;
  const auto number = static_cast<std::uint32_t>(classes_.size());
  classes_.push_back({set_.class_of(code_), {}, 0});
  class_index_.emplace(code_, number);
  return number;
}

// One row, or up to three where the ends of a flow are counted.
void ShardTally::find_rows(const Grouping& grouping, const FlowView& flow, std::uint32_t* rows) {
  const GroupSpec& spec = *grouping.spec;
  const auto row_of = [this](RowKind* kind, const std::vector<std::uint8_t>& key) {
    return kind == nullptr ? kNoRow : set_.row_of(*kind, key.data());
  };
  const bool source = spec.key_of(flow, FlowEnd::kSource, source_key_.data());
  if (!spec.has_two_ends()) {
    *rows = source ? row_of(grouping.source, source_key_) : MonitorSet::other_row(*grouping.all);
    return;
  }
  const bool destination = spec.key_of(flow, FlowEnd::kDestination, destination_key_.data());
  if (!source && !destination) {
    *rows = MonitorSet::other_row(*grouping.all);
    return;
  }
  const std::size_t octets = spec.key_octets();
  if (grouping.neither != nullptr) rows[2] = MonitorSet::other_row(*grouping.neither);
  if (source && destination &&
      std::equal(source_key_.begin(), source_key_.begin() + static_cast<std::ptrdiff_t>(octets),
                 destination_key_.begin())) {
    rows[0] = row_of(grouping.same, source_key_);
    return;
  }
  if (source) rows[0] = row_of(grouping.source, source_key_);
  if (destination) rows[1] = row_of(grouping.destination, destination_key_);
}

}  // namespace wiretally
