// SPDX-License-Identifier: Apache-2.0
// Between the tick and the history: asks the producers when a flush is due, and counts the
// interfaces from the Status itself. Thread: control.
#pragma once

#include <string>
#include <vector>

#include "control/history/history_writer.hpp"
#include "control/status.hpp"

namespace wiretally {

class HistoryTap {
 public:
  // Throws StartupError.
  HistoryTap(const HistoryConfig& config, HistoryWriter::Log log);

  // Borrowed; asked as long as this lives.
  void add(HistoryProducer& producer) { producers_.push_back(&producer); }
  void start() { writer_.start(); }
  // Once a tick. `interval`: what was counted is as old. `end`: the last one, whatever is due.
  void collect(Status& status, TimeNs interval, bool end);

 private:
  void take_ports(const Status& status, std::vector<SeriesSample>& samples);

  std::vector<HistoryProducer*> producers_;
  std::vector<Volume> ports_before_;
  HistoryWriter writer_;
};

}  // namespace wiretally
