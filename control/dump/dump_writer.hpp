// SPDX-License-Identifier: Apache-2.0
// Writes dumps to their files by a thread of its own, so that neither a disk nor DNS holds a tick
// up. A file is written beside its place and renamed, or appended to whole or not at all; folders
// that are missing are made. What could not be written waits, is tried again, and is counted as
// lost when too much waits; one log line a change says what is wrong and what mends it.
// Thread: add() control, status() any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "control/dump/dump.hpp"
#include "control/dump/dump_status.hpp"
#include "control/dump/host_names.hpp"

namespace wiretally {

class DumpWriter {
 public:
  using Log = std::function<void(const std::string&)>;

  explicit DumpWriter(Log log, HostNameResolver::Lookup lookup = HostNameResolver::ask_system);
  // As finish().
  ~DumpWriter();
  DumpWriter(const DumpWriter&) = delete;
  DumpWriter& operator=(const DumpWriter&) = delete;

  // Hands a dump over; does not block.
  void add(Dump dump);
  // Writes what waits, each once more if it failed before, and ends the thread.
  void finish();
  // Blocks until all that was added has been written or has failed. For recordings, whose dumps
  // would otherwise pile up.
  void wait_idle();
  [[nodiscard]] DumpStatus status() const;

 private:
  void run();
  bool write(Dump& dump, std::chrono::milliseconds dns_limit);
  void settle(const Dump& dump, const std::string& trouble);
  void drop_oldest();

  const Log log_;
  HostNameResolver resolver_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<Dump> waiting_;
  std::size_t waiting_rows_ = 0;
  bool busy_ = false;
  bool failing_ = false;  // the front could not be written last time
  bool stopping_ = false;
  DumpStatus status_;
  std::thread thread_;
};

// Writes `text` as config.append says. Returns what is wrong, or nothing. Throws nothing.
[[nodiscard]] std::string put_into_file(const std::string& path, const std::string& text,
                                        bool append);

}  // namespace wiretally
