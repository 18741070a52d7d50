// SPDX-License-Identifier: Apache-2.0
// A year of monitors in a history file with the usual `keep`: how large it is, and how long reports
// take. Each monitor tells, each minute, its whole in both directions and 40 of its hosts, drawn
// anew each hour (the heavier the oftener), of which the history keeps the heaviest 20. Minutes
// and five minutes that are not kept to the end come an hour at a time, which leaves the same file
// and saves most of the writing; so do flushes once a day until then. Reports are those of the
// command line, from opening the file to the text; median of nine. Usage: history_year [DAYS
// [MONITORS [HOSTS]]]. Thread: one.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

#include "control/history/history_writer.hpp"
#include "control/report/report_text.hpp"

namespace wiretally::perf {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kDay = 24 * 60 * kMinute;
constexpr std::int64_t kStart = 1'767'225'600;  // 2026-01-01 00:00 UTC
constexpr int kHostsOffered = 40;

struct Size {
  std::uint32_t days = 365;
  std::uint32_t monitors = 20;
  std::uint32_t hosts = 1000;  // of each monitor
};

class Year {
 public:
  explicit Year(const Size& size) : size_(size) {
    std::string pattern = std::filesystem::temp_directory_path() / "wiretally-year-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    config_.path = folder_ + "/history.db";
    config_.timezone = "Europe/Paris";
  }
  ~Year() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Year(const Year&) = delete;
  Year& operator=(const Year&) = delete;

  void write() {
    const auto began = std::chrono::steady_clock::now();
    HistoryWriter history(config_, [](const std::string& line) { fmt::print("{}\n", line); });
    const std::int64_t end = kStart + size_.days * kDay;
    std::int64_t now = kStart;
    while (now < end) {
      const std::int64_t flush = now < end - 3 * kDay ? kDay : 60 * kMinute;
      if (now % flush == 0) history.flush(now, now);
      if (now % (60 * kMinute) == 0) draw_hosts();
      const std::int64_t span = now < end - 63 * kDay  ? 60 * kMinute
                                : now < end - 3 * kDay ? 5 * kMinute
                                                       : kMinute;
      history.add(now, samples(static_cast<std::uint64_t>(span)));
      now += span;
    }
    history.finish(now, now);
    end_ = now;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    fmt::print("{} days of {} monitors, {} hosts each: {:.1f} MB (written in {:.0f} s)\n",
               size_.days, size_.monitors, size_.hosts,
               static_cast<double>(std::filesystem::file_size(config_.path)) / 1e6, took.count());
  }

  void report(const char* what, Level level, std::size_t periods, std::int64_t from, bool groups,
              std::vector<std::string> names) const {
    ReportQuery query;
    query.level = level;
    query.periods = periods;
    if (from != 0) query.from = end_ - from;
    query.to = end_ - 1;
    query.groups = groups;
    query.names = std::move(names);
    std::size_t lines = 0;
    const double ms = median([&] {
      const Calendar calendar(config_.timezone, config_.week_starts);
      const std::string text =
          report_as_text(make_report(HistoryReader(config_.path), calendar, query), ReportStyle());
      lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    });
    fmt::print("  {:<44} {:>6} lines {:>8.1f} ms\n", what, lines, ms);
  }

  void percentiles(const char* what, std::vector<std::string> names) const {
    ReportQuery query;
    query.names = std::move(names);
    query.level = Level::kMonth;
    query.periods = 12;
    query.to = end_ - 1;
    const double ms = median([&] {
      const Calendar calendar(config_.timezone, config_.week_starts);
      const HistoryReader reader(config_.path);
      (void)percentiles_as_text(make_percentiles(reader, calendar, query, false));
    });
    fmt::print("  {:<44} {:>12} {:>8.1f} ms\n", what, "", ms);
  }

 private:
  template <class Work>
  static double median(const Work& work) {
    std::vector<double> times;
    for (int round = 0; round < 9; ++round) {
      const auto began = std::chrono::steady_clock::now();
      work();
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - began;
      times.push_back(took.count());
    }
    std::ranges::sort(times);
    return times[times.size() / 2];
  }

  void draw_hosts() {
    std::uniform_real_distribution<double> uniform(0, 1);
    hosts_.assign(std::size_t{size_.monitors} * kHostsOffered, 0);
    for (std::uint32_t& host : hosts_) {  // log-uniform: a few hosts are drawn often
      host = static_cast<std::uint32_t>(std::pow(size_.hosts, uniform(random_))) - 1;
    }
  }

  std::vector<SeriesSample> samples(std::uint64_t seconds) {
    std::vector<SeriesSample> all;
    for (std::uint32_t m = 0; m < size_.monitors; ++m) {
      const std::string name = fmt::format("monitor{}", m);
      DirectedVolume whole;
      for (int h = 0; h < kHostsOffered; ++h) {
        const std::uint32_t host = hosts_[m * kHostsOffered + static_cast<std::uint32_t>(h)];
        const std::uint64_t octets = (1 + random_() % 100'000) * seconds / (host + 1);
        const Volume in{octets / 700, octets, octets + octets / 50};
        const Volume out{octets / 1400, octets / 20, octets / 19};
        DirectedVolume volume{in, in, out};
        volume.total += out;
        whole += volume;
        all.push_back({{SeriesKind::kMonitor, name,
                        fmt::format("10.{}.{}.{}", m, host / 250, 1 + host % 250)},
                       volume});
      }
      all.push_back({{SeriesKind::kMonitor, name, ""}, whole});
    }
    return all;
  }

  const Size size_;
  std::string folder_;
  HistoryConfig config_;
  std::mt19937_64 random_{20'261};
  std::vector<std::uint32_t> hosts_;  // of this hour, by monitor
  std::int64_t end_ = 0;
};

int main(int argc, char** argv) {
  Size size;
  std::uint32_t* const fields[] = {&size.days, &size.monitors, &size.hosts};
  for (int i = 1; i < argc && i <= 3; ++i) {
    std::from_chars(argv[i], argv[i] + std::strlen(argv[i]), *fields[i - 1]);
  }
  Year year(size);
  year.write();
  const std::int64_t all = (size.days + 1) * kDay;
  year.report("--hourly", Level::kHour, 24, 0, false, {});
  year.report("--daily", Level::kDay, 30, 0, false, {});
  year.report("--daily, of the year", Level::kDay, 0, all, false, {});
  year.report("--weekly", Level::kWeek, 12, 0, false, {});
  year.report("--monthly", Level::kMonth, 12, 0, false, {});
  year.report("--total", Level::kTotal, 1, 0, false, {});
  year.report("--hourly, all that is kept", Level::kHour, 0, all, false, {});
  year.report("--daily MONITOR --by host", Level::kDay, 30, 0, true, {"monitor0"});
  year.report("--daily --by host, of all monitors", Level::kDay, 30, 0, true, {});
  year.report("--monthly --by host, of all monitors", Level::kMonth, 12, 0, true, {});
  year.percentiles("--p95 MONITOR", {"monitor0"});
  year.percentiles("--p95, of all monitors", {});
  return 0;
}

}  // namespace
}  // namespace wiretally::perf

int main(int argc, char** argv) {
  return wiretally::perf::main(argc, argv);
}
