// SPDX-License-Identifier: Apache-2.0
// libbpf's calls, and their errors as sentences. Thread: see xdp_loader.hpp.
#include "ebpf/xdp_loader.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>

#include "ebpf/libbpf_words.hpp"

namespace wiretally {
namespace {

constexpr const char* kCapabilities = "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW";

// What mends it, if that is known.
std::string cure_of(int error) {
  if (error == ENOMEM || error == E2BIG) return "; lower capture.ebpf.map_entries";
  return xdp_cure(error, kCapabilities);
}

bpf_map* map_named(bpf_object* object, std::string_view suffix) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    // libbpf puts the object's name before those of data sections.
    if (std::string_view(bpf_map__name(map)).ends_with(suffix)) return map;
  }
  throw XdpError("the embedded eBPF object has no map " + std::string(suffix));
}

// "0-3,8,10-11" of /sys: which CPUs are online.
std::vector<bool> online_cpus(unsigned possible) {
  std::vector<bool> online(possible, false);
  std::ifstream file("/sys/devices/system/cpu/online");
  unsigned from = 0;
  char separator = 0;
  while (file >> from) {
    unsigned to = from;
    if (file.peek() == '-') file >> separator >> to;
    for (unsigned cpu = from; cpu <= to && cpu < possible; ++cpu) online[cpu] = true;
    if (!(file >> separator)) break;
  }
  if (std::find(online.begin(), online.end(), true) == online.end()) online.assign(possible, true);
  return online;
}

std::unique_ptr<FlowTable> make_flow_table(std::uint32_t flows) {
  try {
    return std::make_unique<FlowTable>(flows);
  } catch (const std::system_error& error) {
    throw XdpError("the kernel makes no table for " + std::to_string(flows) + " flows: " +
                   xdp_error_text(error.code().value()) + cure_of(error.code().value()));
  }
}

}  // namespace

XdpLoader::XdpLoader(const XdpLoaderOptions& options)
    : options_(options), attachment_(kCapabilities) {
  try {
    open();
    make_flow_tables();
    load();
  } catch (...) {
    if (object_ != nullptr) bpf_object__close(object_);
    throw;
  }
}

XdpLoader::~XdpLoader() {
  detach();
  munmap(const_cast<kernel_control*>(control_), static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  if (object_ != nullptr) bpf_object__close(object_);
}

void XdpLoader::open() {
  const LibbpfWords words;
  LIBBPF_OPTS(bpf_object_open_opts, open_options, .object_name = "wiretally");
  object_ = bpf_object__open_mem(options_.object.data(), options_.object.size(), &open_options);
  if (object_ == nullptr) {
    throw XdpError("the embedded eBPF object cannot be read: " + xdp_error_text(errno) + "\n" +
                   words.last());
  }
  const int possible = libbpf_num_possible_cpus();
  if (possible <= 0) throw XdpError("the kernel does not say how many CPUs there are");
  cpus_ = static_cast<unsigned>(possible);

  bpf_program* program = bpf_object__find_program_by_name(object_, options_.program.c_str());
  const bool has_frame_octets =
      libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, nullptr) == 1;
  // A program that knows of fragments may be attached whatever the MTU is.
  if (has_frame_octets) {
    bpf_program__set_flags(program, bpf_program__flags(program) | BPF_F_XDP_HAS_FRAGS);
  }
  bpf_program* sent = bpf_object__find_program_by_name(object_, options_.sent_program.c_str());
  if (sent != nullptr) bpf_program__set_autoload(sent, options_.sent);
  kernel_options fixed{};
  if (getrandom(fixed.hash_key, sizeof fixed.hash_key, 0) != sizeof fixed.hash_key) {
    throw XdpError("the kernel has no random octets");
  }
  fixed.cpus = cpus_;
  fixed.table_flows = options_.map_entries;
  fixed.bucket_mask = FlowTable::buckets(options_.map_entries) - 1;
  fixed.port = options_.port;
  fixed.port_sent = options_.port_sent;
  fixed.tunnel_inner = options_.tunnel_inner;
  fixed.join_fragments = options_.join_fragments;
  fixed.hand_up = options_.hand_up;
  fixed.has_frame_octets = has_frame_octets;
  bpf_map__set_initial_value(map_named(object_, ".rodata.options"), &fixed, sizeof fixed);
  bpf_map__set_max_entries(map_named(object_, "flows"), WT_GENERATIONS * cpus_ + 1);
  bpf_map__set_max_entries(map_named(object_, "ring"), options_.ring_octets);
}

