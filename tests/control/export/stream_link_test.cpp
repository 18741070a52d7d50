// SPDX-License-Identifier: Apache-2.0
// A link over TCP and TLS against a server on loopback: down, killed and back, silent, with the
// wrong certificate; after every case the books balance.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "config/startup_error.hpp"
#include "control/export/collector_address.hpp"
#include "control/export/collector_link.hpp"
#include "tests/control/export/decoder.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Listens; takes one connection after the other and decodes what comes.
class StreamCollector {
 public:
  StreamCollector() { open(); }
  ~StreamCollector() { close(); }
  StreamCollector(const StreamCollector&) = delete;
  StreamCollector& operator=(const StreamCollector&) = delete;

  void open() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    auto address = numeric_address("127.0.0.1", std::to_string(port_));
    EXPECT_EQ(bind(listener_, address->get(), address->length), 0);
    EXPECT_EQ(listen(listener_, 4), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address->storage), &address->length);
    const std::string text = address->text();
    port_ = static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
  }
  // As a process that is killed: the connection ends, nobody listens.
  void close() {
    session_.reset();
    if (connection_ >= 0) ::close(connection_);
    if (listener_ >= 0) ::close(listener_);
    connection_ = listener_ = -1;
  }
  void use_tls(SSL_CTX* context) { context_ = context; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  bool read_until(std::uint64_t flows_wanted, milliseconds limit = std::chrono::seconds(10)) {
    const auto end = Clock::now() + limit;
    while (flows < flows_wanted && Clock::now() < end) {
      pollfd fd{connection_ < 0 ? listener_ : connection_, POLLIN, 0};
      if (poll(&fd, 1, 20) <= 0) continue;
      if (connection_ < 0) {
        accept_one();
      } else {
        read_some();
      }
    }
    return flows >= flows_wanted;
  }
  std::uint64_t flows = 0;
  std::vector<std::uint64_t> packets;  // of each flow
  Decoder decoder;

 private:
  struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
  };

  void accept_one() {
    connection_ = accept(listener_, nullptr, nullptr);
    stream_.clear();
    decoder = {};
    if (context_ == nullptr) return;
    session_.reset(SSL_new(context_));
    SSL_set_fd(session_.get(), connection_);
    if (SSL_accept(session_.get()) != 1) drop();
  }
  void drop() {
    session_.reset();
    ::close(connection_);
    connection_ = -1;
  }
  void read_some() {
    std::uint8_t buffer[16384];
    const auto n = session_ ? SSL_read(session_.get(), buffer, sizeof buffer)
                            : static_cast<int>(recv(connection_, buffer, sizeof buffer, 0));
    if (n <= 0) return drop();
    stream_.insert(stream_.end(), buffer, buffer + n);
    while (stream_.size() >= 4) {
      const std::size_t length = stream_[2] * 256u + stream_[3];
      if (length < 16 || stream_.size() < length) return;
      for (const auto& flow : decoder.decode(std::span(stream_).first(length)).flows()) {
        ++flows;
        packets.push_back(flow.number(2));
      }
      stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(length));
    }
  }

  int listener_ = -1;
  int connection_ = -1;
  std::uint16_t port_ = 0;
  SSL_CTX* context_ = nullptr;
  std::unique_ptr<SSL, FreeSession> session_;
  Octets stream_;
};

CollectorConfig stream_config(const StreamCollector& collector) {
  CollectorConfig config;
  config.address = collector.address();
  config.version = NetflowVersion::kIpfix;
  config.transport = Transport::kTcp;
  return config;
}

bool wait_for(const std::function<bool()>& condition) {
  const auto end = Clock::now() + std::chrono::seconds(10);
  while (!condition() && Clock::now() < end) std::this_thread::sleep_for(milliseconds(5));
  return condition();
}

void expect_balance(const SinkAccount& account) {
  std::uint64_t sum = account.delivered + account.queued;
  for (const DroppedCount& count : account.dropped) sum += count.records;
  EXPECT_EQ(account.offered, sum);
}

