// SPDX-License-Identifier: Apache-2.0
// The meter core beside what memory allows (roofline) and what DPDK offers (rte_hash), over numbers
// of flows and kinds of traffic; with --ablations, also what each part of the core buys.
// Thread: one, pinned.
#include <fmt/core.h>
#include <getopt.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "perf/lab/machine.hpp"
#include "perf/lab/meter_arms.hpp"

namespace wiretally::perf {
namespace {

constexpr unsigned kRooflineAhead[] = {8, 16, 32, 64};
// Above these a machine of 16 GiB has no room for one more pair of tables.
constexpr std::uint32_t kFlippedMax = 1'000'000;
constexpr std::uint32_t kWorkerMax = 10'000'000;

struct Options {
  std::vector<std::uint32_t> flows = {1000, 65536, 1'000'000, 10'000'000};
  std::vector<Pattern> patterns = {Pattern::kUniform};
  FrameMix mix;
  std::vector<std::string> only;  // arms whose name has one of these in it; none: all
  bool ablations = false;
  bool hostile = false;
  bool realtime = false;
  InterleaveOptions interleave;
};

constexpr const char* kUsage =
    "meter_bench [--flows 1k,64k,1M,10M] [--traffic uniform,zipf,trains,churn,new] [--ipv6 "
    "PERCENT]\n"
    "            [--mix imix|qinq-mpls] [--only PART-OF-NAME,...] [--rounds N] [--slice-ms N] "
    "[--core N] [--ablations] [--hostile] [--realtime] [--quiet]\n";

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
      {"flows", 1, nullptr, 'f'},   {"traffic", 1, nullptr, 't'},  {"ipv6", 1, nullptr, '6'},
      {"rounds", 1, nullptr, 'r'},  {"slice-ms", 1, nullptr, 's'}, {"core", 1, nullptr, 'c'},
      {"only", 1, nullptr, 'o'},    {"mix", 1, nullptr, 'm'},      {"ablations", 0, nullptr, 'a'},
      {"hostile", 0, nullptr, 'h'}, {"realtime", 0, nullptr, 'R'}, {"quiet", 0, nullptr, 'q'},
      {nullptr, 0, nullptr, 0}};
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
        options.mix.ipv6_percent = count_of(value);
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
      case 'o':
        options.only = split(value);
        break;
      case 'm':
        if (value != "imix" && value != "qinq-mpls") throw std::invalid_argument("no mix " + value);
        (value == "imix" ? options.mix.imix : options.mix.encapsulated) = true;
        break;
      case 'h':
        options.hostile = true;
        break;
      case 'a':
        options.ablations = true;
        break;
      case 'q':
        options.interleave.quiet = true;
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

bool wanted(const Options& options, std::string_view name) {
  if (options.only.empty()) return true;
  return std::any_of(options.only.begin(), options.only.end(), [&](const std::string& word) {
    return name.find(word) != std::string_view::npos;
  });
}

struct Variant {
  const char* name;
  CoreVariant variant;
};
constexpr Variant kAblations[] = {
    {"core, no prefetch", CoreVariant::kNoPrefetch},
    {"core, asks after the burst", CoreVariant::kAfterBurst},
    {"core, asks while parsing", CoreVariant::kWhileParsing},
    {"core, asks at two distances", CoreVariant::kTwoDistances},
    {"core, CRC32C hash", CoreVariant::kCrcHash},
    {"core, 4 KiB pages", CoreVariant::kSmallPages},
    {"core, 1 GiB pages", CoreVariant::kGigabytePages},
    {"core, all lines of the table", CoreVariant::kFullSize},
    {"core, half the lines", CoreVariant::kDense},
    {"core, keys compared by SSE", CoreVariant::kSse},
    {"core, keys compared by AVX2", CoreVariant::kAvx2},
    {"core, keys compared by AVX-512", CoreVariant::kAvx512},
};

Arms make_arms(Bench& bench, const Options& options) {
  Arms arms;
  const auto add = [&](const char* name, auto make) {
    if (!wanted(options, name)) return;
    if (auto arm = make(name)) arms.push_back(std::move(arm));
  };
  add("meter core", [&](const char* name) { return make_core_arm(bench, name); });
  add("rte_hash", [&](const char*) { return make_rte_hash_arm(bench); });
  for (const unsigned ahead : kRooflineAhead) {
    add("roofline", [&](const char*) { return make_roofline_arm(bench, ahead); });
  }
  if (is_resident(bench.workload.pattern) && bench.workload.flows <= kFlippedMax) {
    add("meter core, one-second epochs",
        [&](const char* name) { return make_turning_core_arm(bench, name); });
  }
  if (bench.workload.flows <= kWorkerMax) {
    add("worker loop", [&](const char*) { return make_worker_arm(bench); });
  }
  if (bench.workload.flows <= kFlippedMax) {
    add("worker loop on net_ring", [&](const char*) { return make_ring_arm(bench); });
    add("worker loop on net_memif", [&](const char*) { return make_memif_arm(bench); });
  }
  if (!options.ablations) return arms;
  add("parse + hash", [&](const char*) { return make_parse_hash_arm(bench); });
  for (const Variant& variant : kAblations) {
    add(variant.name,
        [&](const char* name) { return make_core_variant(bench, name, variant.variant); });
  }
  return arms;
}

std::string interval(const Estimate& e) {
  if (e.samples == 0) return "-";
  return fmt::format("{:5.2f} [{:.2f} {:.2f}]", e.median, e.low, e.high);
}

// The fastest arm whose name begins so; an empty result if there is none.
ArmResult best_of(const std::vector<ArmResult>& results, std::string_view name) {
  const ArmResult* best = nullptr;
  for (const ArmResult& result : results) {
    if (result.name.rfind(name, 0) != 0) continue;
    if (best == nullptr || result.ns_per_operation().median < best->ns_per_operation().median) {
      best = &result;
    }
  }
  return best == nullptr ? ArmResult{} : *best;
}

std::string describe(const Workload& workload) {
  return fmt::format("{} flows, {}, {} % IPv6, {}", workload.flows, name_of(workload.pattern),
                     workload.mix.ipv6_percent,
                     workload.mix.encapsulated ? "QinQ and two labels"
                     : workload.mix.imix       ? "IMIX"
                                               : "64-octet frames");
}

void print(const std::vector<ArmResult>& results, const Workload& workload) {
  const ArmResult core = best_of(results, "meter core");
  const ArmResult baseline = best_of(results, "rte_hash");
  const ArmResult roofline = best_of(results, "roofline");
  fmt::print("\n{}; huge pages {} MiB\n", describe(workload), huge_page_mib());
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
  Bench bench;
  bench.workload.pattern = pattern;
  bench.workload.flows = flows;
  bench.workload.mix = options.mix;
  const Arms arms = make_arms(bench, options);
  print(interleave(arms, options.interleave), bench.workload);
}

// Against keys that somebody chose, and against control at work on another core.
void run_hostile(const Options& options, std::uint32_t flows) {
  constexpr std::pair<const char*, Crafted> kKeys[] = {
      {"random keys", Crafted::kRandom},
      {"keys that collide under CRC32C", Crafted::kCrc},
      {"keys that collide under Toeplitz", Crafted::kToeplitz}};
  std::vector<std::unique_ptr<Bench>> benches;
  Arms arms;
  for (const auto& [name, kind] : kKeys) {
    benches.push_back(std::make_unique<Bench>());
    benches.back()->workload.flows = flows;
    benches.back()->workload.mix.crafted = crafted_keys(kind);
    arms.push_back(make_core_arm(*benches.back(), std::string("meter core, ") + name));
  }
  Bench drained;
  const int other = options.interleave.core == 0 ? 1 : 0;
  arms.push_back(make_while_draining_arm(*benches.front(), drained, other));
  const auto results = interleave(arms, options.interleave);
  fmt::print("\n{} flows, IPv4, UDP, uniform; huge pages {} MiB\n", flows, huge_page_mib());
  for (const ArmResult& result : results) {
    const Estimate ns = result.ns_per_operation();
    fmt::print("  {:<46} {:>7.2f} Mpps {:>20} ns {:>20} x random keys {:>4}/{}\n", result.name,
               ns.median > 0 ? 1000 / ns.median : 0, interval(ns),
               interval(speed_ratio(result, results[0])), ns.samples, result.ns.size());
  }
  std::fflush(stdout);
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
  if (options.hostile) {
    for (const std::uint32_t flows : options.flows) run_hostile(options, flows);
    return 0;
  }
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
