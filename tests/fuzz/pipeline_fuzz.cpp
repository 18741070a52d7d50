// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any octets as a recording through the whole meter - read, parse, count, flip,
// drain, merge, end, export in NetFlow v5, v9 and IPFIX - and back through the tests' decoder. The
// first octets choose the options; tables are tiny, so that they fill, coarsen and flip. Whatever
// comes, the ledger balances in packets and octets, and collectors are told what was metered.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "config/startup_error.hpp"
#include "control/export/message_encoder.hpp"
#include "control/tick.hpp"
#include "dataplane/source/pcap_file_source.hpp"
#include "tests/control/export/decoder.hpp"
#include "tests/fuzz/support.hpp"

namespace wiretally::fuzz {
namespace {

constexpr std::size_t kRecordingMax = 256 * 1024;

// What the first octets of an input mean; seeds.cpp writes zeros there.
struct Settings {
  WorkerOptions worker;
  MergerOptions merger;
  std::size_t table_entries = 0;
  std::size_t burst = 0;
  std::size_t datagram = 0;
  TimeBase time_base{};
};
constexpr std::size_t kSettingsOctets = 8;

Settings read_settings(Choices& choices) {
  Settings settings;
  const std::uint8_t flags = choices.octet();
  settings.time_base = (flags & 1) == 0 ? TimeBase::kPackets : TimeBase::kMachine;
  settings.worker.parse.tunnel = (flags & 2) == 0 ? TunnelView::kInner : TunnelView::kOuter;
  settings.worker.key_addresses = (flags & 4) == 0;
  settings.worker.key_ports = (flags & 8) == 0;
  settings.worker.key_protocol = (flags & 16) == 0;
  settings.worker.sampling_rate = (flags & 32) == 0 ? 1 : 2;
  settings.merger.flows.key.vlan = (flags & 64) != 0;
  settings.merger.recording = (flags & 128) == 0;  // otherwise a full cache sheds flows
  settings.worker.time_base = settings.time_base;
  settings.table_entries = 1 + choices.octet() * std::size_t{8};
  settings.burst = 1 + choices.octet() % kBurstMax;
  settings.worker.tick = 1 + choices.octet() * (Worker::kRecordingTickMax / 255 - 1);
  settings.datagram = kDatagramMin + choices.octet() * std::size_t{37};
  settings.merger.flows.max_flows = 1 + choices.octet() * std::uint64_t{4};
  const TimeNs timeout = 1 + choices.octet() * (kNsPerSecond / 8);
  TimeoutsConfig& timeouts = settings.merger.flows.timeouts;
  timeouts.active = std::chrono::nanoseconds(timeout * 4);
  for (auto* each : {&timeouts.idle, &timeouts.tcp, &timeouts.tcp_fin, &timeouts.tcp_rst,
                     &timeouts.udp, &timeouts.icmp}) {
    *each = std::chrono::nanoseconds(timeout);
  }
  settings.merger.ifindex = {7};
  settings.worker.attributes = settings.merger.attributes = (choices.octet() & 1) != 0;
  return settings;
}

// A recording in at most `burst` packets a turn. On a live link stamps are a kernel's: around now,
// whatever the recording says.
class SlowSource {
 public:
  SlowSource(const std::string& path, const Settings& settings)
      : file_({path}, PortIndex{0}), burst_(settings.burst), base_(settings.time_base) {}
  std::size_t poll(std::span<PacketView> views) {
    const std::size_t count = file_.poll(views.first(burst_));
    if (base_ == TimeBase::kPackets) return count;
    const TimeNs utc = clock_.now() + clock_.utc_step();
    for (PacketView& view : views.first(count)) view.time = utc + view.time % kNsPerSecond;
    return count;
  }
  void release() { file_.release(); }
  [[nodiscard]] bool exhausted() const { return file_.exhausted(); }

