// SPDX-License-Identifier: Apache-2.0
// See collector_link.hpp. The link's thread: take records from the queue at the collector's pace,
// encode, send, listen for ICMP answers, keep the books. CollectorConnection knows where the
// collector is and whether it is there.
//
// UDP and loss. A datagram's records are "queued" until no ICMP answer about it came for 50 ms,
// then "delivered". ICMP port unreachable quotes the datagram it is about: exactly its records are
// dropped as "refused". The send that first *reports* the error was not sent by the kernel; it is
// encoded again later. While the collector is away records wait in the queue (past its bound the
// oldest go, under the state's reason); when it is back it gets Templates first, then what waited.
#include "control/export/collector_link.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <mutex>
#include <thread>

#include "config/startup_error.hpp"
#include "control/export/collector_connection.hpp"
#include "control/export/collector_settings.hpp"
#include "control/export/in_flight.hpp"
#include "control/export/message_batch.hpp"
#include "control/export/pacer.hpp"
#include "control/export/record_queue.hpp"

namespace wiretally {
namespace {

constexpr SteadyNs kSendRetry = 1'000'000;  // after a full send buffer
constexpr std::uint64_t kRoundRecords = 4 * Pacer::kSliceRecordsMax;

SteadyNs steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string utc_text() {
  const std::time_t now = std::time(nullptr);
  std::tm fields{};
  gmtime_r(&now, &fields);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  return text.data();
}

ExportDrop reason_of(int error) {
  if (error == ECONNREFUSED) return ExportDrop::kRefused;
  if (error == EHOSTUNREACH || error == ENETUNREACH) return ExportDrop::kUnreachable;
  return ExportDrop::kSendError;
}

class CollectorLink final : public RecordSink {
 public:
  CollectorLink(const CollectorConfig& collector, const ExporterInfo& exporter, LogCallback log);
  ~CollectorLink() override;
  CollectorLink(const CollectorLink&) = delete;
  CollectorLink& operator=(const CollectorLink&) = delete;

  void offer(const RecordBatchPtr& batch) override;
  [[nodiscard]] SinkAccount account() const override;
  void finish(double limit_s) override;
  void send_templates() override;

 private:
  // -- the loop and what it waits for
  void start_thread();
  void run();
  [[nodiscard]] bool is_done(SteadyNs now) const;
  [[nodiscard]] SteadyNs next_deadline(SteadyNs now) const;
  void wait(SteadyNs until);
  void begin_finishing(SteadyNs now);
  void close_books();
  // -- the collector
  void on_change(LinkState state, const std::string& line);
  void probe(SteadyNs now);
  void read_errors(SteadyNs now);
  void lower_datagram_limit();
  void show(const std::string& state);
  // -- sending
  void take_records(SteadyNs now);
  void send_round(SteadyNs now);
  void send_built(SteadyNs now);
  void account_for(const MessageBatch::Message& message, SteadyNs now);
  void on_send_error(int error, SteadyNs now);
  [[nodiscard]] ExportStatistics statistics() const;

  const CollectorConfig config_;
  const ExporterInfo exporter_;
  const LogCallback log_;
  RecordQueue queue_;
  const int wake_fd_;

  // The thread's own.
  CollectorConnection connection_;
  MessageBatch batch_;
  Pacer pacer_;
  AnnouncementPlan plan_;
  InFlight in_flight_;
  SteadyNs send_again_at_ = 0;  // the send buffer was full; 0: it was not
  SteadyNs finish_at_ = kNever;
  bool finishing_ = false;
  ExportStatistics statistics_;

