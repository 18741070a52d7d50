// SPDX-License-Identifier: Apache-2.0
// See pcap_file_source.hpp.
#include "dataplane/source/pcap_file_source.hpp"

#include <utility>

#include "config/startup_error.hpp"
#include "dataplane/source/capture_file_open.hpp"

namespace wiretally {

PcapFileSource::PcapFileSource(std::vector<std::string> paths, PortIndex port)
    : paths_(std::move(paths)), port_(port) {
  if (paths_.empty())
    throw StartupError(ExitCode::kUsage, "no capture to read; name one, or - for standard input");
  bool total_known = true;
  for (const std::string& path : paths_) {
    const std::uint64_t octets = CaptureFile::check(path);
    total_known = total_known && octets > 0;
    octets_total_ += octets;
  }
  if (!total_known) octets_total_ = 0;
  current_ = std::make_unique<CaptureFile>(paths_.front(), port_);
  next_ = 1;
}

PcapFileSource::~PcapFileSource() = default;

std::size_t PcapFileSource::poll(std::span<PacketView> views) {
  while (!exhausted()) {
    const std::size_t count = current_->poll(views);
    if (!current_->exhausted()) {
      octets_done_.store(octets_before_ + current_->progress().octets_done,
                         std::memory_order_relaxed);
      return count;
    }
    open_next();
  }
  return 0;
}

// A file that was good at start-up and no longer is cannot stop what already runs: it is damage.
void PcapFileSource::open_next() {
  octets_before_ += current_->progress().octets_done;
  octets_done_.store(octets_before_, std::memory_order_relaxed);
  if (!current_->damage().empty()) damages_.push_back(current_->damage());
  if (std::string text = current_->unreadable(); !text.empty()) {
    unreadable_.push_back(std::move(text));
  }
  while (next_ < paths_.size()) {
    try {
      current_ = std::make_unique<CaptureFile>(paths_[next_++], port_);
      return;
    } catch (const StartupError& error) {
      damages_.emplace_back(error.what());
    }
  }
  exhausted_.store(true, std::memory_order_release);
}

CaptureProgress PcapFileSource::progress() const {
  return {octets_done_.load(std::memory_order_relaxed), octets_total_};
}

}  // namespace wiretally
