// SPDX-License-Identifier: Apache-2.0
// Samples of a tick. Thread: control.
#include "control/history/history_tap.hpp"

namespace wiretally {

HistoryTap::HistoryTap(const HistoryConfig& config, HistoryWriter::Log log)
    : writer_(config, std::move(log)) {}

void HistoryTap::collect(Status& status, TimeNs interval, bool end) {
  if (writer_.due(status.time / kNsPerSecond) || end) {
    std::vector<SeriesSample> samples;
    for (HistoryProducer* producer : producers_) {
      producer->take_samples(samples);
      writer_.describe(producer->groupings());
      writer_.note_overlaps(producer->take_overlaps());
    }
    take_ports(status, samples);
    writer_.add((status.time - interval) / kNsPerSecond, samples);
  }
  status.history = writer_.status();
}

// Layer 3 of what is metered, layer 2 and packets of all that was received.
void HistoryTap::take_ports(const Status& status, std::vector<SeriesSample>& samples) {
  ports_before_.resize(status.ports.size());
  for (std::size_t i = 0; i < status.ports.size(); ++i) {
    const PortStatus& port = status.ports[i];
    Volume now = port.received;
    for (const Volume& metered : port.metered) now.octets += metered.octets;
    const Volume since = now - ports_before_[i];
    ports_before_[i] = now;
    samples.push_back({{SeriesKind::kInterface, port.name, ""}, {since, since, {}}});
  }
}

}  // namespace wiretally
