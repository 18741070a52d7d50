// SPDX-License-Identifier: Apache-2.0
// What DPDK, libxdp and libbpf have to say goes here instead of to stderr, so that a user reads one
// clear sentence of ours; when something fails, the last lines of theirs stand behind it. Thread:
// any (the lines are guarded by a mutex; a quiet data plane writes none).
#pragma once

#include <string>

namespace wiretally {

class DpdkLog {
 public:
  // Directs DPDK's log here. Before rte_eal_init(), once a process.
  static void install();
  // Directs libxdp's and libbpf's messages here, if a driver has loaded these libraries.
  static void install_for_loaded_libraries();
  static void clear();
  // The last few different lines since clear(), in one line; empty if there were none.
  [[nodiscard]] static std::string last_lines();
  static void add(const char* text, std::size_t length);
};

// Catches what is written to stdout and stderr while it lives, and puts it into DpdkLog:
// rte_eal_init() prints its last words with fprintf. Only while no other thread writes there.
class OutputToDpdkLog {
 public:
  OutputToDpdkLog();
  ~OutputToDpdkLog();
  OutputToDpdkLog(const OutputToDpdkLog&) = delete;
  OutputToDpdkLog& operator=(const OutputToDpdkLog&) = delete;

 private:
  int capture_ = -1;
  int stdout_ = -1;
  int stderr_ = -1;
};

}  // namespace wiretally