 private:
  PcapFileSource file_;
  MeterClock clock_;
  std::size_t burst_;
  TimeBase base_;
};

// Encodes every record for one version and adds up what a collector reads.
class Collector final : public RecordSink {
 public:
  Collector(NetflowVersion version, const Settings& settings)
      : version_(version), buffer_(settings.datagram) {
    collector_.version = version;
    if (settings.worker.attributes) collector_.layout = RecordLayout::kFull;
    collector_.non_ip = true;
    exporter_.domain_id = 1;
    exporter_.clock = [] { return TimeNs{1'609'459'200} * kNsPerSecond; };
    exporter_.start_time = exporter_.clock();
    encoder_ = make_message_encoder(collector_, exporter_, nullptr);
  }
  void offer(const RecordBatchPtr& batch) override {
    offered_ += batch->size();
    for (std::size_t at = 0; at < batch->size();) {
      encoder_->begin(buffer_, exporter_.clock());
      announced_ = encoder_->add_announcements(announced_);
      const bool ready = announced_ == encoder_->announcements();
      if (ready) at += encoder_->add_records(std::span(*batch).subspan(at), tally_);
      const std::size_t octets = encoder_->finish();
      require(octets <= buffer_.size(), "a message fits its datagram");
      if (octets > 0) read(std::span(buffer_).first(octets));
    }
  }
  [[nodiscard]] SinkAccount account() const override {
    SinkAccount account;
    account.name = "collector";
    account.offered = offered_;
    account.delivered = tally_.encoded.records;
    account.dropped = {{"non_ip", tally_.non_ip.records},
                       {"not_in_version", tally_.not_in_version.records}};
    return account;
  }
  void finish(double) override {}

  // `metered`: by IpVersion.
  void check(const std::array<Volume, kIpVersions>& metered) const {
    const Volume& v4 = metered[static_cast<std::size_t>(IpVersion::kV4)];
    const Volume& v6 = metered[static_cast<std::size_t>(IpVersion::kV6)];
    const Volume& none = metered[static_cast<std::size_t>(IpVersion::kNone)];
    const bool v5 = version_ == NetflowVersion::kV5;
    const Volume all = {v4.packets + (v5 ? 0 : v6.packets + none.packets),
                        v4.octets + (v5 ? 0 : v6.octets), v5 ? 0 : none.l2_octets};
    require(told_ == all, "collectors are told what was metered");
  }

 private:
  void read(std::span<const std::uint8_t> message) {
    for (const auto& record : decoder_.decode(message).flows()) {
      told_ += {record.number(2), record.number(1), record.has(256) ? record.number(352) : 0};
      require(record.number(10) == 7, "records name their interface");
    }
    if (!decoder_.errors().empty()) std::fprintf(stderr, "%s\n", decoder_.errors()[0].c_str());
    require(decoder_.errors().empty(), "messages are well formed");
  }

  NetflowVersion version_;
  std::vector<std::uint8_t> buffer_;
  CollectorConfig collector_;
  ExporterInfo exporter_;
  std::unique_ptr<MessageEncoder> encoder_;
  test::Decoder decoder_;
  std::size_t announced_ = 0;
  std::uint64_t offered_ = 0;
  RecordTally tally_;
  Volume told_;
};

// The meter as the appliance puts it together, with one worker.
class Meter {
 public:
  explicit Meter(const Settings& settings)
      : settings_(settings),
        epochs_(settings.table_entries, 1, CountTable::Memory::kLazy,
                settings.worker.attributes ? CountTable::Attributes::kKept
                                           : CountTable::Attributes::kNone),
        hash_(FlowHash::fixed_seed(), {settings.merger.flows.key.vlan, false}),
        merger_(settings.merger, hash_),
        worker_(settings.worker, hash_, epochs_, clock_, 1),
        v5_(NetflowVersion::kV5, settings),
        v9_(NetflowVersion::kV9, settings),
        ipfix_(NetflowVersion::kIpfix, settings),
        tick_(parts()) {
    tick_.set_sinks({&v5_, &v9_, &ipfix_}, {});
  }

  void run(SlowSource& source) {
    const std::atomic<bool> never{false};
    std::thread thread([&] { worker_.run(source, never); });
    while (!tick_.all_finished()) {
      if (settings_.time_base == TimeBase::kMachine) {
        tick_.request_flips(kNsPerSecond / 1000);
      } else {
        epochs_.wait_published();
      }
      tick_.run(false);
    }
    thread.join();
    require(merger_.count_flows() == merger_.totals().in_cache, "the cache knows its sum");
    tick_.run(true);
    tick_.republish();
    check();
  }

 private:
  Tick::Parts parts() {
    Tick::Parts parts;
    parts.merger = &merger_;
    parts.board = &board_;
    parts.clock = &clock_;
    parts.workers = {&epochs_};
    parts.cores = {-1};
    parts.ports = {&port_};
    parts.time_base = settings_.time_base;
    return parts;
  }
  void check() {
    const StatusPtr status = board_.latest();
    require(status->ledger.balanced(), "the ledger balances");
    require(merger_.totals().flows == 0, "every flow has ended");
    const PortStatus& port = status->ports.at(0);
    for (const Collector* collector : {&v5_, &v9_, &ipfix_}) collector->check(port.metered);
    std::uint64_t counted = 0;
    for (const Volume& volume : port.metered) counted += volume.packets;
    for (std::size_t e = 0; e < kParseErrors; ++e) {
      if (!is_metered(static_cast<ParseError>(e))) counted += port.parse_results[e].packets;
    }
    require(counted == port.received.packets, "every packet is metered or under a reason");
  }

  const Settings settings_;
  MeterClock clock_;
  StatusBoard board_;
  WorkerEpochs epochs_;
  FlowHash hash_;
  Merger merger_;
  Worker worker_;
  PcapFilePort port_{7};
  Collector v5_;
  Collector v9_;
  Collector ipfix_;
  Tick tick_;
};

// The octets as a file; closed with it.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> octets)
      : fd_(::memfd_create("recording", MFD_CLOEXEC)) {
    const ssize_t written = ::write(fd_, octets.data(), octets.size());
    require(written == static_cast<ssize_t>(octets.size()), "the octets can be written");
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace
}  // namespace wiretally::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wiretally::fuzz;
  if (size <= kSettingsOctets || size > kRecordingMax) return 0;
  Choices choices({data, size});
  const Settings settings = read_settings(choices);
  const MemoryFile file(choices.rest());
  try {
    SlowSource source(file.path(), settings);
    Meter(settings).run(source);
  } catch (const wiretally::StartupError&) {  // no recording
  }
  return 0;
}
