// SPDX-License-Identifier: Apache-2.0
// Sends random Flow Records through real collector links and writes what it sent as a table: the
// truth that tests/system/export_check.py holds nfdump, nfacctd and tshark against.
//   export_sender VERSION COUNT SEED TRUTH_FILE RATE OPTIONS(on|off) NON_IP(on|off) SECONDS
//   ADDRESS...
// Prints one line a collector: address offered delivered dropped datagrams. Exit 1 unless every
// record was delivered or left out by version or setting. Thread: main, and one a link.
#include <arpa/inet.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <thread>

#include "control/export/collector_link.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

std::string address_text(const FlowRecord& record, const std::array<std::uint8_t, 16>& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool ipv4 = record.key.ip_version() == IpVersion::kV4;
  inet_ntop(ipv4 ? AF_INET : AF_INET6, address.data() + (ipv4 ? 12 : 0), text.data(), text.size());
  return text.data();
}

bool is_sent(const FlowRecord& record, const CollectorConfig& config) {
  if (record.key.ip_version() == IpVersion::kNone) {
    return config.non_ip && config.version != NetflowVersion::kV5;
  }
  return config.version != NetflowVersion::kV5 || record.key.ip_version() == IpVersion::kV4;
}

void write_truth(std::ostream& out, const FlowRecord& record) {
  const bool ip = record.key.ip_version() != IpVersion::kNone;
  out << (ip ? address_text(record, record.key.source) : "") << '\t'
      << (ip ? address_text(record, record.key.destination) : "") << '\t'
      << unsigned{record.key.protocol} << '\t' << record.key.source_port << '\t'
      << record.key.destination_port << '\t' << record.packets << '\t' << record.octets << '\t'
      << record.first / 1'000'000 << '\t' << record.last / 1'000'000 << '\t'
      << (record.tcp_flags & 0xff) << '\t' << unsigned{record.tos} << '\t' << record.key.vlan()
      << '\t' << record.ingress_ifindex << '\t' << static_cast<unsigned>(record.end_reason) << '\n';
}

// Random records, made comparable: the collectors keep only what a real packet could have.
FlowRecord realistic(std::mt19937_64& random) {
  FlowRecord record = random_record(random);
  if (record.key.protocol != 6) record.tcp_flags = 0;
  if (record.key.protocol == 1 || record.key.protocol == 58) record.key.source_port = 0;
  if (record.key.protocol == 47) record.key.source_port = record.key.destination_port = 0;
  if (record.key.level() != CoarseLevel::kExact) {
    record.key.source_port = record.key.destination_port = 0;
  }
  record.packets = 1 + (record.packets >> 8);
  record.octets = 40 * record.packets;
  if (random() % 500 == 0) record.octets = 5'000'000'000'123;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const TimeNs age = kEpoch - record.first;
  const TimeNs duration = record.last - record.first;
  record.first =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - 7200 * kNsPerSecond + age;
  record.last = record.first + duration;
  return record;
}

int send_all(std::vector<std::string> arguments) {
  CollectorConfig config;
  config.version = static_cast<NetflowVersion>(std::stoi(arguments.at(0)));
  const std::size_t count = std::stoul(arguments.at(1));
  std::mt19937_64 random(std::stoull(arguments.at(2)));
  std::ofstream truth(arguments.at(3));
  config.rate = static_cast<std::uint32_t>(std::stoul(arguments.at(4)));
  const bool options = arguments.at(5) == "on";
  config.option_sampling = config.option_interfaces = config.option_statistics = options;
  config.non_ip = arguments.at(6) == "on";
  const double seconds = std::stod(arguments.at(7));
  config.templates = {20, std::chrono::seconds(2)};
  ExporterInfo exporter = sample_exporter();
  exporter.clock = nullptr;
  exporter.start_time = 0;
  exporter.lossless = true;
  exporter.metering = [] { return MeteringStatistics{1000, 20, 3000}; };
  std::vector<std::unique_ptr<RecordSink>> links;
  for (std::size_t i = 8; i < arguments.size(); ++i) {
    config.address = arguments[i];
    links.push_back(make_collector_link(
        config, exporter, [](LinkEvent, const std::string& line) { std::cerr << line << "\n"; }));
  }
  // All made first, so that with SECONDS 0 they really come at once.
  constexpr std::size_t kBatch = 1000;
  std::vector<RecordBatchPtr> batches;
  std::size_t sent = 0;
  for (std::size_t made = 0; made < count; made += kBatch) {
    RecordBatch batch;
    for (std::size_t i = 0; i < std::min(kBatch, count - made); ++i) {
      batch.push_back(realistic(random));
      if (!is_sent(batch.back(), config)) continue;
      write_truth(truth, batch.back());
      ++sent;
    }
    batches.push_back(make_batch(std::move(batch)));
  }
  for (const RecordBatchPtr& batch : batches) {
    for (auto& link : links) link->offer(batch);
    std::this_thread::sleep_for(
        std::chrono::duration<double>(seconds / static_cast<double>(batches.size())));
  }
  bool good = true;
  for (auto& link : links) {
    link->finish(60);
    const SinkAccount account = link->account();
    std::cout << account.name << ' ' << account.offered << ' ' << account.delivered << ' '
              << account.offered - account.delivered << ' ' << account.datagrams << "\n";
    good = good && account.delivered == sent && account.send_errors == 0;
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace wiretally::test

int main(int argc, char** argv) {
  if (argc < 10) {
    std::cerr << "export_sender VERSION COUNT SEED TRUTH_FILE RATE OPTIONS NON_IP SECONDS "
                 "ADDRESS...\n";
    return 2;
  }
  return wiretally::test::send_all({argv + 1, argv + argc});
}
