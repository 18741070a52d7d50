// SPDX-License-Identifier: Apache-2.0
// See template_encoder.hpp. The message's limit is rounded down to a multiple of four, so a set
// that fits can always be padded. Thread: one link thread.
#include "control/export/template_encoder.hpp"

#include <algorithm>
#include <cassert>

#include "control/export/biflow.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kSetHeaderOctets = 4;

constexpr std::size_t round_up4(std::size_t n) {
  return (n + 3) & ~std::size_t{3};
}

bool is_non_ip(RecordKind kind) {
  return kind == RecordKind::kNonIp || kind == RecordKind::kCoarseNonIp;
}

}  // namespace

TemplateEncoder::TemplateEncoder(const Dialect& dialect, const CollectorConfig& collector,
                                 const ExporterInfo& exporter,
                                 std::function<ExportStatistics()> statistics)
    : dialect_(dialect),
      non_ip_(collector.non_ip),
      biflow_(collector.biflow),
      templates_(make_layout(
          layout_choice(collector, exporter.tunnel_key, exporter.key, exporter.directions))),
      options_(make_options(collector, exporter, std::move(statistics))) {
  for (std::size_t i = 0; i < templates_.size(); ++i) {
    if (non_ip_ || !is_non_ip(static_cast<RecordKind>(i))) {
      items_.push_back({Item::What::kTemplate, i});
    }
  }
  for (std::size_t i = 0; i < options_.size(); ++i) {
    items_.push_back({Item::What::kOptionsTemplate, i});
  }
  for (std::size_t i = 0; i < options_.size(); ++i) {
    for (std::size_t record = 0; record < options_[i].record_count; ++record) {
      items_.push_back({Item::What::kOptionsRecord, i, record});
    }
  }
}

void TemplateEncoder::begin(std::span<std::uint8_t> buffer, TimeNs now) {
  assert(buffer.size() >= kDatagramMin);
  out_ = MessageWriter(buffer.first(buffer.size() & ~std::size_t{3}));
  message_ = out_.reserve(dialect_.header_octets);
  now_ = now;
  context_.boot_ms = boot_ms(now);
  counts_ = {};
  set_offset_ = 0;
}

std::size_t TemplateEncoder::add_announcements(std::size_t from) {
  while (from < items_.size() && add_item(items_[from])) ++from;
  return from;
}

bool TemplateEncoder::add_item(const Item& item) {
  switch (item.what) {
    case Item::What::kTemplate:
      return add_template(templates_[item.index]);
    case Item::What::kOptionsTemplate:
      return add_options_template(options_[item.index].description);
    case Item::What::kOptionsRecord:
      return add_options_record(options_[item.index], item.record);
  }
  return true;
}

bool TemplateEncoder::add_template(const RecordTemplate& description) {
  if (room_in_set(dialect_.template_set_id) < description.template_octets()) return false;
  open_set(dialect_.template_set_id);
  description.write_template(out_);
  ++counts_.templates;
  return true;
}

// Each in a set of its own: v9 can pad only at the end of a FlowSet, and this record needs it.
bool TemplateEncoder::add_options_template(const OptionsTemplate& description) {
  close_set();
  const std::size_t octets = 6 + 4 * (1 + description.fields.size());
  if (room_in_set(dialect_.options_template_set_id) < octets) return false;
  open_set(dialect_.options_template_set_id);
  write_options_template(description, out_);
  close_set();
  ++counts_.templates;
  return true;
}

bool TemplateEncoder::add_options_record(const OptionsAnnouncement& options, std::size_t record) {
  if (room_in_set(options.description.id) < options.description.record_octets()) return false;
  open_set(options.description.id);
  write_options_record(options.description, options.record(record), out_);
  ++counts_.options;
  return true;
}

