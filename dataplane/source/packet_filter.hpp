// SPDX-License-Identifier: Apache-2.0
// A tcpdump expression, compiled by libpcap, asked about packet views. One program per link type
// met; the first packet of a new link type compiles its program (milliseconds, once). Thread:
// constructed at start-up, then one worker (each worker has its own). About 10 to 60 ns a packet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/packet/packet_view.hpp"

struct bpf_program;

namespace wiretally {

class PacketFilter {
 public:
  // Throws StartupError (kUsage) with the expression and libpcap's message if no link type can have
  // such packets. An empty expression matches everything.
  explicit PacketFilter(std::string expression);
  ~PacketFilter();
  PacketFilter(PacketFilter&&) noexcept;
  PacketFilter& operator=(PacketFilter&&) noexcept;

  [[nodiscard]] bool matches(const PacketView& view) {
    if (matches_all_) return true;
    if (view.link_type != current_link_type_) [[unlikely]]
      select(view.link_type);
    return run(view);
  }

  [[nodiscard]] const std::string& expression() const { return expression_; }
  // Link types among the packets that the expression cannot be asked about ("vlan" on raw IP), each
  // as a sentence. Their packets never match.
  [[nodiscard]] const std::vector<std::string>& unanswerable() const { return unanswerable_; }

 private:
  struct Program;

  void select(LinkType link_type);
  [[nodiscard]] bool run(const PacketView& view) const;

  std::string expression_;
  bool matches_all_;
  std::vector<Program> programs_;
  LinkType current_link_type_{};
  const bpf_program* current_ = nullptr;  // null: no packet of this link type matches
  std::vector<std::string> unanswerable_;
};

}  // namespace wiretally
