// SPDX-License-Identifier: Apache-2.0
// See capture_file.hpp. From poll() down to the formats nothing allocates but a pcapng interface
// list.
#include "dataplane/source/capture_file.hpp"

#include <pcap/pcap.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/startup_error.hpp"
#include "dataplane/packet/parse.hpp"
#include "dataplane/source/capture_file_format.hpp"
#include "dataplane/source/capture_file_open.hpp"
#include "dataplane/source/capture_file_order.hpp"
#include "dataplane/source/capture_file_pcap.hpp"
#include "dataplane/source/capture_file_pcapng.hpp"
#include "dataplane/source/capture_file_window.hpp"

namespace wiretally {
namespace {

constexpr std::array<std::uint8_t, 2> kGzipMagic = {0x1f, 0x8b};
constexpr std::size_t kMagicOctets = 4;

[[noreturn]] void refuse(const std::string& text) {
  throw StartupError(ExitCode::kUsage, text);
}

std::string packets_text(std::uint64_t n) {
  return std::to_string(n) + (n == 1 ? " packet" : " packets");
}

// "147 (USER0)", by libpcap's names.
std::string link_type_text(LinkType type) {
  const auto number = static_cast<int>(type);
  const char* name = ::pcap_datalink_val_to_name(number);
  return std::to_string(number) + (name == nullptr ? "" : " (" + std::string(name) + ")");
}

// A pipe is waited for without end, but not against the user's will: where signals are blocked for
// a thread that collects them, they are pending meanwhile.
void stop_if_asked(const std::string& name) {
  sigset_t pending;
  if (::sigpending(&pending) == 0 &&
      (::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1))
    throw StartupError(ExitCode::kNo, name + ": stopped before its header came");
}

bool starts_with_gzip_magic(std::span<const std::uint8_t> head) {
  return head.size() >= kGzipMagic.size() &&
         std::equal(kGzipMagic.begin(), kGzipMagic.end(), head.begin());
}

bool is_gzip_file(const OpenedCaptureFile& opened) {
  std::array<std::uint8_t, kGzipMagic.size()> head{};
  const ssize_t got = ::pread(opened.descriptor.get(), head.data(), head.size(), 0);
  return got == static_cast<ssize_t>(head.size()) && starts_with_gzip_magic(head);
}

std::unique_ptr<ByteWindow> make_window(OpenedCaptureFile opened, const std::string& name) {
  if (opened.octets > 0 && !is_gzip_file(opened)) {
    if (auto mapped = MappedWindow::make(opened.descriptor, opened.octets)) return mapped;
  }
  auto plain = std::make_unique<DescriptorStream>(std::move(opened.descriptor), !opened.regular);
  while (plain->peek(kGzipMagic.size()) == Fill::kNotYet) stop_if_asked(name);
  const bool packed = starts_with_gzip_magic(plain->head());
  std::unique_ptr<OctetStream> stream = std::move(plain);
  if (packed) stream = std::make_unique<GzipStream>(std::move(stream));
  return std::make_unique<StreamedWindow>(std::move(stream));
}

bool is_pcapng(const ByteWindow& window) {
  return load_host32(window.begin()) == PcapngFormat::kSectionHeaderType;
}

bool is_known_version(const PcapFormat::Header& header) {
  constexpr std::uint16_t kMajor = 2;
  constexpr std::uint16_t kDgUxMajor = 543;  // DG/UX wrote 543.0 and meant 2.2
  return header.version_major == kMajor || header.version_major == kDgUxMajor;
}

}  // namespace

CaptureFile::CaptureFile(std::string path, PortIndex port)
    : path_(std::move(path)), name_(capture_name(path_)), port_(port) {
  OpenedCaptureFile opened = open_capture_file(path_);
  octets_total_ = opened.octets;
  window_ = make_window(std::move(opened), name_);
  open_format();
}

CaptureFile::~CaptureFile() = default;

std::uint64_t CaptureFile::check(const std::string& path) {
  if (is_pipe(path)) return 0;
  return CaptureFile(path, PortIndex{}).octets_total_;
}

void CaptureFile::await_octets(std::size_t needed) {
  while (window_->size() < needed) {
    const Fill fill = window_->refill(needed);
    if (fill == Fill::kEnd) return;
    if (fill == Fill::kNotYet) stop_if_asked(name_);
  }
}

void CaptureFile::open_format() {
  await_octets(kMagicOctets);
  const auto refuse_if_short = [this](std::size_t needed) {
    if (window_->size() >= needed) return;
    const std::string& fault = window_->fault();
    refuse(name_ + ": " + (fault.empty() ? "ends inside its file header" : fault) +
           "; no packet can be read from it, record or copy it again");
  };
  refuse_if_short(kMagicOctets);
  if (is_pcapng(*window_)) {
    await_octets(PcapngFormat::kSectionHeaderOctetsMin);
    refuse_if_short(PcapngFormat::kSectionHeaderOctetsMin);
    format_ = std::make_unique<PcapngFormat>(port_);
    return;
  }
  await_octets(PcapFormat::kFileHeaderOctets);
  std::array<std::uint8_t, PcapFormat::kFileHeaderOctets> start{};
  std::copy_n(window_->begin(), std::min(window_->size(), start.size()), start.begin());
  const auto header = PcapFormat::read_header(start.data());
  if (!header) refuse(name_ + ": not a capture: " + explain_no_capture(start));
  refuse_if_short(PcapFormat::kFileHeaderOctets);
  if (!is_known_version(*header)) {
    refuse(name_ + ": pcap version " + std::to_string(header->version_major) + "." +
           std::to_string(header->version_minor) +
           " is not known; convert it with: editcap -F pcap FILE OUT.pcap");
  }
  window_->consume_to(window_->begin() + PcapFormat::kFileHeaderOctets);
  format_ = std::make_unique<PcapFormat>(*header, port_);
}

std::size_t CaptureFile::poll(std::span<PacketView> views) {
  while (!exhausted()) {
    const std::size_t count = format_->poll(*window_, views);
    if (count > 0) {
      if (!any_known_link_type_) look_at_link_types(views.first(count));
      packets_ += count;
      octets_done_.store(window_->file_octets(), std::memory_order_relaxed);
      return count;
    }
    if (format_->fault() != CaptureFault::kNone) {
      finish(describe_fault());
      break;
    }
    const Fill fill = window_->refill(format_->octets_needed());
    if (fill == Fill::kEnd) finish(describe_end());
    if (fill == Fill::kNotYet) break;
  }
  return 0;
}

void CaptureFile::look_at_link_types(std::span<const PacketView> views) {
  if (packets_ == 0) unknown_link_type_ = views.front().link_type;
  any_known_link_type_ = std::any_of(
      views.begin(), views.end(), [](const PacketView& view) { return is_known(view.link_type); });
}

std::string CaptureFile::unreadable() const {
  if (packets_ == 0 || any_known_link_type_) return "";
  return name_ + ": no packet in it can be read: its link type is " +
         link_type_text(unknown_link_type_) + ", which this version does not know; the " +
         packets_text(packets_) +
         " count as frames without IP. Record it anew on an interface that gives Ethernet or raw "
         "IP, or, if Ethernet frames or IP packets stand at the front of its packets, say so with: "
         "editcap -T ether FILE OUT.pcap (or -T rawip)";
}

CaptureProgress CaptureFile::progress() const {
  return {octets_done_.load(std::memory_order_relaxed), octets_total_};
}

void CaptureFile::finish(std::string damage) {
  damage_ = std::move(damage);
  octets_done_.store(window_->file_octets(), std::memory_order_relaxed);
  exhausted_.store(true, std::memory_order_release);
}

// The octets are at their end: the recording's, or a premature one.
std::string CaptureFile::describe_end() const {
  const std::string counted = ": counted " + packets_text(packets_);
  if (!window_->fault().empty()) return name_ + ": " + window_->fault() + counted;
  if (window_->size() == 0 && format_->between_records()) return "";
  const std::string where = format_->records_are_packets()
                                ? "inside packet " + std::to_string(packets_ + 1)
                                : "inside a block after packet " + std::to_string(packets_);
  return name_ + ": cut off " + where + " at octet " +
         std::to_string(window_->offset() + window_->size()) + counted;
}

std::string CaptureFile::describe_fault() const {
  const std::string value = std::to_string(format_->fault_value());
  std::string why;
  switch (format_->fault()) {
    case CaptureFault::kNone:
      break;
    case CaptureFault::kCapturedLength:
      why = "a packet of " + value + " captured octets does not fit its record, or is beyond " +
            std::to_string(kCapturedOctetsMax);
      break;
    case CaptureFault::kBlockLength:
      why = "a block cannot be " + value + " octets long";
      break;
    case CaptureFault::kBlockTrailer:
      why = "a block ends with length " + value + ", but began with another";
      break;
    case CaptureFault::kNoInterface:
      why = "interface " + value + " was not described before";
      break;
    case CaptureFault::kSectionHeader:
      why = "a section begins without the byte-order magic";
      break;
    case CaptureFault::kSectionVersion:
      why = "a section has the unknown version " + value;
      break;
    case CaptureFault::kTooManyInterfaces:
      why = "more than " + value + " interfaces in one section";
      break;
  }
  return name_ + ": damaged at octet " + std::to_string(window_->offset()) + ": " + why +
         ": counted the " + packets_text(packets_) + " before it";
}

}  // namespace wiretally
