// SPDX-License-Identifier: Apache-2.0
// Between the tick and the dumps: knows when the dump of each monitor is due, takes what its hosts
// have counted, hands it to the writer and lets the monitor begin anew. When several periods have
// gone by at once (a machine that slept, a gap in a recording), the counts are of the one that was
// due first, and those that had nothing are left out.
// Thread: control, between two ticks; status() too. Times: seconds since the Unix epoch, UTC.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/dump/dump_schedule.hpp"
#include "control/dump/dump_writer.hpp"
#include "control/monitor/monitor_book.hpp"
#include "control/reload.hpp"

namespace wiretally {

class DumpBook final : public Reloadable {
 public:
  // Borrows `monitors`. `interfaces`: what is listened on, for the text. `patient`: each dump is
  // written before the next begins (recordings, whose time does not wait). Throws StartupError for
  // an unknown time zone.
  DumpBook(const std::vector<MonitorConfig>& monitors, MonitorBook& book, std::string interfaces,
           bool patient, DumpWriter::Log log);

  // All that was counted before `now` is in the monitors, and nothing else.
  void advance(std::int64_t now);
  // Of what has been counted so far, without an end of the period: IPFM's SIGUSR1.
  void dump_now();
  // The last of each, named by the end of the period that has begun; blocks until written.
  void finish();
  // When the next one is due; INT64_MAX: none.
  [[nodiscard]] std::int64_t next_due() const;
  [[nodiscard]] DumpStatus status() const;

  // A monitor that will count anew has its last dump first.
  PreparedChange prepare(const Config& running, const Config& next) override;

 private:
  struct Entry {
    MonitorConfig config;
    DumpSchedule schedule;
    bool begun = false;
    std::int64_t since = 0;
    std::int64_t due = 0;
    std::int64_t seen = 0;  // the latest time that was told
  };

  [[nodiscard]] static std::vector<Entry> entries_of(const std::vector<MonitorConfig>& monitors);
  void need_writer();
  void begin(Entry& entry, std::int64_t now);
  void take(const Entry& entry);

  MonitorBook& book_;
  const std::string interfaces_;
  const bool patient_;
  const DumpWriter::Log log_;
  std::vector<Entry> entries_;
  std::unique_ptr<DumpWriter> writer_;  // null: no monitor has had a dump yet
};

// All dumps of these monitors are due at whole multiples of so many seconds; 0: there are none.
[[nodiscard]] std::int64_t dump_grid_s(const std::vector<MonitorConfig>& monitors);

}  // namespace wiretally
