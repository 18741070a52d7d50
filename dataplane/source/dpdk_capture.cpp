// SPDX-License-Identifier: Apache-2.0
// Builds the DPDK driver from the configuration. Thread: control.
#include "dataplane/source/dpdk_capture.hpp"

#include <fmt/format.h>
#include <rte_config.h>
#include <rte_mbuf_dyn.h>

#include <algorithm>

#include "config/startup_error.hpp"
#include "dataplane/source/dpdk_source.hpp"

namespace wiretally {
namespace {

void check_port_count(const DpdkConfig& config) {
  std::size_t queues = 0;
  for (const DpdkPortConfig& port : config.ports) queues += port.queues;
  if (config.ports.empty()) {
    throw StartupError(
        ExitCode::kUsage,
        "capture.dpdk.ports: no port: name at least one device, for example {device: "
        "\"net_af_packet0,iface=eth1\"}");
  }
  if (config.ports.size() > std::min<std::size_t>(kPortsMax, RTE_MAX_ETHPORTS)) {
    throw StartupError(ExitCode::kUsage,
                       fmt::format("capture.dpdk.ports: {} ports: DPDK holds at most {}",
                                   config.ports.size(), RTE_MAX_ETHPORTS));
  }
  // Before anything is opened; with the queues it is done again.
  (void)assign_queues(std::vector<DpdkQueue>(queues), config.workers.size());
}

// What can be refused without touching the machine's devices is refused first.
std::vector<DpdkDevice> checked_devices(const DpdkConfig& config) {
  check_port_count(config);
  std::vector<DpdkDevice> devices = parse_dpdk_devices(config);
  std::vector<std::uint16_t> queues;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const DpdkDevice& device = devices[i];
    const std::string interface = device.value("iface");
    (void)plan_attachments(device, config.ports[i].queues, kernel_interface(interface),
                           locked_memory());
    queues.push_back(config.ports[i].queues);
  }
  check_xdp_interfaces(devices, queues);
  return devices;
}

}  // namespace

DpdkCapture::DpdkCapture(const CaptureConfig& config)
    : DpdkCapture(config, checked_devices(config.dpdk)) {}

DpdkCapture::DpdkCapture(const CaptureConfig& config, std::vector<DpdkDevice> devices)
    : eal_(config.dpdk, devices), cores_(config.dpdk.workers) {
  std::vector<DpdkQueue> queues;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    ports_.push_back(std::make_unique<DpdkPort>(config.dpdk.ports[i], devices[i],
                                                static_cast<PortIndex>(i), config.promiscuous));
    const std::vector<DpdkQueue>& more = ports_.back()->queues();
    queues.insert(queues.end(), more.begin(), more.end());
  }
  assigned_ = assign_queues(queues, cores_.size());
  const bool all_recordings =
      std::all_of(ports_.begin(), ports_.end(), [](const auto& port) { return port->recording(); });
  if (all_recordings) time_base_ = TimeBase::kPackets;
}

DpdkCapture::~DpdkCapture() {
  stop();
}

void DpdkCapture::start(DpdkPort::Log log) {
  for (const auto& port : ports_) port->start();
  const bool any = std::any_of(ports_.begin(), ports_.end(),
                               [](const auto& port) { return port->may_return(); });
  if (any) watch_ = std::thread([this, log = std::move(log)] { watch(log); });
}

// So that an interface made anew waits half a second at most.
void DpdkCapture::watch(const DpdkPort::Log& log) {
  constexpr std::chrono::milliseconds kLookEvery(250);
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, kLookEvery, [this] { return ending_; })) {
    lock.unlock();
    for (const auto& port : ports_) {
      if (port->may_return()) port->look(log);
    }
    lock.lock();
  }
}

void DpdkCapture::end_watch() {
  if (!watch_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ended_.notify_all();
  watch_.join();
}

void DpdkCapture::stop() {
  end_watch();
  for (const auto& port : ports_) port->stop();
}

std::unique_ptr<DpdkSource> DpdkCapture::make_source(std::size_t worker) const {
  DpdkSourceOptions options;
  options.time_base = time_base_;
  if (time_base_ == TimeBase::kPackets) {
    options.timestamp_offset = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, nullptr);
    if (options.timestamp_offset < 0) {
      throw StartupError(
          ExitCode::kMachine,
          "capture.dpdk.ports: net_pcap does not stamp its packets here (DPDK before "
          "20.11?): read the file with driver: pcap");
    }
  }
  return std::make_unique<DpdkSource>(assigned_[worker], options);
}

std::vector<std::string> DpdkCapture::remarks() const {
  std::vector<std::string> all;
  for (const auto& port : ports_) {
    for (const std::string& remark : port->remarks()) {
      all.push_back(fmt::format("port {}: {}", port->name(), remark));
    }
  }
  return all;
}

}  // namespace wiretally
