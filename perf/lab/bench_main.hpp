// SPDX-License-Identifier: Apache-2.0
// What every plain bench has: --rounds, --core, --realtime, --quiet, --only, the machine in the
// first lines, and an exit code. Thread: main.
#pragma once

#include <fmt/core.h>
#include <getopt.h>

#include <exception>
#include <stdexcept>
#include <string>

#include "perf/lab/interleave.hpp"
#include "perf/lab/machine.hpp"

namespace wiretally::perf {

constexpr const char* kBenchUsage =
    "--rounds N, --core N, --realtime, --quiet, --only PART-OF-AN-ARM'S-NAME";

// Throws std::invalid_argument for anything else.
inline InterleaveOptions options_of(int argc, char** argv) {
  InterleaveOptions options;
  const option known[] = {{"rounds", 1, nullptr, 'r'},   {"core", 1, nullptr, 'c'},
                          {"realtime", 0, nullptr, 'R'}, {"quiet", 0, nullptr, 'q'},
                          {"only", 1, nullptr, 'o'},     {}};
  for (int c = 0; (c = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    if (c == 'r') options.rounds = static_cast<unsigned>(std::stoul(optarg));
    if (c == 'c') options.core = std::stoi(optarg);
    if (c == 'R') run_undisturbed();
    if (c == 'q') options.quiet = true;
    if (c == 'o') options.only = optarg;
    if (c == '?') throw std::invalid_argument(kBenchUsage);
  }
  fmt::print("{}command  {}\n\n", describe_machine(), command_line(argc, argv));
  return options;
}

// Runs `bench(options)`; every failure is one line and exit code 3, or 2 for bad usage.
template <class Bench>
int bench_main(int argc, char** argv, Bench bench) {
  try {
    bench(options_of(argc, argv));
    return 0;
  } catch (const std::invalid_argument& usage) {
    fmt::print(stderr, "{}\n", usage.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 3;
  }
}

}  // namespace wiretally::perf