TEST(StreamLink, delivers_every_record_over_tcp) {
  StreamCollector collector;
  const auto link = make_collector_link(stream_config(collector), sample_exporter(), nullptr);
  link->offer(make_batch(std::vector<FlowRecord>(5000, tcp_ipv4())));
  link->offer(make_batch(std::vector<FlowRecord>(5000, udp_ipv6())));
  EXPECT_TRUE(collector.read_until(10'000));
  link->finish(5);
  EXPECT_EQ(link->account().delivered, 10'000u);
  expect_balance(link->account());
  EXPECT_TRUE(collector.decoder.errors().empty()) << collector.decoder.errors().front();
}

TEST(StreamLink, resends_what_a_killed_collector_had_not_taken_and_begins_with_templates) {
  StreamCollector collector;
  const auto link = make_collector_link(stream_config(collector), sample_exporter(), nullptr);
  link->offer(make_batch(std::vector<FlowRecord>(1000, tcp_ipv4())));
  EXPECT_TRUE(collector.read_until(1000));
  EXPECT_TRUE(wait_for([&] { return link->account().delivered == 1000; }));
  collector.close();
  EXPECT_TRUE(wait_for([&] { return link->account().state.rfind("refused since", 0) == 0; }));
  link->offer(make_batch(std::vector<FlowRecord>(2000, udp_ipv6())));
  EXPECT_EQ(link->account().queued, 2000u);
  collector.flows = 0;
  collector.open();
  const auto opened = Clock::now();
  EXPECT_TRUE(collector.read_until(2000));
  EXPECT_LT(Clock::now() - opened, milliseconds(3000));
  EXPECT_TRUE(collector.decoder.errors().empty()) << collector.decoder.errors().front();
  link->finish(5);
  EXPECT_EQ(link->account().delivered, 3000u);
  expect_balance(link->account());
}

TEST(StreamLink, counts_what_finds_no_room_when_a_collector_stops_reading) {
  StreamCollector collector;
  CollectorConfig config = stream_config(collector);
  config.rate = 0;
  ExporterInfo exporter = sample_exporter();
  exporter.queue_records = 20'000;
  const auto link = make_collector_link(config, exporter, nullptr);
  EXPECT_TRUE(wait_for([&] { return link->account().state == "up"; }));
  const auto batch = make_batch(std::vector<FlowRecord>(20'000, tcp_ipv4()));
  EXPECT_TRUE(wait_for([&] {  // the kernel's buffers have an end
    link->offer(batch);
    std::uint64_t full = 0;
    for (const auto& count : link->account().dropped) full += count.records;
    return full > 0;
  }));
  expect_balance(link->account());
  EXPECT_LE(link->account().queued, 20'000u);
  link->finish(0.2);
  EXPECT_EQ(link->account().queued, 0u);
  expect_balance(link->account());
}

// ---- the spool

class SpooledLink : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    config_ = stream_config(collector_);
    config_.spool.path = folder_;
    config_.rate = 0;
    exporter_.queue_records = 1000;  // so that memory alone would lose most
    collector_.close();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<RecordSink> make_link() {
    return make_collector_link(config_, exporter_, nullptr);
  }
  // In steps that the queue can hold; numbered by their packets.
  void offer(RecordSink& link, std::uint64_t count) {
    while (count != 0) {
      std::vector<FlowRecord> records(std::min<std::uint64_t>(count, 500), tcp_ipv4());
      for (FlowRecord& record : records) record.packets = next_++;
      count -= records.size();
      link.offer(make_batch(records));
      EXPECT_TRUE(wait_for([&] { return link.account().queued == link.account().spooled; }));
    }
  }
  static std::uint64_t dropped(const SinkAccount& account, std::string_view reason) {
    const auto of_reason = [&](const DroppedCount& count) { return count.reason == reason; };
    return std::ranges::find_if(account.dropped, of_reason)->records;
  }

  const std::string folder_ = testing::TempDir() + "wiretally-spooled-" + std::to_string(getpid());
  StreamCollector collector_;
  CollectorConfig config_;
  ExporterInfo exporter_ = sample_exporter();
  std::uint64_t next_ = 1;
};

TEST_F(SpooledLink, sends_in_order_after_what_came_while_the_collector_was_away) {
  const auto link = make_link();
  offer(*link, 20'000);
  EXPECT_EQ(link->account().spooled, 20'000u);
  collector_.open();
  EXPECT_TRUE(collector_.read_until(20'000));
  EXPECT_TRUE(wait_for([&] { return link->account().queued == 0; }));
  EXPECT_EQ(link->account().delivered, 20'000u);
  for (std::size_t i = 0; i < collector_.packets.size(); ++i) {
    ASSERT_EQ(collector_.packets[i], i + 1);
  }
  link->offer(make_batch(std::vector<FlowRecord>(100, udp_ipv6())));
  EXPECT_TRUE(collector_.read_until(20'100));
  link->finish(5);
  EXPECT_EQ(link->account().delivered, 20'100u);
  expect_balance(link->account());
}

TEST_F(SpooledLink, loses_nothing_when_the_collector_goes_again_in_the_middle) {
  const auto link = make_link();
  offer(*link, 20'000);
  collector_.open();
  EXPECT_TRUE(collector_.read_until(3000));
  collector_.close();
  offer(*link, 5000);
  collector_.open();
  EXPECT_TRUE(wait_for([&] {
    collector_.read_until(UINT64_MAX, milliseconds(50));
    return link->account().queued == 0;
  }));
  const std::set<std::uint64_t> seen(collector_.packets.begin(), collector_.packets.end());
  EXPECT_EQ(link->account().delivered, 25'000u);
  // Acknowledged by the kernel of a process that then went without reading: nobody can know those.
  EXPECT_GT(seen.size(), 3000u);
  EXPECT_TRUE(seen.contains(25'000));
  link->finish(5);
  expect_balance(link->account());
}

TEST_F(SpooledLink, leaves_to_the_next_run_what_it_could_not_send) {
  {
    const auto link = make_link();
    offer(*link, 7000);
    link->finish(1);
    EXPECT_EQ(dropped(link->account(), "spooled"), 7000u);
    EXPECT_EQ(link->account().queued, 0u);
    expect_balance(link->account());
  }
  const auto link = make_link();
  EXPECT_TRUE(wait_for([&] { return link->account().recovered == 7000; }));
  offer(*link, 500);
  collector_.open();
  EXPECT_TRUE(collector_.read_until(7500));
  EXPECT_EQ(collector_.packets.front(), 1u);
  EXPECT_EQ(collector_.packets.back(), 7500u);
  link->finish(5);
  EXPECT_EQ(link->account().delivered, 7500u);
  EXPECT_EQ(link->account().offered, 7500u);
  expect_balance(link->account());
}

TEST_F(SpooledLink, names_what_neither_spool_nor_memory_has_room_for) {
  config_.spool.max = 1 << 20;  // about ten thousand records
  const auto link = make_link();
  const auto batch = make_batch(std::vector<FlowRecord>(500, tcp_ipv4()));
  for (int i = 0; i < 60; ++i) {
    link->offer(batch);
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_TRUE(wait_for([&] { return dropped(link->account(), "spool_full") > 5000; }));
  expect_balance(link->account());
  EXPECT_GT(link->account().spooled, 8000u);
  const std::uint64_t kept = link->account().queued;
  collector_.open();
  EXPECT_TRUE(collector_.read_until(kept));
  link->finish(5);
  EXPECT_EQ(link->account().delivered, kept);
  expect_balance(link->account());
}

class TlsLink : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "wiretally-tls-" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=collector -addext subjectAltName=DNS:collector.example,IP:127.0.0.1 -keyout " +
        folder_ + "/key.pem -out " + folder_ + "/cert.pem 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << "needs package openssl";
    context_ = SSL_CTX_new(TLS_server_method());
    ASSERT_EQ(SSL_CTX_use_certificate_file(context_, path("cert").c_str(), SSL_FILETYPE_PEM), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey_file(context_, path("key").c_str(), SSL_FILETYPE_PEM), 1);
    collector_.use_tls(context_);
  }
  void TearDown() override {
    collector_.close();
    SSL_CTX_free(context_);
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string path(const char* what) const { return folder_ + "/" + what + ".pem"; }
  [[nodiscard]] CollectorConfig config() const {
    CollectorConfig config = stream_config(collector_);
    config.transport = Transport::kTls;
    config.tls.ca = path("cert");
    return config;
  }
  // What is logged of a collector that this link will not trust.
  std::string refusal(const CollectorConfig& config) {
    std::mutex mutex;
    std::string lines;
    const auto log = [&](LinkEvent event, const std::string& line) {
      const std::lock_guard lock(mutex);
      lines += line + "\n";
      EXPECT_EQ(event, LinkEvent::kTrouble) << line;
    };
    const auto link = make_collector_link(config, sample_exporter(), log);
    link->offer(make_batch(std::vector<FlowRecord>(10, tcp_ipv4())));
    collector_.read_until(1, milliseconds(500));
    EXPECT_EQ(link->account().delivered, 0u);
    EXPECT_EQ(link->account().state.rfind("untrusted since", 0), 0u) << link->account().state;
    link->finish(0.1);
    expect_balance(link->account());
    const std::lock_guard lock(mutex);
    return lines;
  }

  std::string folder_;
  SSL_CTX* context_ = nullptr;
  StreamCollector collector_;
};

TEST_F(TlsLink, delivers_to_a_collector_whose_certificate_it_trusts) {
  const auto link = make_collector_link(config(), sample_exporter(), nullptr);
  link->offer(make_batch(std::vector<FlowRecord>(3000, tcp_ipv4())));
  EXPECT_TRUE(collector_.read_until(3000));
  link->finish(5);
  EXPECT_EQ(link->account().delivered, 3000u);
  expect_balance(link->account());
  EXPECT_TRUE(collector_.decoder.errors().empty()) << collector_.decoder.errors().front();
}

TEST_F(TlsLink, refuses_a_certificate_of_another_authority_and_says_so) {
  CollectorConfig other = config();
  other.tls.ca.clear();
  EXPECT_NE(refusal(other).find("self-signed certificate"), std::string::npos);
}

TEST_F(TlsLink, refuses_a_certificate_of_another_name_and_says_so) {
  CollectorConfig other = config();
  other.tls.name = "somebody.else.example";
  EXPECT_NE(refusal(other).find("hostname mismatch"), std::string::npos);
}

TEST_F(TlsLink, takes_any_certificate_only_if_told_to) {
  CollectorConfig careless = config();
  careless.tls.ca.clear();
  careless.tls.verify = false;
  const auto link = make_collector_link(careless, sample_exporter(), nullptr);
  link->offer(make_batch(std::vector<FlowRecord>(10, tcp_ipv4())));
  EXPECT_TRUE(collector_.read_until(10));
  link->finish(5);
}

TEST_F(TlsLink, names_a_file_that_it_cannot_use) {
  CollectorConfig wrong = config();
  wrong.tls.ca = folder_ + "/missing.pem";
  EXPECT_THROW(make_collector_link(wrong, sample_exporter(), nullptr), StartupError);
}

}  // namespace
}  // namespace wiretally::test