// Takes a prefix of the records, and lets those of one Template stand together: a set a kind, not a
// set whenever the kind changes: 160 of 540 instructions a record of a mix less, fewer octets.
std::size_t TemplateEncoder::add_records(std::span<const FlowRecord> records, RecordTally& tally) {
  std::size_t taken = 0;
  RecordSum left_out;
  begin_groups();
  while (taken < records.size()) {
    const FlowRecord& record = records[taken];
    const RecordKind kind = record_kind(record.key);
    if (is_non_ip(kind) && !non_ip_) {
      left_out.add(record);
      ++taken;
      continue;
    }
    const bool pair = biflow_ && is_pair(records.subspan(taken), kind);
    if (!add_to_group(pair ? biflow_kind(kind) : kind, record)) break;
    taken += pair ? 2 : 1;
  }
  write_groups();
  RecordSum encoded = sum_of(records.first(taken));
  encoded -= left_out;
  tally.encoded += encoded;
  tally.non_ip += left_out;
  return taken;
}

bool TemplateEncoder::is_pair(std::span<const FlowRecord> records, RecordKind kind) const {
  return records.size() > 1 && kind < RecordKind::kNonIp && is_reverse(records[0], records[1]);
}

void TemplateEncoder::begin_groups() {
  for (const std::size_t used : groups_used_) {
    groups_[used].records.clear();
    groups_[used].octets = 0;
  }
  groups_used_.clear();
  planned_octets_ = round_up4(out_.size());
}

// False if the message has no room for it.
bool TemplateEncoder::add_to_group(RecordKind kind, const FlowRecord& record) {
  const auto index = static_cast<std::size_t>(kind);
  Group& group = groups_[index];
  const RecordTemplate& description = templates_[index];
  const std::size_t limit = out_.size() + out_.remaining();
  std::size_t before = group.octets;
  if (group.octets == 0 && set_offset_ != 0 && set_id_ == description.id()) {
    before = out_.size() - set_offset_;  // goes on in the set that is open
  }
  const std::size_t after = (before == 0 ? kSetHeaderOctets : before) + description.record_octets();
  const std::size_t planned = planned_octets_ - round_up4(before) + round_up4(after);
  if (planned > limit) return false;
  if (group.octets == 0) groups_used_.push_back(index);
  group.octets = after;
  group.records.push_back(&record);
  planned_octets_ = planned;
  return true;
}

// The set that is open goes on first.
void TemplateEncoder::write_groups() {
  const auto goes_on = [this](std::size_t used) {
    return set_offset_ != 0 && set_id_ == templates_[used].id();
  };
  std::stable_partition(groups_used_.begin(), groups_used_.end(), goes_on);
  for (const std::size_t used : groups_used_) {
    const Group& group = groups_[used];
    const RecordTemplate& description = templates_[used];
    const std::size_t count = group.records.size();
    open_set(description.id());
    description.write_records(group.records, out_.reserve(count * description.record_octets()),
                              context_);
    counts_.flows += static_cast<std::uint32_t>(count);
  }
}

std::size_t TemplateEncoder::records_in(std::size_t message_octets) const {
  const std::size_t around = dialect_.header_octets + kSetHeaderOctets;
  const std::size_t room = message_octets - std::min(message_octets, around);
  return std::max<std::size_t>(1, room / templates_.front().record_octets());
}

std::size_t TemplateEncoder::finish() {
  if (counts_.templates + counts_.options + counts_.flows == 0) return 0;
  close_set();
  assert(!out_.overflowed());
  sequence_ = write_header(message_, out_.size(), counts_, now_, sequence_);
  return out_.size();
}

std::size_t TemplateEncoder::room_in_set(std::uint16_t set_id) const {
  if (set_offset_ != 0 && set_id_ == set_id) return out_.remaining();
  const std::size_t limit = out_.size() + out_.remaining();
  const std::size_t start = round_up4(out_.size()) + kSetHeaderOctets;
  return start < limit ? limit - start : 0;
}

void TemplateEncoder::open_set(std::uint16_t set_id) {
  if (set_offset_ != 0 && set_id_ == set_id) return;
  close_set();
  set_id_ = set_id;
  set_offset_ = out_.size();
  out_.write16(set_id);
  out_.write16(0);
}

void TemplateEncoder::close_set() {
  if (set_offset_ == 0) return;
  out_.reserve(round_up4(out_.size()) - out_.size());
  out_.patch16(set_offset_ + 2, static_cast<std::uint16_t>(out_.size() - set_offset_));
  set_offset_ = 0;
}

}  // namespace wiretally
