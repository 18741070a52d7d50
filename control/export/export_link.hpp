// SPDX-License-Identifier: Apache-2.0
// What every link to a collector has, whatever the transport: a thread, the queue and its books,
// the pace, the plan of announcements, a state to show. A transport adds run() and starts the
// thread when it is whole. Threads: offer(), finish(), send_templates() control; account() any;
// what is protected, the link's own thread.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "control/export/collector_link.hpp"
#include "control/export/message_batch.hpp"
#include "control/export/pacer.hpp"
#include "control/export/record_queue.hpp"

namespace wiretally {

SteadyNs steady_now();

class ExportLink : public RecordSink {
 public:
  ExportLink(const ExportLink&) = delete;
  ExportLink& operator=(const ExportLink&) = delete;
  ~ExportLink() override;

  void offer(const RecordBatchPtr& batch) override;
  [[nodiscard]] SinkAccount account() const override;
  void finish(double limit_s) override;
  void send_templates() override;
  [[nodiscard]] bool adjustable() const override { return true; }
  void adjust(const SinkSettings& settings) override;

 protected:
  ExportLink(const CollectorConfig& collector, const ExporterInfo& exporter, LogCallback log,
             const TemplateRefreshConfig& refresh);

  virtual void run() = 0;
  // Where records come from and how many wait there: the queue, unless a transport has more.
  virtual std::vector<RecordSlice> next_records(std::size_t max) { return queue_.take(max); }
  [[nodiscard]] virtual std::uint64_t waiting() const { return queue_.waiting(); }
  // The last thing a transport's constructor does; the first of its destructor is finish(0).
  void start_thread();

  // True once, when the end was asked for: the pace gives way as far as the time left demands.
  bool begin_finishing(SteadyNs now);
  // Nothing waits, nothing is in hand.
  [[nodiscard]] bool is_empty() const;
  // Everything that is not out is dropped, under `reason`.
  void close_books(ExportDrop reason);

  void take_records(SteadyNs now);
  // When records or what else the batch holds can go next.
  [[nodiscard]] SteadyNs records_due(SteadyNs now) const;
  [[nodiscard]] bool templates_wanted(SteadyNs now);
  void drop_unsendable(const MessageBatch::Message& message);
  void count_message(const MessageBatch::Message& message, SteadyNs now);
  void count_send_errors(std::uint64_t errors);
  void show(const std::string& state);
  void show_trouble(ExportDrop reason);
  void log(const std::string& line) const;
  void warn(const std::string& line) const;
  // Until a descriptor is ready, somebody wakes the link, or the time has come.
  void wait(SteadyNs until, int fd, short events);

  const CollectorConfig config_;
  const ExporterInfo exporter_;
  RecordQueue queue_;
  const int wake_fd_;
  MessageBatch batch_;
  Pacer pacer_;
  AnnouncementPlan plan_;
  SteadyNs finish_at_ = kNever;
  bool finishing_ = false;

 private:
  [[nodiscard]] ExportStatistics statistics() const;
  void take_settings();

  const LogCallback log_;
  ExportStatistics statistics_;
  std::atomic<bool> finish_requested_{false};
  std::atomic<bool> templates_requested_{false};
  std::atomic<SteadyNs> finish_deadline_{kNever};
  std::mutex settings_mutex_;
  std::optional<SinkSettings> new_settings_;
  mutable std::mutex status_mutex_;
  std::string state_text_ = "starting";
  std::uint64_t datagrams_ = 0;
  std::uint64_t send_errors_ = 0;
  std::thread thread_;
};

}  // namespace wiretally
