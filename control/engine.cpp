// SPDX-License-Identifier: Apache-2.0
// Makes the parts in order, stops them in reverse. Thread: main.
#include "control/engine.hpp"

#include <sched.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <limits>
#include <thread>

#include "control/capture/placement.hpp"
#include "control/engine_options.hpp"
#include "control/export/collector_link.hpp"
#include "dataplane/source/packet_filter.hpp"

namespace wiretally {
namespace {

constexpr double kSinkFinishSeconds = 5;
constexpr TimeNs kFlipWait = kNsPerSecond / 10;
constexpr auto kPause = std::chrono::microseconds(200);

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

void warn_of_placement(const Capture& capture, const Config& config) {
  std::vector<int> cores;
  for (const Feed& feed : capture.feeds) cores.push_back(feed.core);
  for (const std::string& line : placement_warnings(Placement(), cores, config.capture)) {
    spdlog::warn("{}", line);
  }
}

CountTable::Attributes attributes_of(const WorkerOptions& options) {
  if (options.key_macs) return CountTable::Attributes::kKeyed;
  return options.attributes ? CountTable::Attributes::kKept : CountTable::Attributes::kNone;
}

}  // namespace

// One worker with what belongs to it alone.
struct Engine::WorkerSlot {
  WorkerSlot(const WorkerOptions& given, const Config& config, const FlowHash& hash,
             const MeterClock& clock, std::size_t ports, CountTable::Memory memory)
      : epochs(config.flows.table_entries, ports, memory, attributes_of(given)) {
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

// What a reload changes in the engine itself.
class Engine::OwnParts final : public Reloadable {
 public:
  explicit OwnParts(Engine& engine) : engine_(engine) {}

  PreparedChange prepare(const Config& running, const Config&) override {
    PreparedChange change;
    change.commit = [this, level = running.log.level](const Config& next) {
      engine_.merger_.set_lifecycle(next.flows);
      engine_.tick_->set_interval(next.flows.tick.count());
      if (!engine_.table_attributes_ && monitors_want_attributes(next)) {
        spdlog::warn(
            "the new monitors take every frame for a plain one until a restart: this run "
            "keeps no notes of VLAN tags, labels and IPv6 options");
      }
      // A level set by an order stays, unless the file has another one than before.
      if (next.log.level != level) spdlog::set_level(spdlog::level::from_str(next.log.level));
    };
    return change;
  }

 private:
  Engine& engine_;
};

Engine::Engine(const Config& config, const std::vector<RecordSink*>& sinks, bool service)
    : config_(config),
      service_(service),
      attributes_(attributes_wanted(config, sinks)),
      table_attributes_(attributes_ || monitors_want_attributes(config)),
      capture_(open_and_leave_cores(config, attributes_)),
      recording_(capture_.time_base == TimeBase::kPackets),
      hash_(service ? FlowHash::random_seed() : FlowHash::fixed_seed(),
            {config.flows.key.vlan, config.flows.key.ingress}),
      merger_(merger_options(config, capture_, !service, attributes_), hash_),
      monitors_(config.monitors, port_ifindexes(capture_), kShards,
                [this](MonitorSet* set) { merger_.set_monitors(set); }),
      dumps_(config.monitors, monitors_, port_names(capture_), recording_,
             [](const std::string& line) { spdlog::warn("{}", line); }),
      sinks_(sinks),
      collectors_(
          config, [this](const Config& c, std::size_t number) { return make_link(c, number); },
          [this](const Config& c, std::size_t number) {
            return attributes_ || !attributes_wanted(c, number);
          },
          [](const Config& c, std::size_t number) {
            const CollectorConfig& collector = c.exporting.collectors[number];
            return SinkSettings{collector.rate, acceptance(collector)};
          }),
      own_parts_(std::make_unique<OwnParts>(*this)),
      reloadables_{&collectors_, &dumps_, &monitors_, own_parts_.get()} {
  const auto memory = service ? CountTable::Memory::kPopulated : CountTable::Memory::kLazy;
  if (service) warn_of_placement(capture_, config);
  for (std::size_t i = 0; i < capture_.feeds.size(); ++i) {
    const MemoryNear near(Placement().node_of_core(capture_.feeds[i].core));
    WorkerOptions options = worker_options(config, capture_.time_base, service);
    options.attributes = table_attributes_;
    slots_.push_back(std::make_unique<WorkerSlot>(options, config, hash_, clock_,
                                                  capture_.ports.size(), memory));
  }
  if (service && config.history.wanted) {
    history_ = std::make_unique<HistoryTap>(
        config.history, [](const std::string& line) { spdlog::warn("{}", line); });
    history_->add(monitors_);
    monitors_.expect_samples(config.history.groups);
    history_->start();
  }
  if (service) {
    quotas_ = std::make_unique<QuotaKeeper>(
        config, [](const std::string& line) { spdlog::warn("{}", line); });
    reloadables_.push_back(quotas_.get());
  }
  monitors_.set_top(config.metrics.top);
  make_tick(sinks);
  collectors_.on_change([this] {
    auto [taking, removed] = collectors_.members();
    taking.insert(taking.begin(), sinks_.begin(), sinks_.end());
    tick_->set_sinks(taking, removed);
  });
}

std::unique_ptr<RecordSink> Engine::make_link(const Config& config, std::size_t number) {
  const CollectorConfig& collector = config.exporting.collectors[number];
  ExporterInfo info = exporter_info(config, capture_, service_, board_);
  info.accepts = acceptance(collector);
  return make_collector_link(collector, info, [](LinkEvent event, const std::string& line) {
    const bool good = event == LinkEvent::kGood;
    spdlog::log(good ? spdlog::level::info : spdlog::level::warn, "{}", line);
  });
}

Engine::~Engine() {
  stop_workers();
}

void Engine::start_workers() {
  capture_.start();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i]->thread =
        std::thread([this, i] { capture_.feeds[i].run(*slots_[i]->worker, stop_); });
  }
}
void Engine::finish(const std::vector<RecordSink*>& sinks) {
  request_stop();
  while (!tick_->all_finished()) {
    if (tick_->anything_published()) {
      tick_->run(false);
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
  join();
  if (last_leave_ == Leave::kDelete) tick_->sweep({Leave::kDelete, {}});
  tick_->run(true);
  dumps_.finish();
  for (RecordSink* sink : sinks) sink->finish(kSinkFinishSeconds);
  collectors_.finish(kSinkFinishSeconds);
  tick_->republish();
}

void Engine::take_in_all() {
  tick_->request_flips(kFlipWait);
  tick_->run(false);
}

SweepOutput Engine::sweep(const Sweep& order) {
  take_in_all();
  return tick_->sweep(order);
}

void Engine::set_paused(bool paused) {
  take_in_all();
  for (const auto& slot : slots_) slot->worker->set_paused(paused);
  tick_->set_paused(paused);
  tick_->republish();
}

TimeNs Engine::next_dump() const {
  const std::int64_t due = dumps_.next_due();
  constexpr std::int64_t kFar = std::numeric_limits<TimeNs>::max() / kNsPerSecond / 2;
  return recording_ || due > kFar ? std::numeric_limits<TimeNs>::max()
                                  : due * kNsPerSecond - clock_.utc_step();
}

void Engine::dump_now() {
  take_in_all();
  dumps_.dump_now();
}

ReloadResult Engine::reload(const Config& next) {
  return wiretally::reload(config_, next, reloadables_);
}

void Engine::wait_published() {
  slots_[0]->epochs.wait_published();
}

void Engine::make_tick(const std::vector<RecordSink*>& sinks) {
  Tick::Parts parts;
  parts.merger = &merger_;
  parts.board = &board_;
  parts.clock = &clock_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    parts.workers.push_back(&slots_[i]->epochs);
    parts.cores.push_back(capture_.feeds[i].core);
  }
  parts.ports = capture_.ports;
  parts.monitors = &monitors_;
  parts.quotas = quotas_.get();
  parts.dumps = &dumps_;
  parts.history = history_.get();
  parts.driver = capture_.driver;
  parts.driver_note = capture_.note;
  parts.time_base = capture_.time_base;
  parts.recording_walks = service_;
  parts.interval = config_.flows.tick.count();
  parts.flows_max = config_.flows.max_flows;
  tick_ = std::make_unique<Tick>(std::move(parts));
  std::vector<RecordSink*> taking = sinks;
  for (RecordSink* link : collectors_.members().taking) taking.push_back(link);
  tick_->set_sinks(taking, {});
  tick_->republish();  // who asks before the first tick sees the sinks too
}

void Engine::join() {
  for (const auto& slot : slots_) {
    if (slot->thread.joinable()) slot->thread.join();
  }
  capture_.stop();
}
// Also on the way out of an exception: a worker waits for its tables until they come back.
void Engine::stop_workers() {
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
    if (running) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace wiretally
