// SPDX-License-Identifier: Apache-2.0
// Reads /proc, /sys and the scheduler. Thread: any.
#include "perf/lab/machine.hpp"

#include <immintrin.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <fstream>
#include <future>
#include <sstream>
#include <system_error>

namespace wiretally::perf {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The value of the first "name : value" line.
std::string field_of(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name, 0) != 0) continue;
    const std::size_t colon = line.find(':');
    const std::size_t from = line.find_first_not_of(" \t", colon + 1);
    return from == std::string::npos ? "" : line.substr(from);
  }
  return "?";
}

std::string caches() {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    const std::string place = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    const std::string size = first_line(place + "size");
    if (size.empty()) break;
    const std::string type = first_line(place + "type");
    if (type == "Instruction") continue;
    text += (text.empty() ? "L" : ", L") + first_line(place + "level") + " " + size;
  }
  return text;
}

std::int64_t read_clock(clockid_t id) {
  timespec t;
  clock_gettime(id, &t);
  return t.tv_sec * std::int64_t{1'000'000'000} + t.tv_nsec;
}

}  // namespace

std::string describe_machine() {
  utsname name;
  uname(&name);
  char date[64];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  std::ostringstream text;
  text << "machine  " << field_of("/proc/cpuinfo", "model name") << ", family "
       << field_of("/proc/cpuinfo", "cpu family") << " model "
       << field_of("/proc/cpuinfo", "model\t") << ", " << sysconf(_SC_NPROCESSORS_ONLN) << " CPUs, "
       << field_of("/proc/cpuinfo", "cpu MHz") << " MHz\n"
       << "caches   " << caches() << " (as the guest is told)\n"
       << "system   Linux " << name.release << ", gcc " << __VERSION__ << ", huge pages "
       << first_line("/sys/kernel/mm/transparent_hugepage/enabled") << "\n"
       << "date     " << date << ", load " << first_line("/proc/loadavg") << "\n";
  return text.str();
}

std::string command_line(int argc, char** argv) {
  std::ostringstream text;
  for (int i = 0; i < argc; ++i) text << (i == 0 ? "" : " ") << argv[i];
  return text.str();
}

void pin_to_core(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    throw std::system_error(errno, std::generic_category(), "core " + std::to_string(core));
  }
}

bool run_undisturbed(int priority) {
  sched_param parameter{};
  parameter.sched_priority = priority;
  return sched_setscheduler(0, SCHED_FIFO, &parameter) == 0;
}

std::uint64_t stolen_jiffies(int core) {
  std::ifstream file("/proc/stat");
  const std::string name = "cpu" + std::to_string(core) + " ";
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name, 0) != 0) continue;
    std::istringstream fields(line.substr(name.size()));
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) fields >> value;  // user nice system idle iowait irq softirq steal
    return value;
  }
  return 0;
}

std::int64_t thread_cpu_ns() {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

std::int64_t wall_ns() {
  return read_clock(CLOCK_MONOTONIC);
}

std::uint64_t huge_page_mib() {
  std::istringstream value(field_of("/proc/self/smaps_rollup", "AnonHugePages"));
  std::uint64_t kib = 0;
  value >> kib;
  return kib / 1024;
}

std::thread thread_on(int core, int priority, std::function<void()> body) {
  std::promise<void> placed;
  std::future<void> there = placed.get_future();
  std::thread thread([&placed, core, priority, body = std::move(body)] {
    pin_to_core(core);
    run_undisturbed(priority);
    placed.set_value();
    body();
  });
  there.wait();
  return thread;
}

QuietOthers::QuietOthers(int core) {
  for (int other = 0; other < sysconf(_SC_NPROCESSORS_ONLN); ++other) {
    if (other == core) continue;
    threads_.push_back(thread_on(other, 1, [this] {
      if (sched_getscheduler(0) != SCHED_FIFO) return;
      while (!stop_.load(std::memory_order_relaxed)) _mm_pause();
    }));
  }
}

QuietOthers::~QuietOthers() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
}

SmallPagesOnly::SmallPagesOnly() {
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

SmallPagesOnly::~SmallPagesOnly() {
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
}

}  // namespace wiretally::perf
