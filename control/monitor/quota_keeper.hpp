// SPDX-License-Identifier: Apache-2.0
// Watches what monitors use of their quotas: fills in QuotaStatus, writes one log line when a state
// changes, and runs the quota's command when it becomes `warning` or `over`. What was used before a
// restart comes from the history, if one is kept; a state that was reached before it is told by a
// log line and runs nothing again. A quota is counted anew when its period ends, or when the clock
// steps out of it. The history is read by a thread of its own: only the first update(), at start,
// waits for it; later what it says is in one of the next updates, and no change is told before.
// Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
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
  // Until the history has said what the last update() asked of it.
  void wait_for_history();
  PreparedChange prepare(const Config& running, const Config& next) override;

 private:
  struct Book {
    QuotaConfig config;
    std::uint64_t limit = 0;
    std::uint64_t warn_at = 0;
    Period period;
    std::uint64_t known = 0;     // octets of the period that are not in this run's counter ...
    std::uint64_t counter = 0;   // ... which stood here then
    std::uint64_t last = 0;      // and here at the last update
    std::int64_t since_s = 0;    // known of the period
    std::uint64_t question = 0;  // to the history, not answered yet; 0: none
    QuotaState state = QuotaState::kNone;
  };
  struct Question {
    std::uint64_t number = 0;
    std::string monitor;
    QuotaConfig config;
    Period period;
    KnownUse answer;
  };

  void set(const std::vector<MonitorConfig>& monitors);
  void open(Book& book, const std::string& monitor, std::uint64_t octets, std::int64_t wall_s);
  void watch(Book& book, MonitorStatus& monitor, std::int64_t wall_s);
  void ask_history();
  void take_answers();
  void tell(Book& book, const MonitorStatus& monitor, QuotaState state, bool is_new);

  const std::string history_path_;
  const Calendar calendar_;
  const Log log_;
  CommandRunner runner_;
  std::map<std::string, Book> books_;  // by monitor
  std::uint64_t questions_asked_ = 0;
  std::vector<Question> questions_;
  std::future<std::vector<Question>> reading_;  // with the answers
  bool at_start_ = true;
};

}  // namespace wiretally
