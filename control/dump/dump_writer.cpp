// SPDX-License-Identifier: Apache-2.0
// The writing thread and its files.
#include "control/dump/dump_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "config/time_zone.hpp"
#include "config/values.hpp"
#include "dataplane/descriptor.hpp"

namespace wiretally {
namespace {

using std::chrono::milliseconds;

constexpr auto kRetry = std::chrono::seconds(10);
constexpr milliseconds kDnsLimit{30'000};
constexpr milliseconds kDnsLimitAtEnd{2'000};
constexpr std::size_t kWaitingMax = 256;
constexpr std::size_t kWaitingRowsMax = 2'000'000;
constexpr mode_t kFileMode = 0644;

std::string cure(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "make room on that disk";
    case EACCES:
    case EPERM:
    case EROFS:
      return "let the meter's user write there";
    default:
      return "see to it that this file can be written";
  }
}

std::string problem(const std::string& path, const char* what, int error) {
  return fmt::format("{}: cannot {} ({}); {}", path, what, std::strerror(error), cure(error));
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string replace_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  const Descriptor fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
  if (fd.get() < 0) return problem(beside, "make the file", errno);
  std::string wrong;
  if (!write_all(fd.get(), text) || ::fsync(fd.get()) != 0) {
    wrong = problem(beside, "write", errno);
  } else if (::rename(beside.c_str(), path.c_str()) != 0) {
    wrong = problem(path, "put the file in its place", errno);
  }
  if (!wrong.empty()) ::unlink(beside.c_str());
  return wrong;
}

// Whole, or as it was before.
std::string append_to_file(const std::string& path, const std::string& text) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode));
  if (fd.get() < 0) return problem(path, "open", errno);
  struct stat before {};
  if (::fstat(fd.get(), &before) != 0) return problem(path, "look at", errno);
  if (write_all(fd.get(), text)) return {};
  const int error = errno;
  const bool undone = ::ftruncate(fd.get(), before.st_size) == 0;
  return problem(path, undone ? "write" : "write, nor take back what was written", error);
}

bool is_fresh(const std::string& path, bool append) {
  struct stat file {};
  return !append || ::stat(path.c_str(), &file) != 0 || file.st_size == 0;
}

}  // namespace

std::string put_into_file(const std::string& path, const std::string& text, bool append) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code failed;
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed) return problem(folder.string(), "make the folder", failed.value());
  return append ? append_to_file(path, text) : replace_file(path, text);
}

DumpWriter::DumpWriter(Log log, HostNameResolver::Lookup lookup)
    : log_(std::move(log)), resolver_(std::move(lookup)) {
  status_.kept = true;
  thread_ = std::thread([this] { run(); });
}

DumpWriter::~DumpWriter() {
  finish();
}

void DumpWriter::add(Dump dump) {
  const std::lock_guard lock(mutex_);
  waiting_rows_ += dump.rows.size();
  waiting_.push_back(std::move(dump));
  while (waiting_.size() > kWaitingMax ||
         (waiting_.size() > 1 && waiting_rows_ > kWaitingRowsMax)) {
    drop_oldest();
  }
  status_.waiting = waiting_.size() + (busy_ ? 1 : 0);
  wake_.notify_all();
}

// Under the lock. What is being written is not in the queue.
void DumpWriter::drop_oldest() {
  waiting_rows_ -= waiting_.front().rows.size();
  ++status_.lost;
  log_(
      fmt::format("dump of monitor {}, due {} s after 1970: given up, too much waits to be written",
                  waiting_.front().monitor, waiting_.front().end));
  waiting_.pop_front();
}

void DumpWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (failing_ && !stopping_) {
      wake_.wait_for(lock, kRetry, [this] { return stopping_; });
    } else {
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    }
    if (waiting_.empty()) {
      if (stopping_) return;
      failing_ = false;
      continue;
    }
    Dump dump = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_rows_ -= dump.rows.size();
    busy_ = true;
    const milliseconds dns_limit = stopping_ ? kDnsLimitAtEnd : kDnsLimit;
    lock.unlock();
    const bool written = write(dump, dns_limit);
    lock.lock();
    busy_ = false;
    failing_ = !written;
    if (!written && stopping_) {
      ++status_.lost;
    } else if (!written) {
      waiting_rows_ += dump.rows.size();
      waiting_.push_front(std::move(dump));
    }
    status_.waiting = waiting_.size();
    idle_.notify_all();
  }
}

bool DumpWriter::write(Dump& dump, milliseconds dns_limit) {
  std::string trouble;
  try {
    const cctz::time_zone zone = parse_time_zone(dump.config.timezone);
    arrange(dump);
    HostNames names;
    if (dump.config.resolve) names = resolver_.resolve(dump.rows, dns_limit);
    const std::string path = file_name(dump, zone);
    const bool fresh = is_fresh(path, dump.config.append);
    trouble = put_into_file(path, dump_text(dump, zone, names, fresh), dump.config.append);
  } catch (const ValueError& error) {
    trouble = error.what();
  }
  settle(dump, trouble);
  return trouble.empty();
}

// Counts, and one log line a change.
void DumpWriter::settle(const Dump& dump, const std::string& trouble) {
  const std::lock_guard lock(mutex_);
  if (trouble.empty()) {
    ++status_.written;
    if (!status_.trouble.empty()) log_(fmt::format("dump of monitor {}: written", dump.monitor));
  } else {
    ++status_.failures;
    if (status_.trouble != trouble) {
      log_(fmt::format("dump of monitor {}: {}; it waits and is tried again", dump.monitor,
                       trouble));
    }
  }
  status_.trouble = trouble;
}

void DumpWriter::wait_idle() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return failing_ || (waiting_.empty() && !busy_); });
}

void DumpWriter::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

DumpStatus DumpWriter::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace wiretally
