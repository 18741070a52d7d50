// SPDX-License-Identifier: Apache-2.0
// Watches what monitors use of their quotas: fills in QuotaStatus, writes one log line when a state
// changes, and runs the quota's command when it becomes `warning` or `over`. What was used before a
// restart comes from the history, if one is kept; a state that was reached before it is told by a
// log line and runs nothing again. A quota is counted anew when its period ends, or when the clock
// steps out of it. Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "control/monitor/command_runner.hpp"
#include "control/monitor/monitor_status.hpp"
#include "control/monitor/quota_period.hpp"
#include "control/reload.hpp"

namespace wiretally {

class QuotaKeeper final : public Reloadable {
 public:
  using Log = std::function<void(const std::string&)>;

  // Throws StartupError for an unknown time zone.
  QuotaKeeper(const Config& config, Log log);

  // Once a tick. `wall_s`: seconds since the Unix epoch, UTC.
  void update(std::vector<MonitorStatus>& monitors, std::int64_t wall_s);
  PreparedChange prepare(const Config& running, const Config& next) override;

 private:
  struct Book {
    QuotaConfig config;
    std::uint64_t limit = 0;
    std::uint64_t warn_at = 0;
    Period period;
    std::uint64_t known = 0;    // octets of the period that are not in this run's counter ...
    std::uint64_t counter = 0;  // ... which stood here then
    std::uint64_t last = 0;     // and here at the last update
    std::int64_t since_s = 0;   // known of the period
    QuotaState state = QuotaState::kNone;
  };

  void set(const std::vector<MonitorConfig>& monitors);
  void open(Book& book, const std::string& monitor, std::uint64_t octets, std::int64_t wall_s);
  void tell(Book& book, const MonitorStatus& monitor, QuotaState state, bool is_new);

  const std::string history_path_;
  const Calendar calendar_;
  const Log log_;
  CommandRunner runner_;
  std::map<std::string, Book> books_;  // by monitor
};

}  // namespace wiretally
