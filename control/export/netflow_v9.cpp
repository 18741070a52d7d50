// SPDX-License-Identifier: Apache-2.0
// See netflow_v9.hpp. Thread: one link thread.
#include "control/export/netflow_v9.hpp"

#include <algorithm>

namespace wiretally {
namespace {

// RFC 3954 section 5.1:
//   0 version 2 | count 2 | 4 sysUptime 4 | 8 unixSecs 4 | 12 sequence 4 | 16 Source ID 4
constexpr std::size_t kHeaderOctets = 20;

// RFC 3954 section 6.1, scope field types.
std::uint16_t scope_type(Element element) {
  constexpr std::uint16_t kSystem = 1;
  constexpr std::uint16_t kInterface = 2;
  return element == Element::kIngressInterface ? kInterface : kSystem;
}

// Of its own times, or of listed ones.
bool counts_from_uptime(const CollectorConfig& collector) {
  const auto is_uptime = [](const std::string& name) { return name.ends_with("SysUpTime"); };
  return collector.times == RecordTimes::kUptime ||
         std::ranges::any_of(collector.fields, is_uptime);
}

}  // namespace

NetflowV9Encoder::NetflowV9Encoder(const CollectorConfig& collector, const ExporterInfo& exporter,
                                   std::function<ExportStatistics()> statistics)
    : TemplateEncoder({kHeaderOctets, 0, 1}, collector, exporter, std::move(statistics)),
      source_id_(exporter.domain_id),
      clock_(exporter.start_time, counts_from_uptime(collector)) {}

std::uint32_t NetflowV9Encoder::write_header(std::uint8_t* header, std::size_t,
                                             const Counts& counts, TimeNs now,
                                             std::uint32_t sequence) const {
  // Both times in whole seconds: what a collector takes for the boot time never jitters.
  const std::int64_t now_s = now / kNsPerSecond;
  store_be16(header, 9);
  store_be16(header + 2,
             static_cast<std::uint16_t>(counts.templates + counts.options + counts.flows));
  store_be32(header + 4, static_cast<std::uint32_t>(now_s * 1000 - boot_ms(now)));
  store_be32(header + 8, static_cast<std::uint32_t>(now_s));
  store_be32(header + 12, sequence);
  store_be32(header + 16, source_id_);
  return sequence + 1;
}

// RFC 3954 section 6.1: id, octets of scope specifiers, octets of option specifiers, specifiers.
void NetflowV9Encoder::write_options_template(const OptionsTemplate& description,
                                              MessageWriter& out) const {
  out.write16(description.id);
  out.write16(4);
  out.write16(static_cast<std::uint16_t>(4 * description.fields.size()));
  out.write16(scope_type(description.scope.element));
  out.write16(description.scope.length);
  for (const FieldSpecifier& field : description.fields) {
    out.write16(static_cast<std::uint16_t>(field.element));
    out.write16(field.length);
  }
}

}  // namespace wiretally