  // Shared.
  std::atomic<bool> finish_requested_{false};
  std::atomic<bool> templates_requested_{false};
  std::atomic<SteadyNs> finish_deadline_{kNever};
  mutable std::mutex status_mutex_;
  std::string state_text_ = "starting";
  std::uint64_t datagrams_ = 0;
  std::uint64_t send_errors_ = 0;
  std::thread thread_;
};

CollectorLink::CollectorLink(const CollectorConfig& collector, const ExporterInfo& exporter,
                             LogCallback log)
    : config_(collector),
      exporter_(with_defaults(exporter)),
      log_(std::move(log)),
      queue_(exporter.queue_records, exporter.lossless),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      connection_(collector.address, source_address(collector), wake_fd_,
                  [this](LinkState state, const std::string& line) { on_change(state, line); }),
      batch_(make_message_encoder(config_, exporter_, [this] { return statistics(); }),
             exporter_.accepts, config_.max_datagram),
      pacer_(collector.rate),
      plan_(collector.templates) {
  queue_.set_overflow_reason(connection_.drop_reason());
  start_thread();
}

CollectorLink::~CollectorLink() {
  finish(0);
  close(wake_fd_);
}

// Signals are main's business: the thread is born with all of them blocked.
void CollectorLink::start_thread() {
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void CollectorLink::offer(const RecordBatchPtr& batch) {
  queue_.offer(batch);
  eventfd_write(wake_fd_, 1);
}

SinkAccount CollectorLink::account() const {
  const RecordBooks books = queue_.books();
  SinkAccount account;
  account.name = config_.address;
  account.offered = books.offered;
  account.delivered = books.delivered;
  account.queued = books.waiting + books.taken;
  for (std::size_t i = 0; i < kExportDrops; ++i) {
    account.dropped.push_back({label(static_cast<ExportDrop>(i)), books.dropped[i]});
  }
  const std::lock_guard lock(status_mutex_);
  account.datagrams = datagrams_;
  account.send_errors = send_errors_;
  account.state = state_text_;
  return account;
}

void CollectorLink::finish(double limit_s) {
  if (!thread_.joinable()) return;
  finish_deadline_ = steady_now() + static_cast<SteadyNs>(std::max(0.0, limit_s) * 1e9);
  finish_requested_ = true;
  eventfd_write(wake_fd_, 1);
  thread_.join();
}

void CollectorLink::send_templates() {
  templates_requested_ = true;
  eventfd_write(wake_fd_, 1);
}

void CollectorLink::run() {
  for (;;) {
    const SteadyNs now = steady_now();
    if (finish_requested_ && !finishing_) begin_finishing(now);
    read_errors(now);
    connection_.advance(now);
    if (connection_.probe_due(now)) probe(now);
    if (connection_.is_up()) send_round(now);
    queue_.settle(in_flight_.settled(now));
    if (is_done(now)) break;
    wait(next_deadline(now));
  }
  close_books();
}

bool CollectorLink::is_done(SteadyNs now) const {
  if (!finishing_) return false;
  if (now >= finish_at_ || connection_.gave_up()) return true;
  return batch_.in_hand() == 0 && queue_.waiting() == 0 && in_flight_.empty();
}

// The pace gives way only as far as the time left demands.
void CollectorLink::begin_finishing(SteadyNs now) {
  finishing_ = true;
  finish_at_ = finish_deadline_;
  const double seconds = 0.8 * static_cast<double>(finish_at_ - now) * 1e-9;
  const auto records = static_cast<double>(queue_.waiting());
  pacer_.demand(static_cast<std::uint64_t>(records / std::max(seconds, 1e-3)));
  connection_.hurry(now);
}

void CollectorLink::close_books() {
  queue_.close();
  queue_.settle(in_flight_.settled(kNever));
  const ExportDrop reason = connection_.is_up() ? ExportDrop::kShutdown : connection_.drop_reason();
  queue_.drop(reason, batch_.discard());
  queue_.drop_waiting(reason);
  show("closed");
}

SteadyNs CollectorLink::next_deadline(SteadyNs now) const {
  SteadyNs until = std::min({finish_at_, in_flight_.settles_at(), connection_.deadline()});
  if (!connection_.is_up()) return until;
  until = std::min(until, plan_.due_at());
  if (send_again_at_ != 0) return std::min(until, send_again_at_);
  if (batch_.announcing()) return now;
  const std::uint64_t waiting = queue_.waiting() + batch_.in_hand();
  return waiting == 0 ? until : std::min(until, pacer_.ready_at(waiting));
}

void CollectorLink::wait(SteadyNs until) {
  std::array<pollfd, 2> fds = {pollfd{wake_fd_, POLLIN, 0},
                               pollfd{connection_.socket().fd(), 0, 0}};  // 0: errors only
  const SteadyNs left = std::max<SteadyNs>(0, until - steady_now());
  const timespec timeout = {left / kNsPerSecond, left % kNsPerSecond};
  ppoll(fds.data(), fds.size(), until == kNever ? nullptr : &timeout, nullptr);
  eventfd_t ignored = 0;
  eventfd_read(wake_fd_, &ignored);
}

void CollectorLink::on_change(LinkState state, const std::string& line) {
  queue_.set_overflow_reason(connection_.drop_reason());
  if (state == LinkState::kUp) {
    plan_.restart(steady_now());
    batch_.announce();
    lower_datagram_limit();
    show("up");
  } else {
    show(std::string(label(connection_.drop_reason())) + " since " + utc_text());
  }
  if (log_) log_("collector " + config_.address + ": " + line);
}

// Templates alone if the version has them; v5 has only records to ask with.
void CollectorLink::probe(SteadyNs now) {
  if (config_.version == NetflowVersion::kV5 && batch_.in_hand() == 0) batch_.add(queue_.take(1));
  batch_.build_probe(exporter_.clock());
  if (batch_.messages().empty()) return connection_.nothing_to_probe_with(now);
  connection_.probe_sent(now);
  send_built(now);
}

// All answers first, then the consequence: it may close the socket they are read from.
void CollectorLink::read_errors(SteadyNs now) {
  int worst = 0;
  std::uint64_t errors = 0;
  while (const auto error = connection_.socket().next_error()) {
    if (error->quote) queue_.drop(reason_of(error->error), in_flight_.lost(*error->quote));
    if (error->error == EMSGSIZE) {  // the path got narrower: nothing wrong with the collector
      lower_datagram_limit();
      continue;
    }
    worst = error->error;
    ++errors;
  }
  if (errors == 0) return;
  {
    const std::lock_guard lock(status_mutex_);
    send_errors_ += errors;
  }
  if (worst != 0) connection_.report(worst, now);
}

void CollectorLink::lower_datagram_limit() {
  const std::size_t path = connection_.socket().path_payload_octets();
  batch_.set_datagram_limit(std::clamp<std::size_t>(path, kDatagramMin, config_.max_datagram));
}

void CollectorLink::show(const std::string& state) {
  const std::lock_guard lock(status_mutex_);
  state_text_ = state;
}

void CollectorLink::take_records(SteadyNs now) {
  if (batch_.in_hand() >= kRoundRecords) return;
  const std::uint64_t allowed = std::min(pacer_.available(now), kRoundRecords);
  pacer_.set_backlog(queue_.waiting());
  if (allowed == 0) return;
  auto slices = queue_.take(allowed);
  std::uint64_t records = 0;
  for (const RecordSlice& slice : slices) records += slice.size();
  pacer_.spend(records);
  batch_.add(std::move(slices));
}

// The first announcement goes alone: if nobody listens, its answer comes before any record is lost.
void CollectorLink::send_round(SteadyNs now) {
  if (send_again_at_ > now) return;
  send_again_at_ = 0;
  const bool requested = templates_requested_.exchange(false);
  if ((requested || plan_.due(now)) && !batch_.announcing()) batch_.announce();
  if (plan_.is_first() && batch_.announcing()) {
    batch_.build_announcements(exporter_.clock());
  } else {
    take_records(now);
    const std::size_t messages = batch_.announcing() ? 1 : plan_.datagrams_left();
    batch_.build(exporter_.clock(), std::max<std::size_t>(messages, 1), queue_.waiting() > 0);
  }
  send_built(now);
}

void CollectorLink::send_built(SteadyNs now) {
  const auto& messages = batch_.messages();
  std::array<std::span<const std::uint8_t>, MessageBatch::kMessagesMax> datagrams;
  std::size_t count = 0;
  for (const auto& message : messages) {
    if (!message.octets.empty()) datagrams[count++] = message.octets;
  }
  const std::size_t limit = batch_.datagram_limit();
  const SendResult result = connection_.socket().send(std::span(datagrams).first(count));
  std::size_t done = 0;
  for (std::size_t sent = 0; done < messages.size(); ++done) {
    const bool is_datagram = !messages[done].octets.empty();
    if (is_datagram && sent == result.sent) break;
    sent += is_datagram;
    account_for(messages[done], now);
  }
  batch_.commit(done);
  read_errors(now);
  if (result.error == EMSGSIZE) {
    lower_datagram_limit();
    if (batch_.datagram_limit() < limit) return;
  }
  if (result.error != 0) on_send_error(result.error, now);
}

void CollectorLink::account_for(const MessageBatch::Message& message, SteadyNs now) {
  queue_.drop(ExportDrop::kNonIp, message.tally.non_ip);
  queue_.drop(ExportDrop::kNotInVersion, message.tally.not_in_version);
  queue_.drop(ExportDrop::kFiltered, message.filtered);
  if (message.octets.empty()) return;
  plan_.datagram_sent();
  if (message.completes_announcements && connection_.is_up()) plan_.announced(now);
  MessageQuote quote;
  std::copy_n(message.octets.begin(), quote.size(), quote.begin());
  in_flight_.add(now, quote, message.tally.encoded);
  statistics_.octets += message.octets.size();
  statistics_.messages += 1;
  statistics_.records += message.tally.encoded;
  const std::lock_guard lock(status_mutex_);
  ++datagrams_;
}

// The message it happened to was not sent and is encoded again. read_errors() has been through the
// network's answers, so what is left is the socket's own condition.
void CollectorLink::on_send_error(int error, SteadyNs now) {
  if (error == EAGAIN || error == ENOBUFS || error == ENOMEM) {
    send_again_at_ = now + kSendRetry;
    return;
  }
  connection_.report(error, now);
}

ExportStatistics CollectorLink::statistics() const {
  ExportStatistics s = statistics_;
  for (const std::uint64_t dropped : queue_.books().dropped) s.not_sent += dropped;
  return s;
}

}  // namespace

std::unique_ptr<RecordSink> make_collector_link(const CollectorConfig& collector,
                                                const ExporterInfo& exporter, LogCallback log) {
  check_collector(collector);
  return std::make_unique<CollectorLink>(collector, exporter, std::move(log));
}

}  // namespace wiretally
