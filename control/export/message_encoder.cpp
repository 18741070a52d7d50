// SPDX-License-Identifier: Apache-2.0
// See message_encoder.hpp: the choice of encoder by configured version. Thread: control.
#include "control/export/message_encoder.hpp"

#include "control/export/ipfix.hpp"
#include "control/export/netflow_v5.hpp"
#include "control/export/netflow_v9.hpp"

namespace wiretally {

std::unique_ptr<MessageEncoder> make_message_encoder(const CollectorConfig& collector,
                                                     const ExporterInfo& exporter,
                                                     std::function<ExportStatistics()> statistics) {
  switch (collector.version) {
    case NetflowVersion::kV1:
    case NetflowVersion::kV5:
      return std::make_unique<NetflowV5Encoder>(collector, exporter);
    case NetflowVersion::kV9:
      return std::make_unique<NetflowV9Encoder>(collector, exporter, std::move(statistics));
    case NetflowVersion::kIpfix:
      return std::make_unique<IpfixEncoder>(collector, exporter, std::move(statistics));
  }
  return nullptr;
}

}  // namespace wiretally
