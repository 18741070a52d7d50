// SPDX-License-Identifier: Apache-2.0
// Flow Records to datagrams: records per second on one core, encoding alone and with sending over
// loopback, for each version; and a whole collector link without a rate. The receiver is a socket
// that is emptied between the timed pieces; the kernel's work of delivering to it is in the
// sender's time. Thread: one, pinned; the link has its own.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <stdexcept>
#include <system_error>

#include "control/export/collector_link.hpp"
#include "control/export/message_batch.hpp"
#include "control/export/udp_socket.hpp"
#include "perf/lab/bench_main.hpp"

namespace wiretally::perf {
namespace {

constexpr std::size_t kRecords = 24'576;  // about 1000 datagrams: they fit the receiver's buffer
constexpr TimeNs kNow = 1'700'000'000 * kNsPerSecond;

// 20 % IPv6, 2 % ICMP, in random order: the worst for runs of one template.
RecordBatchPtr make_records(unsigned ipv6_percent) {
  std::mt19937_64 random(1);
  RecordBatch records(kRecords);
  for (FlowRecord& record : records) {
    const bool ipv6 = random() % 100 < ipv6_percent;
    record.key.set_kind(ipv6 ? IpVersion::kV6 : IpVersion::kV4, CoarseLevel::kExact);
    for (std::size_t i = ipv6 ? 0 : 12; i < 16; ++i) {
      record.key.source[i] = static_cast<std::uint8_t>(random());
      record.key.destination[i] = static_cast<std::uint8_t>(random());
    }
    record.key.protocol = random() % 50 == 0 ? (ipv6 ? 58 : 1) : (random() % 2 == 0 ? 6 : 17);
    record.key.source_port = static_cast<std::uint16_t>(random());
    record.key.destination_port = static_cast<std::uint16_t>(random());
    record.packets = 1 + random() % 1000;
    record.octets = record.packets * 800;
    record.l2_octets = record.packets * 814;
    record.first = kNow - static_cast<TimeNs>(random() % 60'000'000'000);
    record.last = kNow;
    record.ingress_ifindex = 1;
  }
  return std::make_shared<const RecordBatch>(std::move(records));
}

class Receiver {
 public:
  Receiver() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const int octets = 64 << 20;
    if (setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      throw std::system_error(errno, std::generic_category(), "receiver");
    }
    port_ = ntohs(address.sin_port);
  }
  ~Receiver() { close(fd_); }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  [[nodiscard]] std::string port() const { return std::to_string(port_); }
  std::uint64_t drain() {
    std::uint64_t datagrams = 0;
    std::array<std::uint8_t, 2048> buffer;
    while (recv(fd_, buffer.data(), buffer.size(), 0) > 0) ++datagrams;
    return datagrams;
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

CollectorConfig collector_of(NetflowVersion version) {
  CollectorConfig collector;
  collector.version = version;
  return collector;
}

ExporterInfo exporter_info() {
  ExporterInfo exporter;
  exporter.domain_id = 1;
  exporter.start_time = kNow - 3600 * kNsPerSecond;
  exporter.clock = [] { return kNow; };
  return exporter;
}

// The link's own encoding path: records to rounds of datagrams; with a socket also out.
class EncodeArm : public Arm {
 public:
  EncodeArm(std::string name, NetflowVersion version, const RecordBatchPtr& records, bool send)
      : Arm(std::move(name)),
        batch_(make_message_encoder(collector_of(version), exporter_info(), nullptr), nullptr,
               1400),
        records_(records),
        send_(send) {
    if (!send_) return;
    const auto address = numeric_address("127.0.0.1", receiver_.port());
    const std::string error = socket_.open(*address, std::nullopt);
    if (!error.empty()) throw std::runtime_error(error);
  }

  void prepare() override {
    received_ += receiver_.drain();
    if (send_ && received_ != sent_) {
      throw std::runtime_error(
          fmt::format("{}: {} datagrams sent, {} received", name(), sent_, received_));
    }
    batch_.add({{records_, 0, records_->size()}});
  }

  std::uint64_t run() override {
    while (batch_.in_hand() > 0) {
      batch_.build(kNow, MessageBatch::kMessagesMax, false);
      if (send_) send();
      sent_ += batch_.messages().size();
      batch_.commit(batch_.messages().size());
    }
    return records_->size();
  }

 private:
  void send() {
    std::array<std::span<const std::uint8_t>, MessageBatch::kMessagesMax> datagrams;
    std::size_t count = 0;
    for (const auto& message : batch_.messages()) datagrams[count++] = message.octets;
    const SendResult result = socket_.send(std::span(datagrams).first(count));
    if (result.sent != count) {
      throw std::system_error(result.error, std::generic_category(), "sendmmsg");
    }
  }

  MessageBatch batch_;
  RecordBatchPtr records_;
  const bool send_;
  Receiver receiver_;
  UdpSocket socket_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

void print(const std::vector<ArmResult>& results) {
  fmt::print("  {:<34} {:>12} {:>24} {:>8}\n", "arm", "M records/s", "ns/record", "slices");
  for (const ArmResult& result : results) {
    const Estimate ns = result.ns_per_operation();
    fmt::print("  {:<34} {:>12.2f} {:>24} {:>5}/{}\n", result.name,
               ns.median > 0 ? 1000 / ns.median : 0,
               fmt::format("{:.1f} [{:.1f} {:.1f}]", ns.median, ns.low, ns.high), ns.samples,
               result.ns.size());
  }
}

// offer() to the last datagram in the kernel, books included; wall time, the receiver not emptied.
void run_link(NetflowVersion version, const RecordBatchPtr& records) {
  constexpr int kBatches = 80;
  Receiver receiver;
  CollectorConfig collector = collector_of(version);
  collector.address = "127.0.0.1:" + receiver.port();
  collector.rate = 0;
  ExporterInfo exporter = exporter_info();
  exporter.queue_records = kRecords * kBatches;
  const auto link = make_collector_link(collector, exporter, nullptr);
  const std::int64_t start = wall_ns();
  for (int i = 0; i < kBatches; ++i) link->offer(records);
  while (true) {
    const SinkAccount account = link->account();
    if (account.queued < kRecords) break;
    usleep(500);
  }
  const double seconds = static_cast<double>(wall_ns() - start) * 1e-9;
  link->finish(5);
  fmt::print("  whole link, version {:>2}: {:.2f} M records/s (wall time, {} records)\n",
             static_cast<unsigned>(version),
             static_cast<double>(kRecords) * (kBatches - 1) / seconds * 1e-6, kRecords * kBatches);
}

void run(const InterleaveOptions& options) {
  const RecordBatchPtr mixed = make_records(20);
  const RecordBatchPtr ipv4 = make_records(0);
  for (const NetflowVersion version : {NetflowVersion::kV9, NetflowVersion::kIpfix}) {
    run_link(version, mixed);
  }
  pin_to_core(options.core);
  Arms arms;
  const auto add = [&](const char* name, NetflowVersion version, const RecordBatchPtr& records,
                       bool send) {
    arms.push_back(std::make_unique<EncodeArm>(name, version, records, send));
  };
  add("v9 encode, 20 % IPv6", NetflowVersion::kV9, mixed, false);
  add("v9 encode + send, 20 % IPv6", NetflowVersion::kV9, mixed, true);
  add("IPFIX encode, 20 % IPv6", NetflowVersion::kIpfix, mixed, false);
  add("IPFIX encode + send, 20 % IPv6", NetflowVersion::kIpfix, mixed, true);
  add("v9 encode, IPv4", NetflowVersion::kV9, ipv4, false);
  add("v9 encode + send, IPv4", NetflowVersion::kV9, ipv4, true);
  add("v5 encode, IPv4", NetflowVersion::kV5, ipv4, false);
  add("v5 encode + send, IPv4", NetflowVersion::kV5, ipv4, true);
  print(interleave(arms, options));
}

}  // namespace
}  // namespace wiretally::perf

int main(int argc, char** argv) {
  return wiretally::perf::bench_main(argc, argv, wiretally::perf::run);
}
