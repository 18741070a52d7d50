// SPDX-License-Identifier: Apache-2.0
// The progress line of `read`.
// Thread: the one that reads.
#include "control/cli/progress_bar.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/cli/human_text.hpp"
#include "control/cli/terminal.hpp"

namespace wiretally {
namespace {

constexpr int kStandardError = 2;
constexpr double kQuietSeconds = 2;  // shorter reads show nothing
constexpr std::size_t kBarMax = 40;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::string progress_text(const ReadProgress& progress, double elapsed_s, std::size_t columns) {
  const double elapsed = std::max(elapsed_s, 1e-3);
  const std::string so_far =
      fmt::format("{} packets, {}", grouped(progress.packets),
                  packet_rate_text(static_cast<double>(progress.packets) / elapsed));
  if (progress.octets_total == 0) return so_far;
  const double share = std::min(
      1.0, static_cast<double>(progress.octets_done) / static_cast<double>(progress.octets_total));
  const std::string left = share <= 0 ? "?" : seconds_text(elapsed * (1 - share) / share);
  const std::string numbers = fmt::format(" {:3.0f} %  {}, {} left", share * 100, so_far, left);
  const std::size_t room = columns > numbers.size() + 2 ? columns - numbers.size() - 2 : 0;
  const std::size_t width = std::min(kBarMax, room);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
  return fmt::format("[{:#<{}}{:.<{}}]{}", "", full, "", width - full, numbers);
}

ProgressBar::ProgressBar()
    : shown_(is_terminal(kStandardError)), start_(std::chrono::steady_clock::now()) {}

void ProgressBar::update(const ReadProgress& progress) {
  const double elapsed = seconds_since(start_);
  if (!shown_ || elapsed < kQuietSeconds) return;
  const std::string line = progress_text(progress, elapsed, terminal_columns(kStandardError) - 1);
  fmt::print(stderr, "\r{}\033[K", line);
  drawn_ = true;
}

void ProgressBar::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace wiretally
