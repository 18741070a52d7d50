// SPDX-License-Identifier: Apache-2.0
// Starts the parts in order, runs the ticks, stops in reverse. Thread: main.
#include "control/appliance.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "config/startup_error.hpp"
#include "control/api/control_server.hpp"
#include "control/api/flow_views.hpp"
#include "control/capture/capture.hpp"
#include "control/capture/offloads.hpp"
#include "control/export/collector_link.hpp"
#include "control/export/record_layout.hpp"
#include "control/metrics/metrics_endpoint.hpp"
#include "control/sink/record_filter.hpp"
#include "control/tick.hpp"
#include "dataplane/source/packet_filter.hpp"

namespace wiretally {
namespace {

constexpr double kSinkFinishSeconds = 5;
constexpr TimeNs kFlipWait = kNsPerSecond / 10;
constexpr auto kRecordingPause = std::chrono::microseconds(200);

void check_cpu() {
  if (__builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.2")) return;
  throw StartupError(ExitCode::kMachine,
                     "this CPU lacks AES-NI or SSE4.2, which the flow hash needs; run on x86-64 of "
                     "2010 or later, or let the hypervisor pass the feature through");
}

// Attributes cost a line and a half a packet: they are kept if some sink or layout has use for
// them.
bool attributes_wanted(const Config& config, const std::vector<RecordSink*>& sinks) {
  const auto by_sink = [](const RecordSink* sink) { return sink->wants_attributes(); };
  const auto by_collector = [&config](const CollectorConfig& collector) {
    return collector.version != NetflowVersion::kV5 &&
           wants_attributes({collector.layout, collector.fields, config.flows.tunnel});
  };
  return std::ranges::any_of(sinks, by_sink) ||
         std::ranges::any_of(config.exporting.collectors, by_collector);
}

WorkerOptions worker_options(const Config& config, TimeBase time_base, bool service) {
  WorkerOptions options;
  options.parse.tunnel =
      config.flows.tunnel == TunnelKey::kInner ? TunnelView::kInner : TunnelView::kOuter;
  options.time_base = time_base;
  options.stop_at_end = !service;
  options.tick = std::min<TimeNs>(config.flows.tick.count(), Worker::kRecordingTickMax);
  options.join_fragments = config.flows.fragment_ports == FragmentPorts::kFirst;
  options.key_addresses = config.flows.key.addresses;
  options.key_protocol = config.flows.key.protocol;
  options.key_ports = config.flows.key.ports;
  options.sampling_rate = config.capture.sampling.rate;
  options.sampling_random = config.capture.sampling.mode == SamplingMode::kRandom;
  return options;
}

// As many as control has cores, at most four: a shard's work is short.
int control_threads() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(0, sizeof mask, &mask);
  return std::clamp(CPU_COUNT(&mask), 1, 4);
}

MergerOptions merger_options(const Config& config, const Capture& capture, bool recording,
                             bool attributes) {
  MergerOptions options;
  options.flows = config.flows;
  options.recording = recording;
  options.attributes = attributes;
  options.threads = recording ? 1 : control_threads();
  for (const CapturePort* port : capture.ports) options.ifindex.push_back(port->ifindex());
  return options;
}

// What the statistics options tell of the metering process, as of the last tick.
MeteringStatistics metering_statistics(const StatusBoard& board) {
  MeteringStatistics statistics;
  const StatusPtr status = board.latest();
  if (status == nullptr) return statistics;
  statistics.observed_flows = status->flows.created;
  for (const PortStatus& port : status->ports) {
    for (std::size_t e = 1; e < kParseErrors; ++e) {
      if (is_metered(static_cast<ParseError>(e))) continue;
      statistics.ignored_packets += port.parse_results[e].packets;
      statistics.ignored_octets += port.parse_results[e].l2_octets;
    }
  }
  return statistics;
}

// Control and its TBB threads, which inherit the mask, stay off the workers' cores as far as there
// are others; EAL has pinned this thread to one of them.
void leave_worker_cores(const cpu_set_t& before, const Capture& capture) {
  cpu_set_t mask = before;
  for (const Feed& feed : capture.feeds) {
    if (feed.core >= 0) CPU_CLR(static_cast<unsigned>(feed.core), &mask);
  }
  if (CPU_COUNT(&mask) == 0) mask = before;
  sched_setaffinity(0, sizeof mask, &mask);
}

Capture open_and_leave_cores(const Config& config, bool attributes) {
  cpu_set_t before;
  CPU_ZERO(&before);
  sched_getaffinity(0, sizeof before, &before);
  Capture capture = open_capture(config, attributes);
  leave_worker_cores(before, capture);
  return capture;
}

ExporterInfo exporter_info(const Config& config, const Capture& capture, bool service,
                           const StatusBoard& board) {
  ExporterInfo info;
  info.domain_id = observation_domain_id(config.exporting.domain_id);
  info.sampling_rate = config.capture.sampling.rate;
  info.sampling_mode = config.capture.sampling.mode;
  info.tunnel_key = config.flows.tunnel;
  info.lossless = !service;
  info.metering = [&board] { return metering_statistics(board); };
  for (const CapturePort* port : capture.ports) {
    info.interfaces.push_back({port->ifindex(), std::string(port->name()), ""});
  }
  return info;
}

// What a collector wants to see; empty: everything.
std::function<bool(const FlowRecord&)> acceptance(const CollectorConfig& collector) {
  if (collector.filter.empty()) return {};
  auto filter = std::make_shared<RecordFilter>(collector.filter);
  return [filter](const FlowRecord& record) { return filter->matches(record); };
}

// One worker with what belongs to it alone.
struct WorkerSlot {
  WorkerSlot(const WorkerOptions& given, const Config& config, const FlowHash& hash,
             const MeterClock& clock, std::size_t ports, CountTable::Memory memory)
      : epochs(config.flows.table_entries, ports, memory,
               given.attributes ? CountTable::Attributes::kKept : CountTable::Attributes::kNone) {
    WorkerOptions options = given;
    if (!config.capture.filter.empty()) {
      filter = std::make_unique<PacketFilter>(config.capture.filter);
      options.filter = filter.get();
    }
    worker = std::make_unique<Worker>(options, hash, epochs, clock, ports);
  }

