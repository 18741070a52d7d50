// SPDX-License-Identifier: Apache-2.0
// See ipfix.hpp. Thread: one link thread.
#include "control/export/ipfix.hpp"

namespace wiretally {
namespace {

// RFC 7011 section 3.1:
//   0 version 2 | 2 length 2 | 4 export time 4 | 8 sequence 4 | 12 Observation Domain ID 4
constexpr std::size_t kHeaderOctets = 16;

}  // namespace

IpfixEncoder::IpfixEncoder(const CollectorConfig& collector, const ExporterInfo& exporter,
                           std::function<ExportStatistics()> statistics)
    : TemplateEncoder({kHeaderOctets, 2, 3}, collector, exporter, std::move(statistics)),
      observation_domain_id_(exporter.domain_id),
      clock_(exporter.start_time, true) {}

std::uint32_t IpfixEncoder::write_header(std::uint8_t* header, std::size_t message_octets,
                                         const Counts& counts, TimeNs now,
                                         std::uint32_t sequence) const {
  store_be16(header, 10);
  store_be16(header + 2, static_cast<std::uint16_t>(message_octets));
  store_be32(header + 4, static_cast<std::uint32_t>(now / kNsPerSecond));
  store_be32(header + 8, sequence);
  store_be32(header + 12, observation_domain_id_);
  return sequence + counts.options + counts.flows;
}

// RFC 7011 section 3.4.2.2: id, number of specifiers, how many of them are scope, specifiers.
void IpfixEncoder::write_options_template(const OptionsTemplate& description,
                                          MessageWriter& out) const {
  out.write16(description.id);
  out.write16(static_cast<std::uint16_t>(1 + description.fields.size()));
  out.write16(1);
  out.write16(static_cast<std::uint16_t>(description.scope.element));
  out.write16(description.scope.length);
  for (const FieldSpecifier& field : description.fields) {
    out.write16(static_cast<std::uint16_t>(field.element));
    out.write16(field.length);
  }
}

}  // namespace wiretally
