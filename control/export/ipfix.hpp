// SPDX-License-Identifier: Apache-2.0
// IPFIX (RFC 7011). Sequence: Data Records sent before this message, Options records included, as
// section 3.1 says (nfcapd 1.7.1 leaves the Options records out of its own count and reports a gap
// at every refresh: switch `options` off for such a collector). Thread: one link thread.
#pragma once

#include "control/export/template_encoder.hpp"
#include "control/export/uptime_clock.hpp"

namespace wiretally {

class IpfixEncoder final : public TemplateEncoder {
 public:
  IpfixEncoder(const CollectorConfig& collector, const ExporterInfo& exporter,
               std::function<ExportStatistics()> statistics);

 private:
  [[nodiscard]] std::int64_t boot_ms(TimeNs now) const override { return clock_.boot_ms(now); }
  std::uint32_t write_header(std::uint8_t* header, std::size_t message_octets, const Counts& counts,
                             TimeNs now, std::uint32_t sequence) const override;
  void write_options_template(const OptionsTemplate& description,
                              MessageWriter& out) const override;

  const std::uint32_t observation_domain_id_;
  const UptimeClock clock_;
};

}  // namespace wiretally
