// SPDX-License-Identifier: Apache-2.0
// The captures of the corpus, if it is there: WIRETALLY_CORPUS names its folder, or it is beside
// the checkout. Thread: any.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/source/capture_file.hpp"

namespace wiretally {

// Sorted; empty: there is no corpus.
inline std::vector<std::filesystem::path> corpus_captures() {
  const char* corpus = std::getenv("WIRETALLY_CORPUS");
  const std::filesystem::path folder =
      std::filesystem::path(corpus != nullptr ? corpus : WIRETALLY_CORPUS_BESIDE) / "public/pcaps";
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::is_directory(folder)) return found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Calls f(view, number) for each packet, counted from 1.
inline void for_each_packet(const std::filesystem::path& path,
                            const std::function<void(const PacketView&, std::uint64_t)>& f) {
  const auto views = std::make_unique<std::array<PacketView, kBurstMax>>();
  CaptureFile file(path.string(), PortIndex{0});
  std::uint64_t number = 0;
  while (!file.exhausted()) {
    const std::size_t count = file.poll(*views);
    for (const PacketView& view : std::span(*views).first(count)) f(view, ++number);
  }
}

}  // namespace wiretally
