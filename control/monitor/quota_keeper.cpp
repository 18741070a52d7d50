// SPDX-License-Identifier: Apache-2.0
// Use against limit. Thread: control.
#include "control/monitor/quota_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/quota_values.hpp"

namespace wiretally {
namespace {

bool counts_alike(const QuotaConfig& a, const QuotaConfig& b) {
  return a.octets == b.octets && a.per == b.per && a.starts == b.starts && a.warn == b.warn;
}

// Straight on, at the rate of the time that is known.
std::uint64_t expected_use(std::uint64_t used, std::int64_t since_s, std::int64_t now_s,
                           std::int64_t end_s) {
  const auto known = static_cast<double>(std::max<std::int64_t>(now_s - since_s, 1));
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

void QuotaKeeper::open(Book& book, const std::string& monitor, std::uint64_t octets,
                       std::int64_t wall_s) {
  book.period = quota_period(book.config, calendar_, wall_s);
  const KnownUse use = known_use(history_path_, monitor, book.config, book.period);
  book.known = use.octets;
  book.counter = octets;
  book.since_s = std::min(use.since_s, wall_s);
}

void QuotaKeeper::update(std::vector<MonitorStatus>& monitors, std::int64_t wall_s) {
  runner_.reap();
  for (MonitorStatus& monitor : monitors) {
    const auto found = books_.find(monitor.name);
    if (found == books_.end()) continue;
    Book& book = found->second;
    const std::uint64_t octets = monitor.volume.total.octets;
    const bool is_new = book.state == QuotaState::kNone;
    // A counter that went back is that of a monitor which a reload has made anew.
    if (is_new || wall_s < book.period.start || wall_s >= book.period.end || octets < book.last) {
      open(book, monitor.name, octets, wall_s);
    }
    book.last = octets;
    QuotaStatus& quota = monitor.quota;
    quota.limit = book.limit;
    quota.used = book.known + (octets - book.counter);
    quota.expected = expected_use(quota.used, book.since_s, wall_s, book.period.end);
    quota.starts_s = book.period.start;
    quota.ends_s = book.period.end;
    quota.state = quota.used > book.limit      ? QuotaState::kOver
                  : quota.used >= book.warn_at ? QuotaState::kWarning
                                               : QuotaState::kGood;
    if (quota.state != book.state) tell(book, monitor, quota.state, is_new);
  }
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
