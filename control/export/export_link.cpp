// SPDX-License-Identifier: Apache-2.0
// See export_link.hpp.
#include "control/export/export_link.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <utility>

#include "control/export/collector_settings.hpp"

namespace wiretally {
namespace {

constexpr std::uint64_t kRoundRecords = 4 * Pacer::kSliceRecordsMax;

std::string utc_text() {
  const std::time_t now = std::time(nullptr);
  std::tm fields{};
  gmtime_r(&now, &fields);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  return text.data();
}

}  // namespace

SteadyNs steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

ExportLink::ExportLink(const CollectorConfig& collector, const ExporterInfo& exporter,
                       LogCallback log, const TemplateRefreshConfig& refresh)
    : config_(collector),
      exporter_(with_defaults(exporter)),
      queue_(exporter.queue_records, exporter.lossless),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      batch_(make_message_encoder(config_, exporter_, [this] { return statistics(); }),
             exporter_.accepts, config_.max_datagram, config_.biflow),
      pacer_(collector.rate, batch_.records_in_datagram()),
      plan_(refresh, !batch_.has_no_announcements()),
      log_(std::move(log)) {}

ExportLink::~ExportLink() {
  close(wake_fd_);
}

// Signals are main's business: the thread is born with all of them blocked.
void ExportLink::start_thread() {
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void ExportLink::offer(const RecordBatchPtr& batch) {
  queue_.offer(batch);
  eventfd_write(wake_fd_, 1);
}

SinkAccount ExportLink::account() const {
  const RecordBooks books = queue_.books();
  SinkAccount account;
  account.name = config_.address;
  account.offered = books.offered;
  account.delivered = books.delivered;
  account.queued = books.waiting + books.taken + books.spooled;
  account.spooled = books.spooled;
  account.recovered = books.recovered;
  for (std::size_t i = 0; i < kExportDrops; ++i) {
    account.dropped.push_back({label(static_cast<ExportDrop>(i)), books.dropped[i].records});
  }
  const std::lock_guard lock(status_mutex_);
  account.datagrams = datagrams_;
  account.send_errors = send_errors_;
  account.state = state_text_;
  return account;
}

void ExportLink::finish(double limit_s) {
  if (!thread_.joinable()) return;
  finish_deadline_ = steady_now() + static_cast<SteadyNs>(std::max(0.0, limit_s) * 1e9);
  finish_requested_ = true;
  eventfd_write(wake_fd_, 1);
  thread_.join();
}

void ExportLink::send_templates() {
  templates_requested_ = true;
  eventfd_write(wake_fd_, 1);
}

void ExportLink::adjust(const SinkSettings& settings) {
  const std::lock_guard lock(settings_mutex_);
  new_settings_ = settings;
}

void ExportLink::take_settings() {
  const std::lock_guard lock(settings_mutex_);
  if (!new_settings_) return;
  pacer_.set_rate(new_settings_->rate);
  batch_.set_filter(std::move(new_settings_->accepts));
  new_settings_.reset();
}

bool ExportLink::begin_finishing(SteadyNs now) {
  if (!finish_requested_ || finishing_) return false;
  finishing_ = true;
  finish_at_ = finish_deadline_;
  const double seconds = 0.8 * static_cast<double>(finish_at_ - now) * 1e-9;
  const auto records = static_cast<double>(waiting());
  pacer_.demand(static_cast<std::uint64_t>(records / std::max(seconds, 1e-3)));
  return true;
}

bool ExportLink::is_empty() const {
  return batch_.in_hand() == 0 && batch_.held() == 0 && waiting() == 0;
}

void ExportLink::close_books(ExportDrop reason) {
  queue_.drop(reason, batch_.discard());
  queue_.drop_waiting(reason);
  show("closed");
}

void ExportLink::take_records(SteadyNs now) {
  take_settings();
  batch_.release(now, finishing_ && waiting() == 0);
  if (batch_.in_hand() >= kRoundRecords) return;
  const std::uint64_t allowed = std::min(pacer_.available(now), kRoundRecords);
  pacer_.set_backlog(waiting());
  if (allowed == 0) return;
  auto slices = next_records(allowed);
  std::uint64_t records = 0;
  for (const RecordSlice& slice : slices) records += slice.size();
  pacer_.spend(records);
  batch_.add(std::move(slices), now);
}

SteadyNs ExportLink::records_due(SteadyNs now) const {
  if (batch_.announcing()) return now;
  const std::uint64_t records = waiting() + batch_.in_hand();
  if (records == 0 && finishing_ && batch_.held() > 0) return now;
  const SteadyNs due = std::min(plan_.due_at(), batch_.held_until());
  return records == 0 ? due : std::min(due, pacer_.ready_at(records));
}

bool ExportLink::templates_wanted(SteadyNs now) {
  const bool requested = templates_requested_.exchange(false);
  return (requested || plan_.due(now)) && !batch_.announcing();
}

void ExportLink::drop_unsendable(const MessageBatch::Message& message) {
  queue_.drop(ExportDrop::kNonIp, message.tally.non_ip);
  queue_.drop(ExportDrop::kNotInVersion, message.tally.not_in_version);
  queue_.drop(ExportDrop::kFiltered, message.filtered);
}

void ExportLink::count_message(const MessageBatch::Message& message, SteadyNs now) {
  plan_.datagram_sent();
  if (message.completes_announcements) plan_.announced(now);
  statistics_.octets += message.octets.size();
  statistics_.messages += 1;
  statistics_.records += message.tally.encoded.records;
  pacer_.spend(message.tally.extra_pieces);
  const std::lock_guard lock(status_mutex_);
  ++datagrams_;
}

void ExportLink::count_send_errors(std::uint64_t errors) {
  const std::lock_guard lock(status_mutex_);
  send_errors_ += errors;
}

void ExportLink::show(const std::string& state) {
  const std::lock_guard lock(status_mutex_);
  state_text_ = state;
}

void ExportLink::show_trouble(ExportDrop reason) {
  show(std::string(label(reason)) + " since " + utc_text());
}

void ExportLink::log(const std::string& line) const {
  if (log_) log_(LinkEvent::kGood, "collector " + config_.address + ": " + line);
}

void ExportLink::warn(const std::string& line) const {
  if (log_) log_(LinkEvent::kTrouble, "collector " + config_.address + ": " + line);
}

void ExportLink::wait(SteadyNs until, int fd, short events) {
  std::array<pollfd, 2> fds = {pollfd{wake_fd_, POLLIN, 0}, pollfd{fd, events, 0}};
  const SteadyNs left = std::max<SteadyNs>(0, until - steady_now());
  const timespec timeout = {left / kNsPerSecond, left % kNsPerSecond};
  ppoll(fds.data(), fds.size(), until == kNever ? nullptr : &timeout, nullptr);
  eventfd_t ignored = 0;
  eventfd_read(wake_fd_, &ignored);
}

ExportStatistics ExportLink::statistics() const {
  ExportStatistics s = statistics_;
  for (const RecordSum& dropped : queue_.books().dropped) s.not_sent += dropped;
  return s;
}

}  // namespace wiretally
