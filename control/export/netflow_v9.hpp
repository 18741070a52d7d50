// SPDX-License-Identifier: Apache-2.0
// NetFlow v9 (RFC 3954). Sequence: one per datagram. Count: records of every kind, not sets.
// Thread: one link thread.
#pragma once

#include "control/export/template_encoder.hpp"
#include "control/export/uptime_clock.hpp"

namespace wiretally {

class NetflowV9Encoder final : public TemplateEncoder {
 public:
  NetflowV9Encoder(const CollectorConfig& collector, const ExporterInfo& exporter,
                   std::function<ExportStatistics()> statistics);

 private:
  [[nodiscard]] std::int64_t boot_ms(TimeNs now) const override { return clock_.boot_ms(now); }
  std::uint32_t write_header(std::uint8_t* header, std::size_t message_octets, const Counts& counts,
                             TimeNs now, std::uint32_t sequence) const override;
  void write_options_template(const OptionsTemplate& description,
                              MessageWriter& out) const override;

  const std::uint32_t source_id_;
  const UptimeClock clock_;
};

}  // namespace wiretally
