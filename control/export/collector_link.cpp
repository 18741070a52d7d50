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

#include <algorithm>
#include <array>
#include <cerrno>

#include "control/export/collector_connection.hpp"
#include "control/export/collector_settings.hpp"
#include "control/export/export_link.hpp"
#include "control/export/file_link.hpp"
#include "control/export/in_flight.hpp"
#include "control/export/stream_link.hpp"

namespace wiretally {
namespace {

constexpr SteadyNs kSendRetry = 1'000'000;  // after a full send buffer

ExportDrop reason_of(int error) {
  if (error == ECONNREFUSED) return ExportDrop::kRefused;
  if (error == EHOSTUNREACH || error == ENETUNREACH) return ExportDrop::kUnreachable;
  return ExportDrop::kSendError;
}

class CollectorLink final : public ExportLink {
 public:
  CollectorLink(const CollectorConfig& collector, const ExporterInfo& exporter, LogCallback log);
  ~CollectorLink() override { finish(0); }

 private:
  // -- the loop and what it waits for
  void run() override;
  [[nodiscard]] bool is_done(SteadyNs now) const;
  [[nodiscard]] SteadyNs next_deadline(SteadyNs now) const;
  // -- the collector
  void on_change(LinkState state, const std::string& line);
  void probe(SteadyNs now);
  void read_errors(SteadyNs now);
  void lower_datagram_limit();
  // -- sending
  void send_round(SteadyNs now);
  void send_built(SteadyNs now);
  void account_for(const MessageBatch::Message& message, SteadyNs now);
  void on_send_error(int error, SteadyNs now);

  CollectorConnection connection_;
  InFlight in_flight_;
  SteadyNs send_again_at_ = 0;  // the send buffer was full; 0: it was not
};

CollectorLink::CollectorLink(const CollectorConfig& collector, const ExporterInfo& exporter,
                             LogCallback log)
    : ExportLink(collector, exporter, std::move(log), collector.templates),
      connection_(collector.address, source_address(collector), socket_options(collector), wake_fd_,
                  [this](LinkState state, const std::string& line) { on_change(state, line); }) {
  queue_.set_overflow_reason(connection_.drop_reason());
  start_thread();
}

void CollectorLink::run() {
  for (;;) {
    const SteadyNs now = steady_now();
    if (begin_finishing(now)) connection_.hurry(now);
    read_errors(now);
    connection_.advance(now);
    if (connection_.probe_due(now)) probe(now);
    if (connection_.is_up()) send_round(now);
    queue_.settle(in_flight_.settled(now));
    if (is_done(now)) break;
    wait(next_deadline(now), connection_.socket().fd(), 0);  // 0: errors only
  }
  queue_.close();
  queue_.settle(in_flight_.settled(kNever));
  close_books(connection_.is_up() ? ExportDrop::kShutdown : connection_.drop_reason());
}

bool CollectorLink::is_done(SteadyNs now) const {
  if (!finishing_) return false;
  if (now >= finish_at_ || connection_.gave_up()) return true;
  return is_empty() && in_flight_.empty();
}

SteadyNs CollectorLink::next_deadline(SteadyNs now) const {
  SteadyNs until = std::min({finish_at_, in_flight_.settles_at(), connection_.deadline()});
  if (!connection_.is_up()) return until;
  if (send_again_at_ != 0) return std::min(until, send_again_at_);
  return std::min(until, records_due(now));
}

void CollectorLink::on_change(LinkState state, const std::string& line) {
  queue_.set_overflow_reason(connection_.drop_reason());
  if (state == LinkState::kUp) {
    plan_.restart(steady_now());
    batch_.announce();
    lower_datagram_limit();
    show("up");
    log(line);
  } else {
    show_trouble(connection_.drop_reason());
    warn(line);
  }
}

// Templates alone if the version has them; v1 and v5 have only records to ask with.
void CollectorLink::probe(SteadyNs now) {
  if (batch_.has_no_announcements() && batch_.in_hand() == 0) batch_.add(queue_.take(1));
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
  count_send_errors(errors);
  if (worst != 0) connection_.report(worst, now);
}

void CollectorLink::lower_datagram_limit() {
  const std::size_t path = connection_.socket().path_payload_octets();
  batch_.set_datagram_limit(std::clamp<std::size_t>(path, kDatagramMin, config_.max_datagram));
}

// The first announcement goes alone: if nobody listens, its answer comes before any record is lost.
void CollectorLink::send_round(SteadyNs now) {
  if (send_again_at_ > now) return;
  send_again_at_ = 0;
  if (templates_wanted(now)) batch_.announce();
  if (plan_.is_first() && batch_.announcing()) {
    batch_.build_announcements(exporter_.clock());
  } else {
    if (pacer_.in_debt(now) && !batch_.announcing()) return;
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
  drop_unsendable(message);
  if (message.octets.empty()) return;
  count_message(message, now);
  MessageQuote quote;
  std::copy_n(message.octets.begin(), quote.size(), quote.begin());
  in_flight_.add(now, quote, message.tally.encoded);
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

}  // namespace

std::unique_ptr<RecordSink> make_collector_link(const CollectorConfig& collector,
                                                const ExporterInfo& exporter, LogCallback log) {
  check_collector(collector);
  if (collector.transport == Transport::kFile) {
    return make_file_link(collector, exporter, std::move(log));
  }
  if (collector.transport != Transport::kUdp) {
    return make_stream_link(collector, exporter, std::move(log));
  }
  return std::make_unique<CollectorLink>(collector, exporter, std::move(log));
}

}  // namespace wiretally
