// SPDX-License-Identifier: Apache-2.0
// Attaches the program for what an interface sends: by tcx (Linux 6.6), a bpf_link that ends with
// the process; before that by a filter on the interface's clsact qdisc, which outlives a kill and
// is then cleared away at the next start. Either way before all others, so that they may decide
// what they like. Thread: the owner's.
#pragma once

#include <string>

#include "dataplane/descriptor.hpp"

namespace wiretally {

class SentHook {
 public:
  // `tcx` false: do as on a kernel that has none.
  explicit SentHook(int program, bool tcx = true) : program_(program), tcx_(tcx) {}
  ~SentHook();
  SentHook(const SentHook&) = delete;
  SentHook& operator=(const SentHook&) = delete;

  // Throws XdpError with the kernel's words, and if another meter has its filter there.
  void attach(unsigned ifindex, const std::string& name);
  // No program runs any more that began before the return and a grace period.
  void detach();
  // 0: nothing is attached, or the interface has gone.
  [[nodiscard]] unsigned attached_ifindex() const;
  [[nodiscard]] const char* kind() const { return link_.is_open() ? "tcx" : "clsact"; }

 private:
  bool attach_link(unsigned ifindex, const std::string& name);
  void attach_filter(unsigned ifindex, const std::string& name);
  void detach_filter();

  int program_;
  bool tcx_;
  Descriptor link_;
  Descriptor owner_;       // of the filter: a name that ends with the process
  unsigned filtered_ = 0;  // the interface that the filter is on
  bool made_qdisc_ = false;
};

}  // namespace wiretally
