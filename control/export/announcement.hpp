// SPDX-License-Identifier: Apache-2.0
// Options (RFC 7011 section 3.4.2, RFC 3954 section 6.1): the Options Templates of this exporter
// and the records sent under them: sampling, interface names, statistics. Each can be turned off.
// Thread: built by control, used by one link thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/export/exporter_info.hpp"
#include "control/export/message_encoder.hpp"
#include "control/export/record_template.hpp"

namespace wiretally {

// Template ids outside every layout's range.
inline constexpr std::uint16_t kSamplingOptionsId = 512;
inline constexpr std::uint16_t kInterfaceOptionsId = 513;
inline constexpr std::uint16_t kExportStatisticsId = 514;
inline constexpr std::uint16_t kDomainOptionsId = 516;
inline constexpr std::uint16_t kFullStatisticsId = 515;  // with the Metering Process's IEs 163-165

struct OptionsTemplate {
  std::uint16_t id;
  FieldSpecifier scope;  // exactly one; v9 writes its scope type instead of the element number
  std::vector<FieldSpecifier> fields;

  [[nodiscard]] std::size_t record_octets() const;
};

// A value of an options record, in the order of scope and fields.
struct OptionsValue {
  std::uint64_t number = 0;
  std::string text;
};

// One Options Template and the records under it; `records` is asked at every refresh.
struct OptionsAnnouncement {
  OptionsTemplate description;
  std::size_t record_count = 0;
  std::function<std::vector<OptionsValue>(std::size_t index)> record;
};

std::vector<OptionsAnnouncement> make_options(const CollectorConfig& collector,
                                              const ExporterInfo& exporter,
                                              std::function<ExportStatistics()> statistics);

void write_options_record(const OptionsTemplate& description, std::span<const OptionsValue> values,
                          MessageWriter& out);

}  // namespace wiretally