  WorkerEpochs epochs;
  std::unique_ptr<PacketFilter> filter;
  std::unique_ptr<Worker> worker;
  std::thread thread;
};

// Everything between sources and sinks, for both ways to run.
class Engine {
 public:
  Engine(const Config& config, const std::vector<RecordSink*>& sinks, bool service)
      : config_(config),
        service_(service),
        attributes_(attributes_wanted(config, sinks)),
        capture_(open_and_leave_cores(config, attributes_)),
        recording_(capture_.time_base == TimeBase::kPackets),
        hash_(service ? FlowHash::random_seed() : FlowHash::fixed_seed(),
              {config.flows.key.vlan, config.flows.key.ingress}),
        merger_(merger_options(config, capture_, !service, attributes_), hash_) {
    const auto log = [](const std::string& line) { spdlog::info("{}", line); };
    for (const CollectorConfig& collector : config.exporting.collectors) {
      ExporterInfo info = exporter_info(config, capture_, service, board_);
      info.accepts = acceptance(collector);
      links_.push_back(make_collector_link(collector, info, log));
    }
    const auto memory = service ? CountTable::Memory::kPopulated : CountTable::Memory::kLazy;
    for (std::size_t i = 0; i < capture_.feeds.size(); ++i) {
      WorkerOptions options = worker_options(config, capture_.time_base, service);
      options.attributes = attributes_;
      slots_.push_back(std::make_unique<WorkerSlot>(options, config, hash_, clock_,
                                                    capture_.ports.size(), memory));
    }
    make_tick(sinks);
  }

