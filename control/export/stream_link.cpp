// SPDX-License-Identifier: Apache-2.0
// See stream_link.hpp.
#include "control/export/stream_link.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "control/export/collector_settings.hpp"
#include "control/export/export_link.hpp"
#include "control/export/spool.hpp"
#include "control/export/stream_socket.hpp"

namespace wiretally {
namespace {

constexpr SteadyNs kMillisecond = 1'000'000;
constexpr SteadyNs kRetryFirst = 100 * kMillisecond;
constexpr SteadyNs kRetrySlowest = 500 * kMillisecond;  // a collector that returns waits no longer
constexpr SteadyNs kUntrustedSlowest = 10'000 * kMillisecond;  // certificates change slowly
constexpr SteadyNs kUnresolvedSlowest = 30'000 * kMillisecond;
constexpr SteadyNs kConnectLimit = 5'000 * kMillisecond;  // connecting and handshake
constexpr SteadyNs kLookAgain = 20 * kMillisecond;        // for acknowledgements
constexpr SteadyNs kSpoolRetry = 200 * kMillisecond;      // while another link has the folder
constexpr std::size_t kSpoolRound = 8192;                 // records put away at once

class StreamLink final : public ExportLink {
 public:
  StreamLink(const CollectorConfig& collector, const ExporterInfo& exporter, LogCallback log);
  ~StreamLink() override { finish(0); }

 private:
  // Messages on their way, until the collector's kernel has them.
  struct OnTheWay {
    std::vector<RecordSlice> records;
    RecordTally tally;
    RecordSum filtered;
    std::size_t octets_left = 0;                // not given to the socket yet
    std::optional<std::uint64_t> sent_at = {};  // of the connection, when all is given

    [[nodiscard]] std::uint64_t size() const {
      return tally.encoded.records + tally.non_ip.records + tally.not_in_version.records +
             filtered.records;
    }
  };

  void run() override;
  [[nodiscard]] bool is_done(SteadyNs now) const;
  [[nodiscard]] SteadyNs next_deadline(SteadyNs now) const;
  [[nodiscard]] bool is_up() const { return socket_.state() == StreamSocket::State::kOpen; }
  // -- the connection
  void connect_if_due(SteadyNs now);
  void finish_lookup(SteadyNs now);
  void try_address(SteadyNs now);
  void look_after_connection(SteadyNs now);
  void go_up(SteadyNs now);
  void go_down(ExportDrop reason, const std::string& why, SteadyNs now);
  void on_trouble(const StreamSocket::Trouble& trouble, SteadyNs now);
  void back_off(SteadyNs now, SteadyNs slowest);
  [[nodiscard]] std::string peer() const;
  // -- sending
  void send_round(SteadyNs now);
  void give_to_socket(SteadyNs now);
  void settle_acknowledged();
  // -- the spool
  std::vector<RecordSlice> next_records(std::size_t max) override;
  [[nodiscard]] std::uint64_t waiting() const override;
  [[nodiscard]] bool spools() const { return spool_ != nullptr && spool_->is_open(); }
  void open_spool_if_due(SteadyNs now);
  void tell_of_spool();
  void put_away();
  void take_back();
  void leave_spool();
  void give_up_spool();
  [[nodiscard]] ExportDrop overflow_reason() const;

  const CollectorAddress address_;
  const std::optional<SocketAddress> source_;
  const std::unique_ptr<TlsContext> tls_;
  const std::unique_ptr<Spool> spool_;  // null: none
  SteadyNs spool_retry_at_ = 0;
  std::string spool_trouble_;  // told last
  bool spool_was_full_ = false;

