// SPDX-License-Identifier: Apache-2.0
// Use against limit. Thread: control.
#include "control/monitor/quota_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "config/quota_values.hpp"

namespace wiretally {
namespace {

bool counts_alike(const QuotaConfig& a, const QuotaConfig& b) {
  return a.octets == b.octets && a.per == b.per && a.starts == b.starts && a.warn == b.warn;
}

// Straight on, at the rate of the time that is known; of a minute at least, for what one second
// brought is no word on a month.
std::uint64_t expected_use(std::uint64_t used, std::int64_t since_s, std::int64_t now_s,
                           std::int64_t end_s) {
  const auto known = static_cast<double>(std::max<std::int64_t>(now_s - since_s, 60));
  const auto left = static_cast<double>(std::max<std::int64_t>(end_s - now_s, 0));
  return used + static_cast<std::uint64_t>(static_cast<double>(used) * (left / known));
}

const char* name_of_state(QuotaState state) {
  switch (state) {
    case QuotaState::kOver:
      return "over";
    case QuotaState::kWarning:
      return "warning";
    default:
      return "good";
  }
}

}  // namespace

QuotaKeeper::QuotaKeeper(const Config& config, Log log)
    : history_path_(config.history.wanted ? config.history.path : ""),
      calendar_(config.history.timezone, config.history.week_starts),
      log_(std::move(log)),
      runner_(log_) {
  set(config.monitors);
}

// A quota that is the same goes on, with another command maybe.
void QuotaKeeper::set(const std::vector<MonitorConfig>& monitors) {
  std::map<std::string, Book> books;
  for (const MonitorConfig& monitor : monitors) {
    if (monitor.quota.octets.empty()) continue;
    const auto before = books_.find(monitor.name);
    Book& book = books[monitor.name];
    if (before != books_.end() && counts_alike(before->second.config, monitor.quota)) {
      book = before->second;
    }
    book.config = monitor.quota;
    book.limit = parse_traffic(monitor.quota.octets);
    book.warn_at = static_cast<std::uint64_t>(static_cast<double>(book.limit) *
                                              parse_percent(monitor.quota.warn) / 100);
  }
  books_ = std::move(books);
}

// Counts from here on; what the period had before, the history says later.
void QuotaKeeper::open(Book& book, const std::string& monitor, std::uint64_t octets,
                       std::int64_t wall_s) {
  book.period = quota_period(book.config, calendar_, wall_s);
  book.known = 0;
  book.counter = octets;
  book.since_s = wall_s;
  book.question = 0;
  if (history_path_.empty()) return;
  book.question = ++questions_asked_;
  questions_.push_back({book.question, monitor, book.config, book.period, {}});
}

void QuotaKeeper::ask_history() {
  if (questions_.empty() || reading_.valid()) return;
  reading_ = std::async(
      std::launch::async, [path = history_path_, questions = std::move(questions_)]() mutable {
        for (Question& question : questions) {
          question.answer = known_use(path, question.monitor, question.config, question.period);
        }
        return std::move(questions);
      });
  questions_.clear();
}

// An answer to what was asked of another period, or another monitor of that name, is for nobody.
void QuotaKeeper::take_answers() {
  constexpr auto kNow = std::chrono::seconds(0);
  if (!reading_.valid() || reading_.wait_for(kNow) != std::future_status::ready) return;
  for (const Question& question : reading_.get()) {
    const auto found = books_.find(question.monitor);
    if (found == books_.end() || found->second.question != question.number) continue;
    Book& book = found->second;
    book.question = 0;
    book.known = question.answer.octets;
    book.since_s = std::min(question.answer.since_s, book.since_s);
  }
}

void QuotaKeeper::wait_for_history() {
  ask_history();
  while (reading_.valid()) {
    reading_.wait();
    take_answers();
    ask_history();
  }
}

void QuotaKeeper::update(std::vector<MonitorStatus>& monitors, std::int64_t wall_s) {
  runner_.reap();
  take_answers();
  for (MonitorStatus& monitor : monitors) {
    const auto found = books_.find(monitor.name);
    if (found == books_.end()) continue;
    Book& book = found->second;
    const std::uint64_t octets = monitor.volume.total.octets;
    const bool is_new = book.period.end == 0;
    // A counter that went back is that of a monitor which a reload has made anew.
    if (is_new || wall_s < book.period.start || wall_s >= book.period.end || octets < book.last) {
      open(book, monitor.name, octets, wall_s);
    }
    book.last = octets;
  }
  if (std::exchange(at_start_, false)) wait_for_history();
  for (MonitorStatus& monitor : monitors) {
    const auto found = books_.find(monitor.name);
    if (found != books_.end()) watch(found->second, monitor, wall_s);
  }
  ask_history();
}

void QuotaKeeper::watch(Book& book, MonitorStatus& monitor, std::int64_t wall_s) {
  QuotaStatus& quota = monitor.quota;
  quota.limit = book.limit;
  quota.used = book.known + (monitor.volume.total.octets - book.counter);
  quota.expected = expected_use(quota.used, book.since_s, wall_s, book.period.end);
  quota.starts_s = book.period.start;
  quota.ends_s = book.period.end;
  quota.state = quota.used > book.limit      ? QuotaState::kOver
                : quota.used >= book.warn_at ? QuotaState::kWarning
                                             : QuotaState::kGood;
  const bool is_told = book.question != 0 || quota.state == book.state;
  if (!is_told) tell(book, monitor, quota.state, book.state == QuotaState::kNone);
}

void QuotaKeeper::tell(Book& book, const MonitorStatus& monitor, QuotaState state, bool is_new) {
  const bool worse = state > book.state;
  book.state = state;
  if (is_new && state == QuotaState::kGood) return;
  log_(fmt::format("monitor {}: quota {}{}: {} of {} octets used, {} expected at the end of the {}",
                   monitor.name, name_of_state(state), is_new ? " since before the start" : "",
                   monitor.quota.used, monitor.quota.limit, monitor.quota.expected,
                   book.config.per));
  if (is_new || !worse || book.config.command.empty()) return;
  runner_.run(book.config.command, {{"WIRETALLY_MONITOR", monitor.name},
                                    {"WIRETALLY_STATE", name_of_state(state)},
                                    {"WIRETALLY_USED", std::to_string(monitor.quota.used)},
                                    {"WIRETALLY_LIMIT", std::to_string(monitor.quota.limit)}});
}

PreparedChange QuotaKeeper::prepare(const Config&, const Config& next) {
  PreparedChange change;
  change.commit = [this, monitors = next.monitors](Config&) { set(monitors); };
  return change;
}

}  // namespace wiretally