  ~Engine() { stop_workers(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start_workers() {
    capture_.start();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i]->thread =
          std::thread([this, i] { capture_.feeds[i].run(*slots_[i]->worker, stop_); });
    }
  }
  void request_stop() { stop_.store(true, std::memory_order_relaxed); }

  // Takes the last epochs in, ends every flow and delivers what the sinks still hold.
  void finish(const std::vector<RecordSink*>& sinks) {
    request_stop();
    while (!tick_->all_finished()) {
      if (tick_->anything_published()) {
        tick_->run(false);
      } else {
        std::this_thread::sleep_for(kRecordingPause);
      }
    }
    join();
    tick_->run(true);
    for (RecordSink* sink : sinks) sink->finish(kSinkFinishSeconds);
    for (const auto& link : links_) link->finish(kSinkFinishSeconds);
    tick_->republish();
  }

  Tick& tick() { return *tick_; }
  const StatusBoard& board() const { return board_; }
  Merger& merger() { return merger_; }
  const Capture& capture() const { return capture_; }
  bool recording() const { return recording_; }
  // `read`: blocks until the worker hands an epoch over.
  void wait_published() { slots_[0]->epochs.wait_published(); }

 private:
  void make_tick(const std::vector<RecordSink*>& sinks) {
    Tick::Parts parts;
    parts.merger = &merger_;
    parts.board = &board_;
    parts.clock = &clock_;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      parts.workers.push_back(&slots_[i]->epochs);
      parts.cores.push_back(capture_.feeds[i].core);
    }
    parts.ports = capture_.ports;
    parts.sinks = sinks;
    for (const auto& link : links_) parts.sinks.push_back(link.get());
    parts.driver = capture_.driver;
    parts.driver_note = capture_.note;
    parts.time_base = capture_.time_base;
    parts.recording_walks = service_;
    parts.interval = config_.flows.tick.count();
    parts.flows_max = config_.flows.max_flows;
    tick_ = std::make_unique<Tick>(std::move(parts));
  }
  void join() {
    for (const auto& slot : slots_) {
      if (slot->thread.joinable()) slot->thread.join();
    }
    capture_.stop();
  }
  // Also on the way out of an exception: a worker waits for its tables until they come back.
  void stop_workers() {
    request_stop();
    for (bool running = true; running;) {
      running = false;
      for (const auto& slot : slots_) {
        if (!slot->thread.joinable()) continue;
        if (slot->epochs.has_published()) {
          const bool last = slot->epochs.published_report().final_epoch;
          slot->epochs.give_back();
          if (last) {
            slot->thread.join();
            continue;
          }
        }
        running = true;
      }
      if (running) std::this_thread::sleep_for(kRecordingPause);
    }
  }

  const Config& config_;
  const bool service_;
  MeterClock clock_;
  StatusBoard board_;
  const bool attributes_;  // kept all the way from packet to record
  Capture capture_;
  const bool recording_;
  FlowHash hash_;
  Merger merger_;
  std::vector<std::unique_ptr<RecordSink>> links_;
  std::vector<std::unique_ptr<WorkerSlot>> slots_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<Tick> tick_;
};

// SIGTERM and SIGINT as something to wait for: blocked in every thread, taken by main between
// ticks. They stay blocked to the end, so that a second one does not cut the export of the last
// flows short.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    for (const int signal : {SIGUSR1, SIGUSR2, SIGPIPE}) ::signal(signal, SIG_IGN);
  }
  // Waits up to `limit`; true if the meter is to stop.
  bool wait(TimeNs limit) {
    const TimeNs span = std::max<TimeNs>(limit, 0);
    const timespec timeout{span / kNsPerSecond, span % kNsPerSecond};
    const int signal = sigtimedwait(&set_, nullptr, &timeout);
    if (signal == SIGHUP)
      spdlog::warn("SIGHUP: reload is not in this version; nothing was changed");
    return signal == SIGTERM || signal == SIGINT;
  }

 private:
  sigset_t set_{};
};