// All memory is taken now. The program is made for tables of one size, that of any of them.
void XdpLoader::make_flow_tables() {
  const std::vector<bool> online = online_cpus(cpus_);
  flow_tables_.resize(std::size_t{WT_GENERATIONS} * cpus_);
  for (unsigned generation = 0; generation < WT_GENERATIONS; ++generation) {
    for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
      if (!online[cpu]) continue;
      flow_tables_[generation * cpus_ + cpu] = make_flow_table(options_.map_entries);
      any_table_ = flow_tables_[generation * cpus_ + cpu]->map();
    }
  }
  bpf_map__set_inner_map_fd(map_named(object_, "flows"), any_table_);
}

void XdpLoader::load() {
  const LibbpfWords words;
  const int error = bpf_object__load(object_);
  if (error != 0) {
    throw XdpError("the kernel does not take the counting program: " + xdp_error_text(error) +
                   cure_of(-error) + "\n" + words.last());
  }
  program_ = bpf_program__fd(bpf_object__find_program_by_name(object_, options_.program.c_str()));
  if (options_.sent) {
    sent_program_ =
        bpf_program__fd(bpf_object__find_program_by_name(object_, options_.sent_program.c_str()));
  }
  flows_ = bpf_map__fd(map_named(object_, "flows"));
  totals_ = bpf_map__fd(map_named(object_, "totals"));
  rows_ = bpf_map__fd(map_named(object_, "rows"));
  ring_ = bpf_map__fd(map_named(object_, "ring"));
  map_control();
  place_flow_tables();
}

// The program's variable itself; what libbpf shows is the value it was loaded with.
void XdpLoader::map_control() {
  const int map = bpf_map__fd(map_named(object_, ".data.control"));
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const place = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (place == MAP_FAILED) {
    throw XdpError("user space cannot reach the program's variables: " + xdp_error_text(errno));
  }
  control_ = static_cast<kernel_control*>(place);
}

// In one call where the kernel can: each single change of a map of maps waits for a grace period.
void XdpLoader::place_flow_tables() {
  std::vector<std::uint32_t> slots;
  std::vector<int> maps;
  for (std::uint32_t slot = 0; slot < flow_tables_.size(); ++slot) {
    if (!flow_tables_[slot]) continue;
    slots.push_back(slot);
    maps.push_back(flow_tables_[slot]->map());
  }
  auto count = static_cast<std::uint32_t>(slots.size());
  if (bpf_map_update_batch(flows_, slots.data(), maps.data(), &count, nullptr) == 0) return;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (bpf_map_update_elem(flows_, &slots[i], &maps[i], BPF_ANY) != 0) {
      throw XdpError("the kernel does not take the table of a CPU: " + xdp_error_text(errno));
    }
  }
}

XdpMode XdpLoader::attach(unsigned ifindex, const std::string& name) {
  return attachment_.attach(program_, ifindex, name);
}

void XdpLoader::detach() {
  if (attachment_.detach() && program_ >= 0) await_grace_period();
}

// The kernel follows every change of a map of maps by synchronize_rcu(), for its users rely on it.
void XdpLoader::await_grace_period() {
  const std::uint32_t slot = WT_GENERATIONS * cpus_;
  bpf_map_update_elem(flows_, &slot, &any_table_, BPF_ANY);
}

}  // namespace wiretally
