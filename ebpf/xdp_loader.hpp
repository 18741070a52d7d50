// SPDX-License-Identifier: Apache-2.0
// The kernel programs and their maps: loaded once; the one for what is received is attached to one
// interface at a time by a bpf_link, so that nothing stays attached when the process ends, however
// it ends. Another's XDP program is never replaced. What is sent: see sent_hook.hpp. Thread: the
// owner's, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/descriptor.hpp"
#include "ebpf/embedded_object.hpp"
#include "ebpf/flow_layout.h"
#include "ebpf/flow_table.hpp"
#include "ebpf/xdp_attachment.hpp"

struct bpf_object;

namespace wiretally {

struct XdpLoaderOptions {
  std::uint32_t map_entries = 65'536;    // flows of a CPU and generation
  std::uint32_t ring_octets = 8u << 20;  // a power of two of at least a page
  std::uint8_t port = 0;                 // Observation Point of what is received
  std::uint8_t port_sent = 0;            // and of what is sent, which is metered
  bool sent = false;                     // if it is to be
  bool tunnel_inner = false;
  bool join_fragments = false;
  wt_hand_up hand_up = WT_HAND_UP_REST;
  // What is loaded: the meter's own, unless a bench wants another around the same maps.
  std::span<const std::byte> object = flow_count_object();
  std::string program = "wt_flow_count";
  std::string sent_program = "wt_flow_sent";
};

class XdpLoader {
 public:
  // Loads program and maps. Throws XdpError with the kernel's words.
  explicit XdpLoader(const XdpLoaderOptions& options);
  ~XdpLoader();
  XdpLoader(const XdpLoader&) = delete;
  XdpLoader& operator=(const XdpLoader&) = delete;

  // Attaches to the interface with this number: native, else generic (`native_refusal` says why).
  // Throws XdpError; names the program that is there already.
  XdpMode attach(unsigned ifindex, const std::string& name);
  // From the return on no packet is counted.
  void detach();
  [[nodiscard]] bool attached() const { return attachment_.attached(); }
  // The interface that the link holds; 0: it has gone.
  [[nodiscard]] unsigned attached_ifindex() const { return attachment_.ifindex(); }
  // Why not native, after attach() has said kGeneric.
  [[nodiscard]] const std::string& native_refusal() const { return attachment_.native_refusal(); }

  [[nodiscard]] int program() const { return program_; }
  [[nodiscard]] int sent_program() const { return sent_program_; }  // -1: not wanted
  [[nodiscard]] int flows() const { return flows_; }
  [[nodiscard]] int totals() const { return totals_; }
  [[nodiscard]] int rows() const { return rows_; }
  [[nodiscard]] int ring() const { return ring_; }
  // CPUs the kernel knows of, and one table of flows for each of them that is online, by generation
  // and CPU (null: none; such a CPU hands everything up).
  [[nodiscard]] unsigned cpus() const { return cpus_; }
  [[nodiscard]] const FlowTable* flow_table(unsigned generation, unsigned cpu) const {
    return flow_tables_[generation * cpus_ + cpu].get();
  }
  [[nodiscard]] const XdpLoaderOptions& options() const { return options_; }
  [[nodiscard]] volatile kernel_control& control() { return *control_; }
  // Waits until no program runs that began before the call.
  void await_grace_period();

 private:
  void open();
  void load();
  void make_flow_tables();
  void place_flow_tables();
  void map_control();

  const XdpLoaderOptions options_;
  bpf_object* object_ = nullptr;
  int program_ = -1;
  int sent_program_ = -1;
  int flows_ = -1;
  int totals_ = -1;
  int rows_ = -1;
  int ring_ = -1;
  unsigned cpus_ = 0;
  std::vector<std::unique_ptr<FlowTable>> flow_tables_;
  int any_table_ = -1;  // what the barrier's place holds
  volatile kernel_control* control_ = nullptr;
  XdpAttachment attachment_;
};

}  // namespace wiretally