class ServiceView : public MeterView {
 public:
  explicit ServiceView(Engine& engine) : engine_(engine) {}
  StatusPtr status() const override { return engine_.board().latest(); }
  ActiveFlows active_flows(const FlowQuery& query) override {
    return list_active_flows(engine_.merger(), query);
  }
  TopRows top(TopDimension dimension, std::size_t limit) override {
    return list_top(engine_.merger(), dimension, limit);
  }
  void request_stop() override { kill(getpid(), SIGTERM); }

 private:
  Engine& engine_;
};

// The last word of a run: what came, where it went, and what no collector got.
void log_closing(const Status& status) {
  Volume received;
  for (const PortStatus& port : status.ports) received += port.received;
  spdlog::info("stopped: {} packets received, {} flows; the ledger {}", received.packets,
               status.flows.created, status.ledger.balanced() ? "balances" : "DOES NOT BALANCE");
  for (const SinkAccount& sink : status.sinks) {
    for (const DroppedCount& dropped : sink.dropped) {
      if (dropped.records == 0) continue;
      spdlog::warn("collector {} did not get {} records: {}", sink.name, dropped.records,
                   dropped.reason);
    }
  }
}

// A live link ticks by the machine's clock; a recording as its epochs come, and once an interval.
void run_until_stopped(Engine& engine, StopSignals& signals, TimeNs interval) {
  const MeterClock clock;
  TimeNs next = clock.now() + interval;
  const TimeNs pause = engine.recording() ? kNsPerSecond / 5000 : interval;
  while (!signals.wait(std::min(pause, next - clock.now()))) {
    if (engine.tick().all_finished()) return;
    const bool due = clock.now() >= next;
    if (due) engine.tick().request_flips(kFlipWait);
    if (due || engine.tick().anything_published()) engine.tick().run(false);
    // A tick that took longer than its interval moves the following ones; none is made up for.
    if (due) next = std::max(next + interval, clock.now());
  }
}

// GRO and its like, off before the first packet if the meter is to see to that.
OffloadKeeper see_to_offloads(const CaptureConfig& capture) {
  std::vector<std::string> names;
  for (const InterfaceConfig& interface : capture.interfaces) names.push_back(interface.name);
  if (capture.manage_offloads) return OffloadKeeper(names);
  warn_of_offloads(names);
  return {};
}

}  // namespace

StatusPtr run_appliance(const Config& config) {
  check_cpu();
  StopSignals signals;  // before any thread is made, so that all inherit the mask
  const OffloadKeeper offloads = see_to_offloads(config.capture);
  Engine engine(config, {}, true);
  ServiceView view(engine);
  ControlServer server(config.control.socket, view);
  std::unique_ptr<MetricsEndpoint> metrics;
  if (!config.metrics.listen.empty()) {
    metrics = std::make_unique<MetricsEndpoint>(config.metrics.listen,
                                                [&engine] { return engine.board().latest(); });
  }
  const Capture& capture = engine.capture();
  spdlog::info("metering with driver {}: {}", capture.driver, capture.note);
  engine.start_workers();
  run_until_stopped(engine, signals, config.flows.tick.count());
  spdlog::info("stopping: every flow is exported");
  engine.finish({});
  log_closing(*engine.board().latest());
  return engine.board().latest();
}

ReadResult read_captures(const Config& config, const std::vector<RecordSink*>& sinks,
                         const std::function<void(const ReadProgress&)>& progress) {
  check_cpu();
  Engine engine(config, sinks, false);
  engine.start_workers();
  const MeterClock clock;
  TimeNs told = clock.now();
  while (!engine.tick().all_finished()) {
    engine.wait_published();
    engine.tick().run(false);
    if (clock.now() - told < kNsPerSecond / 5) continue;
    told = clock.now();
    const auto [done, total] = engine.capture().progress();
    const StatusPtr status = engine.board().latest();
    progress({done, total, status->ports.empty() ? 0 : status->ports[0].received.packets});
  }
  engine.finish(sinks);
  return {engine.board().latest(), engine.capture().damages(), engine.capture().unreadable()};
}

}  // namespace wiretally