  StreamSocket socket_;
  CollectorLookup lookup_;
  std::vector<SocketAddress> addresses_;
  std::size_t address_index_ = 0;
  ExportDrop trouble_ = ExportDrop::kUnreachable;  // while not up
  bool reported_ = false;                          // a state has been
  bool was_up_ = false;                            // the last state reported
  bool gave_up_ = false;
  SteadyNs retry_at_ = 0;
  SteadyNs retry_delay_ = 0;
  SteadyNs connect_until_ = kNever;
  std::vector<std::uint8_t> output_;
  std::size_t output_done_ = 0;
  std::deque<OnTheWay> on_the_way_;
};

// Templates hold for the whole connection; they come again with the options, by time only.
TemplateRefreshConfig by_time(const TemplateRefreshConfig& refresh) {
  return {0, refresh.interval};
}

StreamLink::StreamLink(const CollectorConfig& collector, const ExporterInfo& exporter,
                       LogCallback log)
    : ExportLink(collector, exporter, std::move(log), by_time(collector.templates)),
      address_(parse_collector_address(collector.address)),
      source_(source_address(collector)),
      tls_(collector.transport == Transport::kTls
               ? std::make_unique<TlsContext>(collector.tls, address_.host)
               : nullptr),
      spool_(collector.spool.path.empty()
                 ? nullptr
                 : std::make_unique<Spool>(collector.spool.path, collector.spool.max)) {
  queue_.set_overflow_reason(trouble_);
  start_thread();
}

void StreamLink::run() {
  for (;;) {
    const SteadyNs now = steady_now();
    if (begin_finishing(now)) retry_at_ = std::min(retry_at_, now);
    open_spool_if_due(now);
    connect_if_due(now);
    look_after_connection(now);
    if (is_up()) settle_acknowledged();
    if (is_up()) send_round(now);
    put_away();
    if (is_done(now)) break;
    wait(next_deadline(now), socket_.fd(), socket_.events(output_done_ < output_.size()));
  }
  const bool up = is_up();
  queue_.close();
  if (up) settle_acknowledged();
  leave_spool();
  for (const OnTheWay& message : on_the_way_) {
    queue_.drop(up ? ExportDrop::kShutdown : trouble_, sum_of(message.records));
  }
  close_books(up ? ExportDrop::kShutdown : trouble_);
  socket_.close();
}

bool StreamLink::is_done(SteadyNs now) const {
  if (!finishing_) return false;
  return now >= finish_at_ || gave_up_ || (is_empty() && on_the_way_.empty());
}

SteadyNs StreamLink::next_deadline(SteadyNs now) const {
  if (lookup_.busy()) return finish_at_;  // it wakes the link
  if (socket_.state() == StreamSocket::State::kClosed) return std::min(finish_at_, retry_at_);
  if (!is_up()) return std::min(finish_at_, connect_until_);
  SteadyNs until = on_the_way_.empty() ? finish_at_ : std::min(finish_at_, now + kLookAgain);
  if (spool_ != nullptr && !spools()) until = std::min(until, spool_retry_at_);
  return output_done_ < output_.size() ? until : std::min(until, records_due(now));
}

void StreamLink::connect_if_due(SteadyNs now) {
  if (lookup_.busy()) return finish_lookup(now);
  if (socket_.state() != StreamSocket::State::kClosed || now < retry_at_) return;
  if (addresses_.empty()) {
    const auto numeric = numeric_address(address_.host, address_.port);
    if (!numeric) return lookup_.start(address_, wake_fd_);
    addresses_ = {*numeric};
  }
  try_address(now);
}

void StreamLink::finish_lookup(SteadyNs now) {
  const auto result = lookup_.take();
  if (!result) return;
  addresses_ = result->addresses;
  address_index_ = 0;
  if (!addresses_.empty()) return try_address(now);
  go_down(ExportDrop::kUnresolved, "\"" + address_.host + "\" has no address: " + result->error,
          now);
  back_off(now, kUnresolvedSlowest);
  gave_up_ = finishing_;
}

void StreamLink::try_address(SteadyNs now) {
  connect_until_ = now + kConnectLimit;
  const auto trouble =
      socket_.open(addresses_[address_index_], source_, socket_options(config_), tls_.get());
  if (trouble) on_trouble(*trouble, now);
}

void StreamLink::look_after_connection(SteadyNs now) {
  if (socket_.state() == StreamSocket::State::kClosed) return;
  const bool was_open = is_up();
  if (const auto trouble = socket_.advance()) return on_trouble(*trouble, now);
  if (!was_open && is_up()) return go_up(now);
  if (!is_up() && now >= connect_until_) {
    return on_trouble({ETIMEDOUT, false, "no connection within 5 s"}, now);
  }
  if (is_up() && !on_the_way_.empty() && socket_.is_black_hole()) {
    on_trouble({ETIMEDOUT, false, "nothing is acknowledged any more"}, now);
  }
}

void StreamLink::go_up(SteadyNs now) {
  retry_delay_ = 0;
  queue_.set_overflow_reason(overflow_reason());
  plan_.restart(now);
  batch_.announce();
  show("up");
  log((reported_ ? "is back (" : "connected to (") + peer() + ")");
  reported_ = was_up_ = true;
}

// What was on its way goes first again; a new connection knows neither Templates nor a sequence.
void StreamLink::go_down(ExportDrop reason, const std::string& why, SteadyNs) {
  socket_.close();
  output_.clear();
  output_done_ = 0;
  take_back();
  const bool changed = !reported_ || was_up_ || reason != trouble_;
  trouble_ = reason;
  reported_ = true;
  was_up_ = false;
  queue_.set_overflow_reason(overflow_reason());
  if (!changed) return;
  show_trouble(reason);
  warn(why + (spools() ? "; records wait in the spool" : "; records wait in the queue"));
}

void StreamLink::on_trouble(const StreamSocket::Trouble& trouble, SteadyNs now) {
  const bool was_open = is_up();
  if (was_open) settle_acknowledged();
  count_send_errors(1);
  ExportDrop reason = ExportDrop::kUnreachable;
  if (trouble.untrusted) reason = ExportDrop::kUntrusted;
  if (!trouble.untrusted && (trouble.error == 0 || trouble.error == ECONNREFUSED ||
                             trouble.error == ECONNRESET || trouble.error == EPIPE)) {
    reason = ExportDrop::kRefused;
  }
  const std::string who = peer();
  go_down(reason, who + ": " + trouble.text, now);
  if (!was_open && ++address_index_ < addresses_.size()) {
    retry_at_ = now;
    return;
  }
  address_index_ = 0;
  if (!numeric_address(address_.host, address_.port)) addresses_.clear();  // looked up again
  back_off(now, trouble.untrusted ? kUntrustedSlowest : kRetrySlowest);
  gave_up_ = finishing_ && !was_open;
}

void StreamLink::back_off(SteadyNs now, SteadyNs slowest) {
  retry_delay_ = retry_delay_ == 0 ? kRetryFirst : std::min(slowest, retry_delay_ * 2);
  retry_at_ = now + retry_delay_;
}

std::string StreamLink::peer() const {
  return address_index_ < addresses_.size() ? addresses_[address_index_].text() : config_.address;
}

// A round is encoded when the one before is all with the socket: a collector that does not read
// leaves the records where they are counted.
void StreamLink::send_round(SteadyNs now) {
  if (output_done_ == output_.size()) {
    output_.clear();
    output_done_ = 0;
    if (templates_wanted(now)) batch_.announce();
    take_records(now);
    batch_.build(exporter_.clock(), MessageBatch::kMessagesMax, waiting() > 0);
    const auto& messages = batch_.messages();
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const auto& message = messages[i];
      on_the_way_.push_back(
          {batch_.records_of(i), message.tally, message.filtered, message.octets.size()});
      output_.insert(output_.end(), message.octets.begin(), message.octets.end());
      if (!message.octets.empty()) count_message(message, now);
    }
    batch_.commit(messages.size());
  }
  give_to_socket(now);
}

void StreamLink::give_to_socket(SteadyNs now) {
  std::size_t written = 0;
  if (output_done_ < output_.size()) {
    const auto trouble = socket_.write(std::span(output_).subspan(output_done_), written);
    if (trouble) return on_trouble(*trouble, now);
  }
  output_done_ += written;
  for (OnTheWay& message : on_the_way_) {
    const std::size_t part = std::min(written, message.octets_left);
    message.octets_left -= part;
    written -= part;
    if (message.octets_left > 0) return;
    if (!message.sent_at) message.sent_at = socket_.sent();
  }
}

void StreamLink::settle_acknowledged() {
  if (on_the_way_.empty()) return;
  const std::uint64_t acknowledged = socket_.acknowledged();
  while (!on_the_way_.empty()) {
    const OnTheWay& message = on_the_way_.front();
    if (!message.sent_at || *message.sent_at > acknowledged) return;
    const std::uint64_t from_spool =
        spools() ? std::min(message.size(), spool_->handed_out()) : std::uint64_t{0};
    queue_.unspool(from_spool);
    queue_.drop(ExportDrop::kNonIp, message.tally.non_ip);
    queue_.drop(ExportDrop::kNotInVersion, message.tally.not_in_version);
    queue_.drop(ExportDrop::kFiltered, message.filtered);
    queue_.settle(message.tally.encoded.records);
    if (spools()) spool_->settle(from_spool);
    on_the_way_.pop_front();
  }
}

// -- the spool. Records are in order: first those on disk, then those in the queue. So what is on
// the way is from the spool first, and while any is unread there, what comes goes behind it.

void StreamLink::open_spool_if_due(SteadyNs now) {
  if (spool_ == nullptr || spools() || now < spool_retry_at_) return;
  spool_retry_at_ = now + kSpoolRetry;
  if (spool_->open()) {
    queue_.recover(spool_->stored() + spool_->lost());
    queue_.unspool(spool_->lost());
    queue_.drop(ExportDrop::kDisk, {spool_->lost(), 0, 0});  // nobody can read what they count
  }
  tell_of_spool();
}

// Each trouble once.
void StreamLink::tell_of_spool() {
  if (!spool_->trouble().empty() && spool_->trouble() != spool_trouble_) warn(spool_->trouble());
  spool_trouble_ = spool_->trouble();
}

std::uint64_t StreamLink::waiting() const {
  return queue_.waiting() + (spools() ? spool_->unread() : 0);
}

std::vector<RecordSlice> StreamLink::next_records(std::size_t max) {
  if (!spools() || spool_->unread() == 0) return queue_.take(max);
  const RecordBatchPtr batch = spool_->read(max);
  std::vector<RecordSlice> slices;
  if (batch == nullptr) {
    give_up_spool();
    return slices;
  }
  slices.push_back({batch, 0, batch->size()});
  return slices;
}

// The disk does not give back what it took. The files stay for a person, or the next start.
void StreamLink::give_up_spool() {
  const RecordSum left = spool_->unread_sum();
  queue_.unspool(spool_->stored());
  queue_.drop(ExportDrop::kDisk, left);
  warn(spool_->trouble());
  spool_->close();
  spool_retry_at_ = kNever;
}

// While the collector is away, or what is on disk has not all been read. What finds no room there
// waits in the queue, as without a spool.
void StreamLink::put_away() {
  if (!spools() || (is_up() && spool_->unread() == 0)) return;
  bool room = true;
  while (room && queue_.waiting() != 0) {
    std::vector<RecordSlice> slices = queue_.take(kSpoolRound);
    for (auto slice = slices.begin(); slice != slices.end(); ++slice) {
      const std::size_t taken = spool_->append(slice->records());
      queue_.spool(taken);
      slice->begin += taken;
      if (slice->size() == 0) continue;
      queue_.give_back({slice, slices.end()});
      room = false;
      break;
    }
  }
  queue_.set_overflow_reason(overflow_reason());
  tell_of_spool();
  if (room == spool_was_full_) {
    spool_was_full_ = !room;
    if (room) {
      log("the spool has room again");
    } else {
      warn("the spool has no room for more; records wait in the queue");
    }
  }
}

// Not acknowledged, oldest first: what came from the spool is still there.
void StreamLink::take_back() {
  std::vector<RecordSlice> records;
  for (OnTheWay& message : on_the_way_) {
    std::ranges::move(message.records, std::back_inserter(records));
  }
  on_the_way_.clear();
  std::ranges::move(batch_.take_back(), std::back_inserter(records));
  std::uint64_t from_spool = spools() ? spool_->handed_out() : 0;
  if (spools()) spool_->rewind();
  for (RecordSlice& slice : records) {
    const std::size_t part = std::min<std::uint64_t>(from_spool, slice.size());
    slice.begin += part;
    from_spool -= part;
  }
  std::erase_if(records, [](const RecordSlice& slice) { return slice.size() == 0; });
  queue_.give_back(std::move(records));
}

// The end: what has not arrived stays on disk.
void StreamLink::leave_spool() {
  if (!spools()) return;
  take_back();
  socket_.close();
  put_away();
  queue_.unspool(spool_->unread());
  queue_.drop(ExportDrop::kSpooled, spool_->unread_sum());
  spool_->close();
}

ExportDrop StreamLink::overflow_reason() const {
  if (spools() && spool_->is_full()) return ExportDrop::kSpoolFull;
  return is_up() ? ExportDrop::kQueueFull : trouble_;
}

}  // namespace

std::unique_ptr<RecordSink> make_stream_link(const CollectorConfig& collector,
                                             const ExporterInfo& exporter, LogCallback log) {
  return std::make_unique<StreamLink>(collector, exporter, std::move(log));
}

}  // namespace wiretally
