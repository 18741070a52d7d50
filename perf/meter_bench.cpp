// SPDX-License-Identifier: Apache-2.0
// The meter core beside what memory allows (roofline) and what DPDK offers (rte_hash), over numbers
// of flows and kinds of traffic; with --ablations, also what each part of the core buys.
// Thread: one, pinned.
#include <fmt/core.h>
#include <getopt.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "perf/lab/machine.hpp"
#include "perf/lab/meter_arms.hpp"

namespace wiretally::perf {
namespace {

constexpr unsigned kRooflineAhead[] = {8, 16, 32, 64};
// A 10G port with frames of 64 octets: what a worker counts between two ticks.
constexpr std::uint64_t kPacketsPerSecond10G = 14'880'000;

struct Options {
  std::vector<std::uint32_t> flows = {1000, 65536, 1'000'000, 10'000'000};
  std::vector<Pattern> patterns = {Pattern::kUniform};
  unsigned ipv6_percent = 20;
  bool ablations = false;
  bool realtime = false;
  InterleaveOptions interleave;
};

constexpr const char* kUsage =
    "meter_bench [--flows 1k,64k,1M,10M] [--traffic uniform,zipf,trains,new] [--ipv6 PERCENT]\n"
    "            [--rounds N] [--slice-ms N] [--core N] [--ablations] [--realtime]\n";

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream text(list);
  for (std::string word; std::getline(text, word, ',');) words.push_back(word);
  return words;
}

std::uint32_t count_of(const std::string& word) {
  std::size_t used = 0;
  const unsigned long number = std::stoul(word, &used);
  const std::string unit = word.substr(used);
  if (unit == "k") return static_cast<std::uint32_t>(number == 64 ? 65536 : number * 1000);
  if (unit == "M") return static_cast<std::uint32_t>(number * 1'000'000);
  if (!unit.empty()) throw std::invalid_argument("no number: " + word);
  return static_cast<std::uint32_t>(number);
}

Options read_options(int argc, char** argv) {
  const option known[] = {
      {"flows", 1, nullptr, 'f'},     {"traffic", 1, nullptr, 't'},  {"ipv6", 1, nullptr, '6'},
      {"rounds", 1, nullptr, 'r'},    {"slice-ms", 1, nullptr, 's'}, {"core", 1, nullptr, 'c'},
      {"ablations", 0, nullptr, 'a'}, {"realtime", 0, nullptr, 'R'}, {nullptr, 0, nullptr, 0}};
  Options options;
  for (int c = 0; (c = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    const std::string value = optarg != nullptr ? optarg : "";
    switch (c) {
      case 'f':
        options.flows.clear();
        for (const auto& word : split(value)) options.flows.push_back(count_of(word));
        break;
      case 't':
        options.patterns.clear();
        for (const auto& word : split(value)) options.patterns.push_back(pattern_of(word));
        break;
      case '6':
        options.ipv6_percent = count_of(value);
        break;
      case 'r':
        options.interleave.rounds = count_of(value);
        break;
      case 's':
        options.interleave.slice_ns = std::int64_t{count_of(value)} * 1'000'000;
        break;
      case 'c':
        options.interleave.core = static_cast<int>(count_of(value));
        break;
      case 'a':
        options.ablations = true;
        break;
      case 'R':
        options.realtime = true;
        break;
      default:
        throw std::invalid_argument("");
    }
  }
  return options;
}

Arms make_arms(Bench& resident, Bench& epochs, bool ablations) {
  Arms arms;
  arms.push_back(make_core_arm(resident, "meter core", CoreVariant::kProduct));
  arms.push_back(make_rte_hash_arm(resident));
  add_roofline_arms(resident, kRooflineAhead, arms);
  if (resident.workload.pattern != Pattern::kNew) {
    arms.push_back(make_core_arm(epochs, "meter core, one-second epochs", CoreVariant::kProduct));
  }
  arms.push_back(make_worker_arm(epochs));
  if (!ablations) return arms;
  arms.push_back(make_parse_hash_arm(resident));
  arms.push_back(make_core_arm(resident, "core, no prefetch", CoreVariant::kNoPrefetch));
  arms.push_back(make_core_arm(resident, "core, hash 4 behind", CoreVariant::kBehind4));
  arms.push_back(make_core_arm(resident, "core, hash 32 behind", CoreVariant::kBehind32));
  arms.push_back(make_core_arm(resident, "core, hash after the burst", CoreVariant::kBehind64));
  arms.push_back(make_core_arm(resident, "core, CRC32C hash", CoreVariant::kCrcHash));
  arms.push_back(make_core_arm(resident, "core, 4 KiB pages", CoreVariant::kSmallPages));
  return arms;
}

std::string interval(const Estimate& e) {
  if (e.samples == 0) return "no good slice";
  return fmt::format("{:5.2f} [{:.2f} {:.2f}]", e.median, e.low, e.high);
}

const ArmResult& best_roofline(const std::vector<ArmResult>& results) {
  const ArmResult* best = nullptr;
  for (const ArmResult& result : results) {
    if (result.name.rfind("roofline", 0) != 0) continue;
    if (best == nullptr || result.ns_per_operation().median < best->ns_per_operation().median) {
      best = &result;
    }
  }
  return *best;
}

void print(const std::vector<ArmResult>& results, const Workload& workload) {
  const ArmResult& core = results[0];
  const ArmResult& baseline = results[1];
  const ArmResult& roofline = best_roofline(results);
  fmt::print("\n{} flows, {}, {} % IPv6, 64-octet frames; huge pages {} MiB\n", workload.flows,
             name_of(workload.pattern), workload.mix.ipv6_percent, huge_page_mib());
  fmt::print("  {:<30} {:>7} {:>20} {:>20} {:>20} {:>20} {:>7}\n", "arm", "Mpps", "ns/packet",
             "x rte_hash", "of roofline", "x meter core", "slices");
  for (const ArmResult& result : results) {
    const Estimate ns = result.ns_per_operation();
    fmt::print("  {:<30} {:>7.2f} {:>20} {:>20} {:>20} {:>20} {:>4}/{}\n", result.name,
               ns.median > 0 ? 1000 / ns.median : 0, interval(ns),
               interval(speed_ratio(result, baseline)), interval(speed_ratio(result, roofline)),
               interval(speed_ratio(result, core)), ns.samples, result.ns.size());
  }
  std::fflush(stdout);
}

void run_workload(const Options& options, Pattern pattern, std::uint32_t flows) {
  Bench resident;
  resident.workload.pattern = pattern;
  resident.workload.flows = flows;
  resident.workload.mix.ipv6_percent = options.ipv6_percent;
  Bench epochs;
  epochs.workload = resident.workload;
  epochs.workload.epoch_packets = kPacketsPerSecond10G;
  const Arms arms = make_arms(resident, epochs, options.ablations);
  print(interleave(arms, options.interleave), resident.workload);
}

}  // namespace

int run(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  start_eal(options.interleave.core);
  pin_to_core(options.interleave.core);
  const bool undisturbed = options.realtime && run_undisturbed();
  fmt::print("{}command  {}\nslices   {} ms, {} rounds, core {}, {}\n", describe_machine(),
             command_line(argc, argv), options.interleave.slice_ns / 1'000'000,
             options.interleave.rounds, options.interleave.core,
             undisturbed ? "real-time priority" : "ordinary priority");
  for (const Pattern pattern : options.patterns) {
    for (const std::uint32_t flows : options.flows) run_workload(options, pattern, flows);
  }
  return 0;
}

}  // namespace wiretally::perf

int main(int argc, char** argv) {
  try {
    return wiretally::perf::run(argc, argv);
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "{}\n{}", error.what(), wiretally::perf::kUsage);
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 3;
  }
}
