// SPDX-License-Identifier: Apache-2.0
// The two ways to run the engine: as a service until a signal, or over a recording to its end.
// Thread: main.
#include "control/appliance.hpp"

#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "config/startup_error.hpp"
#include "control/api/control_server.hpp"
#include "control/capture/offloads.hpp"
#include "control/descriptor_limit.hpp"
#include "control/engine.hpp"
#include "control/metrics/metrics_endpoint.hpp"
#include "control/order_queue.hpp"
#include "control/service_view.hpp"

namespace wiretally {
namespace {

constexpr TimeNs kFlipWait = kNsPerSecond / 10;

void check_cpu() {
  if (__builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.2")) return;
  throw StartupError(ExitCode::kMachine,
                     "this CPU lacks AES-NI or SSE4.2, which the flow hash needs; run on x86-64 of "
                     "2010 or later, or let the hypervisor pass the feature through");
}

// What main wakes up for.
enum class Event : std::uint8_t { kTime, kStop, kReload, kOrder, kDump };

// Signals as something to wait for: blocked in every thread, taken by main between ticks. They stay
// blocked to the end, so that a second SIGTERM does not cut the export of the last flows short. One
// that means nothing here would end the process and its flows with it, were it left to the system.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : kStop) sigaddset(&set_, signal);
    for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO}) {
      sigaddset(&set_, signal);
    }
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    for (const int signal : {SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_IGN);  // write() says it
  }
  Event wait(TimeNs limit) {
    const TimeNs span = std::max<TimeNs>(limit, 0);
    const timespec timeout{span / kNsPerSecond, span % kNsPerSecond};
    const int signal = sigtimedwait(&set_, nullptr, &timeout);
    if (std::ranges::find(kStop, signal) != kStop.end()) return Event::kStop;
    if (signal == SIGHUP) return Event::kReload;
    if (signal == SIGUSR1) return Event::kDump;
    if (signal == SIGRTMIN) return Event::kOrder;
    if (signal > 0) {
      spdlog::warn("signal {} ({}) has no meaning here and is ignored; SIGTERM ends the meter",
                   signal, strsignal(signal));
    }
    return Event::kTime;
  }
  // From any thread: wait() returns.
  static void wake() { kill(getpid(), SIGRTMIN); }

 private:
  // SIGPWR: the power fails. SIGXCPU: the CPU time that was granted is used up.
  static constexpr std::array kStop = {SIGTERM, SIGINT, SIGQUIT, SIGPWR, SIGXCPU};
  sigset_t set_{};
};

// However main leaves, nobody waits for its answer any more.
class OrdersOpen {
 public:
  explicit OrdersOpen(OrderQueue& orders) : orders_(orders) {}
  ~OrdersOpen() { orders_.close(); }
  OrdersOpen(const OrdersOpen&) = delete;
  OrdersOpen& operator=(const OrdersOpen&) = delete;

 private:
  OrderQueue& orders_;
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
// Orders are carried out between two ticks.
void run_until_stopped(Engine& engine, Signals& signals, OrderQueue& orders, Reloader& reloader,
                       OffloadKeeper& offloads) {
  const MeterClock clock;
  TimeNs next = clock.now() + engine.config().flows.tick.count();
  while (!engine.tick().all_finished()) {
    const TimeNs interval = engine.config().flows.tick.count();
    const TimeNs pause = engine.recording() ? kNsPerSecond / 5000 : interval;
    next = std::min(next, clock.now() + interval);  // a reload may have made it shorter
    const TimeNs dump = engine.next_dump();         // a tick ends with the period of a dump
    const Event event = signals.wait(std::min(pause, std::min(next, dump) - clock.now()));
    if (event == Event::kStop) return;
    if (event == Event::kReload) reloader.reload_soon();
    if (event == Event::kOrder) orders.serve();
    if (event == Event::kDump) engine.dump_now();
    const bool due = clock.now() >= next;
    const bool flip = due || clock.now() >= dump;
    if (flip) engine.tick().request_flips(kFlipWait);
    if (flip || engine.tick().anything_published()) engine.tick().run(false);
    if (due) offloads.look();
    // A tick that took longer than its interval moves the following ones; none is made up for.
    if (due) next = std::max(next + interval, clock.now());
  }
}

std::vector<std::string> interface_names(const CaptureConfig& capture) {
  std::vector<std::string> names;
  for (const InterfaceConfig& interface : capture.interfaces) names.push_back(interface.name);
  return names;
}

// Kernel interfaces behind DPDK's devices; of their offloads the driver itself warns.
std::vector<std::string> dpdk_interface_names(const CaptureConfig& capture) {
  std::vector<std::string> names;
  if (capture.driver != Driver::kDpdk && capture.driver != Driver::kAuto) return names;
  for (const DpdkPortConfig& port : capture.dpdk.ports) {
    const std::string key = ",iface=";
    const std::size_t at = port.device.find(key);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + key.size();
    names.push_back(port.device.substr(begin, port.device.find(',', begin) - begin));
  }
  return names;
}

// GRO and its like, off before the first packet if the meter is to see to that.
std::unique_ptr<OffloadKeeper> see_to_offloads(const Config& config) {
  const std::string memory = OffloadMemory::path_for(config.control.socket);
  std::vector<std::string> names = interface_names(config.capture);
  if (config.capture.manage_offloads) {
    for (std::string& more : dpdk_interface_names(config.capture)) names.push_back(more);
    return std::make_unique<OffloadKeeper>(names, memory);
  }
  restore_offloads(memory);
  warn_of_offloads(names);
  return std::make_unique<OffloadKeeper>();
}

}  // namespace

StatusPtr run_appliance(const Config& config, const ConfigFile& file) {
  check_cpu();
  ensure_descriptors(descriptors_wanted(config));
  Signals signals;  // before any thread is made, so that all inherit the mask
  const auto offloads = see_to_offloads(config);
  Engine engine(config, {}, true);
  OrderQueue orders(Signals::wake);
  Reloader reloader(engine, orders, file);
  ServiceView view(engine, orders, reloader);
  ControlServer server(config.control.socket, view);
  const OrdersOpen open(orders);
  std::unique_ptr<MetricsEndpoint> metrics;
  if (!config.metrics.listen.empty()) {
    metrics = std::make_unique<MetricsEndpoint>(config.metrics.listen,
                                                [&engine] { return engine.board().latest(); });
  }
  const Capture& capture = engine.capture();
  spdlog::info("metering with driver {}: {}", capture.driver, capture.note);
  engine.start_workers();
  run_until_stopped(engine, signals, orders, reloader, *offloads);
  orders.close();
  spdlog::info("stopping: every flow is {}", engine.discards() ? "deleted" : "exported");
  engine.finish({});
  for (const std::string& damage : capture.damages()) spdlog::warn("{}", damage);
  for (const std::string& file : capture.unreadable()) spdlog::error("{}", file);
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
  return {engine.board().latest(), engine.capture().damages(), engine.monitors().snapshots(),
          engine.capture().unreadable()};
}

}  // namespace wiretally
