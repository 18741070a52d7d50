// SPDX-License-Identifier: Apache-2.0
// The machine a bench runs on: where it is pinned, what disturbs it, and how to name it in a
// result. Thread: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace wiretally::perf {

// CPU model, caches, huge page size in use, kernel, load and date, one per line.
std::string describe_machine();
// The command line as it was typed.
std::string command_line(int argc, char** argv);

// Puts this thread on `core`; throws std::system_error if the core is not there.
void pin_to_core(int core);
// Real-time priority, so that neighbours do not cut slices short. False if it is not permitted.
// A thread of higher priority goes before one of lower.
bool run_undisturbed(int priority = 1);

// Jiffies the hypervisor took from `core` (/proc/stat, steal).
std::uint64_t stolen_jiffies(int core);
// CPU time of this thread; wall time. Nanoseconds.
std::int64_t thread_cpu_ns();
std::int64_t wall_ns();

// Memory of this process in transparent huge pages, MiB: whether 2 MiB pages were really given.
std::uint64_t huge_page_mib();

// A thread pinned to `core`, of this real-time priority if that is permitted. Returns when it
// stands there: it begins on its maker's core, where it would wait for a real-time maker for ever.
std::thread thread_on(int core, int priority, std::function<void()> body);

// While it lives, every other CPU pauses at real-time priority: nothing there takes caches, memory
// or, where two CPUs are one core, execution units. The rest of the machine stands still for so
// long, but for what the kernel keeps for ordinary threads (5 %). Without the right to real-time
// priority it does nothing.
class QuietOthers {
 public:
  explicit QuietOthers(int core);
  ~QuietOthers();
  QuietOthers(const QuietOthers&) = delete;
  QuietOthers& operator=(const QuietOthers&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

// While it lives, new memory of this process gets 4 KiB pages whatever madvise says.
class SmallPagesOnly {
 public:
  SmallPagesOnly();
  ~SmallPagesOnly();
  SmallPagesOnly(const SmallPagesOnly&) = delete;
  SmallPagesOnly& operator=(const SmallPagesOnly&) = delete;
};

}  // namespace wiretally::perf
