// SPDX-License-Identifier: Apache-2.0
// What NetFlow v9 and IPFIX share: a message of Sets (v9: FlowSets), Templates before the records
// they describe, Options, Data Sets padded to four octets. The two differ in header, set ids, the
// shape of an Options Template and in what the sequence number counts: those are the virtual
// functions. Thread: one link thread.
#pragma once

#include <array>
#include <vector>

#include "control/export/announcement.hpp"
#include "control/export/message_encoder.hpp"
#include "control/export/message_writer.hpp"
#include "control/export/record_layout.hpp"

namespace wiretally {

class TemplateEncoder : public MessageEncoder {
 public:
  void begin(std::span<std::uint8_t> buffer, TimeNs now) final;
  std::size_t add_announcements(std::size_t from) final;
  [[nodiscard]] std::size_t announcements() const final { return items_.size(); }
  std::size_t add_records(std::span<const FlowRecord> records, RecordTally& tally) final;
  [[nodiscard]] std::size_t records_in(std::size_t message_octets) const final;
  std::size_t finish() final;
  [[nodiscard]] EncoderPosition position() const final { return {sequence_, 0}; }
  void rewind(const EncoderPosition& position) final { sequence_ = position.sequence; }

 protected:
  struct Dialect {
    std::size_t header_octets;
    std::uint16_t template_set_id;
    std::uint16_t options_template_set_id;
  };
  struct Counts {  // records in this message
    std::uint32_t templates = 0;
    std::uint32_t options = 0;
    std::uint32_t flows = 0;
  };

  TemplateEncoder(const Dialect& dialect, const CollectorConfig& collector,
                  const ExporterInfo& exporter, std::function<ExportStatistics()> statistics);

  // When the sysUpTime of a message began, in milliseconds since the epoch.
  [[nodiscard]] virtual std::int64_t boot_ms(TimeNs now) const = 0;
  // Fills the reserved header; returns the sequence number of the message after this one.
  virtual std::uint32_t write_header(std::uint8_t* header, std::size_t message_octets,
                                     const Counts& counts, TimeNs now,
                                     std::uint32_t sequence) const = 0;
  virtual void write_options_template(const OptionsTemplate& description,
                                      MessageWriter& out) const = 0;

 private:
  // One thing to announce: a Template, an Options Template, or a record under the latter.
  struct Item {
    enum class What : std::uint8_t { kTemplate, kOptionsTemplate, kOptionsRecord } what;
    std::size_t index;       // of templates_ or options_
    std::size_t record = 0;  // of the options
  };

  [[nodiscard]] std::size_t room_in_set(std::uint16_t set_id) const;
  void open_set(std::uint16_t set_id);
  void close_set();
  bool add_item(const Item& item);
  bool add_template(const RecordTemplate& description);
  bool add_options_template(const OptionsTemplate& description);
  bool add_options_record(const OptionsAnnouncement& options, std::size_t record);

  // The records of one Template in this message, from the add_records() under way.
  struct Group {
    std::vector<const FlowRecord*> records;  // of a pair the first, which is the forward one
    std::size_t octets = 0;                  // of its set, not padded; 0: not in the message
  };

  // Two directions that stand so are one record.
  [[nodiscard]] bool is_pair(std::span<const FlowRecord> records, RecordKind kind) const;
  void begin_groups();
  bool add_to_group(RecordKind kind, const FlowRecord& record);
  void write_groups();

  const Dialect dialect_;
  const bool non_ip_;
  const bool biflow_;
  std::vector<RecordTemplate> templates_;  // by RecordKind
  std::vector<OptionsAnnouncement> options_;
  std::vector<Item> items_;

  std::uint32_t sequence_ = 0;
  MessageWriter out_;
  std::uint8_t* message_ = nullptr;
  TimeNs now_ = 0;
  ComputedContext context_;
  Counts counts_;
  std::uint16_t set_id_ = 0;  // 0 and no offset: no set is open
  std::size_t set_offset_ = 0;
  std::array<Group, kRecordKinds + kBiflowKinds> groups_;
  std::vector<std::size_t> groups_used_;  // in order of appearance
  std::size_t planned_octets_ = 0;        // the message, once the groups are written
};

}  // namespace wiretally
