// SPDX-License-Identifier: Apache-2.0
// See announcement.hpp. Sampling is IE 34 alone: nfdump 1.7.1 takes no other combination, and
// sending two styles makes it scale twice. Names have fixed lengths: nfdump refuses variable ones
// here. Thread: control (building), one link thread (records).
#include "control/export/announcement.hpp"

#include <cassert>

namespace wiretally {
namespace {

constexpr std::uint16_t kNameOctets = 32;
constexpr std::uint16_t kDescriptionOctets = 64;
constexpr FieldSpecifier kDomainScope = {Element::kObservationDomainId, 4};

OptionsAnnouncement sampling_options(const ExporterInfo& exporter) {
  OptionsTemplate description{kSamplingOptionsId, kDomainScope, {{Element::kSamplingInterval, 4}}};
  const std::vector<OptionsValue> values = {{exporter.domain_id, {}}, {exporter.sampling_rate, {}}};
  return {description, 1, [values](std::size_t) { return values; }};
}

OptionsAnnouncement interface_options(const ExporterInfo& exporter) {
  OptionsTemplate description{kInterfaceOptionsId,
                              {Element::kIngressInterface, 4},
                              {{Element::kInterfaceName, kNameOctets},
                               {Element::kInterfaceDescription, kDescriptionOctets}}};
  const auto interfaces = exporter.interfaces;
  return {description, interfaces.size(), [interfaces](std::size_t index) {
            const ExportedInterface& interface = interfaces[index];
            return std::vector<OptionsValue>{
                {interface.ifindex, {}}, {0, interface.name}, {0, interface.description}};
          }};
}

// By what name the people who run it know this meter.
OptionsAnnouncement domain_options(const ExporterInfo& exporter) {
  OptionsTemplate description{
      kDomainOptionsId, kDomainScope, {{Element::kObservationDomainName, kDescriptionOctets}}};
  const std::vector<OptionsValue> values = {{exporter.domain_id, {}}, {0, exporter.domain_name}};
  return {description, 1, [values](std::size_t) { return values; }};
}

OptionsAnnouncement statistics_options(const ExporterInfo& exporter,
                                       std::function<ExportStatistics()> statistics) {
  OptionsTemplate description{kExportStatisticsId,
                              kDomainScope,
                              {{Element::kExportedOctetTotalCount, 8},
                               {Element::kExportedMessageTotalCount, 8},
                               {Element::kExportedFlowRecordTotalCount, 8},
                               {Element::kNotSentFlowTotalCount, 8},
                               {Element::kNotSentPacketTotalCount, 8},
                               {Element::kNotSentOctetTotalCount, 8}}};
  const auto metering = exporter.metering;
  if (metering) {
    description.id = kFullStatisticsId;
    description.fields.push_back({Element::kObservedFlowTotalCount, 8});
    description.fields.push_back({Element::kIgnoredPacketTotalCount, 8});
    description.fields.push_back({Element::kIgnoredOctetTotalCount, 8});
  }
  const std::uint32_t domain = exporter.domain_id;
  return {description, 1, [domain, metering, statistics](std::size_t) {
            const ExportStatistics s = statistics();
            std::vector<OptionsValue> values = {
                {domain, {}},           {s.octets, {}},           {s.messages, {}},
                {s.records, {}},        {s.not_sent.records, {}}, {s.not_sent.packets, {}},
                {s.not_sent.octets, {}}};
            if (metering) {
              const MeteringStatistics m = metering();
              values.push_back({m.observed_flows, {}});
              values.push_back({m.ignored_packets, {}});
              values.push_back({m.ignored_octets, {}});
            }
            return values;
          }};
}

void write_value(const FieldSpecifier& field, const OptionsValue& value, MessageWriter& out) {
  const InformationElement* element = find_element(static_cast<std::uint16_t>(field.element));
  assert(element != nullptr);
  if (element->type == ElementType::kString) {
    out.write_text(value.text, field.length);
  } else {
    out.write_unsigned(value.number, field.length);
  }
}

}  // namespace

std::size_t OptionsTemplate::record_octets() const {
  std::size_t octets = scope.length;
  for (const FieldSpecifier& field : fields) octets += field.length;
  return octets;
}

std::vector<OptionsAnnouncement> make_options(const CollectorConfig& collector,
                                              const ExporterInfo& exporter,
                                              std::function<ExportStatistics()> statistics) {
  std::vector<OptionsAnnouncement> options;
  if (collector.option_sampling) options.push_back(sampling_options(exporter));
  if (collector.option_interfaces && !exporter.interfaces.empty()) {
    options.push_back(interface_options(exporter));
  }
  if (collector.option_domain && !exporter.domain_name.empty()) {
    options.push_back(domain_options(exporter));
  }
  if (collector.option_statistics && statistics) {
    options.push_back(statistics_options(exporter, std::move(statistics)));
  }
  return options;
}

void write_options_record(const OptionsTemplate& description, std::span<const OptionsValue> values,
                          MessageWriter& out) {
  assert(values.size() == description.fields.size() + 1);
  write_value(description.scope, values[0], out);
  for (std::size_t i = 0; i < description.fields.size(); ++i) {
    write_value(description.fields[i], values[i + 1], out);
  }
}

}  // namespace wiretally
