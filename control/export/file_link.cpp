// SPDX-License-Identifier: Apache-2.0
// See file_link.hpp.
#include "control/export/file_link.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

#include "control/export/export_link.hpp"

namespace wiretally {
namespace {

constexpr SteadyNs kRetry = 1'000'000'000;  // after the disk refused
constexpr unsigned kCopiesMax = 10'000;

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

class FileLink final : public ExportLink {
 public:
  FileLink(const CollectorConfig& collector, const ExporterInfo& exporter, LogCallback log);
  ~FileLink() override { finish(0); }

 private:
  void run() override;
  [[nodiscard]] bool is_done(SteadyNs now) const;
  [[nodiscard]] SteadyNs next_deadline(SteadyNs now) const;
  void write_round(SteadyNs now);
  bool open_file(SteadyNs now);
  void close_file();
  [[nodiscard]] bool is_over() const;  // the file's time
  void on_success();
  void on_trouble(const std::string& what, int error, SteadyNs now);

  const TimeNs interval_;
  int fd_ = -1;
  std::string name_;  // without .part
  std::uint64_t octets_ = 0;
  TimeNs period_ = 0;  // number of the interval in which the file was begun
  SteadyNs retry_at_ = 0;
  bool in_trouble_ = false;
};

// What describes the records stands at the beginning of each file, and the statistics again by
// time.
TemplateRefreshConfig by_time(const TemplateRefreshConfig& refresh) {
  return {0, refresh.interval};
}

FileLink::FileLink(const CollectorConfig& collector, const ExporterInfo& exporter, LogCallback log)
    : ExportLink(collector, exporter, std::move(log), by_time(collector.templates)),
      interval_(collector.rotate.interval.count()) {
  show("up");
  start_thread();
}

void FileLink::run() {
  for (;;) {
    const SteadyNs now = steady_now();
    if (begin_finishing(now)) retry_at_ = 0;
    if (fd_ >= 0 && is_over()) close_file();
    if (now >= retry_at_) write_round(now);
    if (is_done(now)) break;
    wait(next_deadline(now), -1, 0);
  }
  queue_.close();
  close_file();
  close_books(in_trouble_ ? ExportDrop::kDisk : ExportDrop::kShutdown);
}

bool FileLink::is_done(SteadyNs now) const {
  return finishing_ && (now >= finish_at_ || is_empty());
}

SteadyNs FileLink::next_deadline(SteadyNs now) const {
  SteadyNs until = finish_at_;
  if (fd_ >= 0 && interval_ != 0) {
    const TimeNs left = (period_ + 1) * interval_ - exporter_.clock();
    until = std::min(until, now + std::clamp<TimeNs>(left, 0, kRetry));  // clocks may be set
  }
  if (now < retry_at_) return std::min(until, retry_at_);
  const bool nothing = queue_.waiting() + batch_.in_hand() == 0;
  if (fd_ < 0 && nothing) return std::min(until, batch_.held_until());
  return std::min(until, records_due(now));
}

bool FileLink::is_over() const {
  if (octets_ >= config_.rotate.size && config_.rotate.size != 0) return true;
  return interval_ != 0 && exporter_.clock() / interval_ != period_;
}

// A file is begun for records, not for a refresh of what describes none.
void FileLink::write_round(SteadyNs now) {
  take_records(now);
  if (fd_ < 0 && (batch_.in_hand() == 0 || !open_file(now))) return;
  if (templates_wanted(now)) batch_.announce();
  while (batch_.announcing() || batch_.in_hand() > 0) {
    batch_.build(exporter_.clock(), MessageBatch::kMessagesMax, queue_.waiting() > 0);
    const auto& messages = batch_.messages();
    if (messages.empty()) return;
    std::size_t done = 0;
    for (; done < messages.size(); ++done) {
      const auto& message = messages[done];
      const std::size_t size = message.octets.size();
      errno = ENOSPC;  // what a write that takes only a part means
      const ssize_t written = size == 0 ? 0 : write(fd_, message.octets.data(), size);
      if (written != static_cast<ssize_t>(size)) break;
      octets_ += size;
      drop_unsendable(message);
      queue_.settle(message.tally.encoded.records);
      if (size != 0) count_message(message, now);
    }
    const bool all = done == messages.size();
    const int error = errno;
    batch_.commit(done);
    if (!all) return on_trouble("cannot be written", error, now);
    on_success();
    if (is_over() && batch_.in_hand() > 0) {
      close_file();
      if (!open_file(now)) return;
    }
  }
}

bool FileLink::open_file(SteadyNs now) {
  const TimeNs time = exporter_.clock();
  unsigned copy = 0;
  do {
    name_ = file_name(config_.address, time, copy);
  } while ((exists(name_) || exists(name_ + ".part")) && ++copy < kCopiesMax);
  fd_ = open((name_ + ".part").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (fd_ < 0) {
    on_trouble("cannot be made", errno, now);
    return false;
  }
  octets_ = 0;
  period_ = interval_ == 0 ? 0 : time / interval_;
  batch_.begin_session();
  plan_.restart(now);
  return true;
}

void FileLink::close_file() {
  if (fd_ < 0) return;
  fdatasync(fd_);
  close(fd_);
  fd_ = -1;
  const std::string part = name_ + ".part";
  if (octets_ == 0) {
    unlink(part.c_str());
  } else {
    rename(part.c_str(), name_.c_str());
  }
}

void FileLink::on_success() {
  if (!in_trouble_) return;
  in_trouble_ = false;
  queue_.set_overflow_reason(ExportDrop::kQueueFull);
  log("is written again, to " + name_);
  show("up");
}

// What was written in part is taken back: a file ends with a whole message.
void FileLink::on_trouble(const std::string& what, int error, SteadyNs now) {
  const std::string why = std::strerror(error);
  count_send_errors(1);
  if (fd_ >= 0 && ftruncate(fd_, static_cast<off_t>(octets_)) == 0) {
    lseek(fd_, static_cast<off_t>(octets_), SEEK_SET);
  }
  retry_at_ = now + kRetry;
  queue_.set_overflow_reason(ExportDrop::kDisk);
  if (in_trouble_) return;
  in_trouble_ = true;
  show_trouble(ExportDrop::kDisk);
  warn(name_ + " " + what + ": " + why + "; records wait in the queue");
}

}  // namespace

std::string file_name(const std::string& pattern, TimeNs time, unsigned copy) {
  const std::size_t slash = pattern.rfind('/') + 1;
  const std::size_t dot = pattern.rfind('.');
  const std::size_t end = dot == std::string::npos || dot <= slash ? pattern.size() : dot;
  std::string wanted = pattern;
  if (wanted.find('%') == std::string::npos) wanted.insert(end, "-%Y%m%dT%H%M%SZ");
  if (copy != 0) {
    const std::size_t suffix = wanted.size() - (pattern.size() - end);
    std::string number = "-";
    number += std::to_string(copy);
    wanted.insert(suffix, number);
  }
  const std::time_t seconds = static_cast<std::time_t>(time / kNsPerSecond);
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  std::string name(wanted.size() + 256, '\0');
  name.resize(std::strftime(name.data(), name.size(), wanted.c_str(), &fields));
  return name;
}

std::unique_ptr<RecordSink> make_file_link(const CollectorConfig& collector,
                                           const ExporterInfo& exporter, LogCallback log) {
  return std::make_unique<FileLink>(collector, exporter, std::move(log));
}

}  // namespace wiretally
