// SPDX-License-Identifier: Apache-2.0
// See packet_filter.hpp. libpcap compiles for a DLT_ number; captures and views carry LINKTYPE_
// numbers, which differ for a few old types (pcap-linktype(7)).
#include "dataplane/source/packet_filter.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "config/startup_error.hpp"
#include "dataplane/source/capture_file_format.hpp"

namespace wiretally {
namespace {

// Where to look whether an expression means anything: "wlan addr1 ..." is nothing on Ethernet.
constexpr std::array kProbedLinkTypes = {LinkType::kEthernet, LinkType::kRaw, LinkType::kLinuxSll,
                                         LinkType::kLinuxSll2, LinkType::kIeee80211};

int dlt_of(LinkType link_type) {
  switch (static_cast<int>(link_type)) {
    case 100:  // LINKTYPE_ATM_RFC1483
      return DLT_ATM_RFC1483;
    case 101:  // LINKTYPE_RAW
    case 14:   // OpenBSD's DLT_RAW, found in files
      return DLT_RAW;
    case 102:  // LINKTYPE_SLIP_BSDOS
      return DLT_SLIP_BSDOS;
    case 103:  // LINKTYPE_PPP_BSDOS
      return DLT_PPP_BSDOS;
    case 106:  // LINKTYPE_ATM_CLIP
      return DLT_ATM_CLIP;
    default:
      return static_cast<int>(link_type);
  }
}

struct PcapCloser {
  void operator()(pcap_t* handle) const { ::pcap_close(handle); }
};

// Empty if it compiled, else libpcap's message.
std::string compile(const std::string& expression, LinkType link_type, bpf_program& out) {
  const std::unique_ptr<pcap_t, PcapCloser> handle(
      ::pcap_open_dead(dlt_of(link_type), kCapturedOctetsMax));
  if (handle == nullptr) return "libpcap cannot work with this link type";
  constexpr int kOptimize = 1;
  if (::pcap_compile(handle.get(), &out, expression.c_str(), kOptimize, PCAP_NETMASK_UNKNOWN) == 0)
    return "";
  return ::pcap_geterr(handle.get());
}

bool is_blank(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c); });
}

}  // namespace

// Owns libpcap's program, or remembers that there is none for this link type.
struct PacketFilter::Program {
  explicit Program(LinkType type) : link_type(type), code(std::make_unique<bpf_program>()) {}
  Program(Program&&) noexcept = default;
  Program& operator=(Program&&) noexcept = default;
  ~Program() {
    if (code != nullptr && code->bf_insns != nullptr) ::pcap_freecode(code.get());
  }

  LinkType link_type;
  std::unique_ptr<bpf_program> code;  // stays in place when the list of programs grows
  bool answerable = false;
};

PacketFilter::PacketFilter(std::string expression)
    : expression_(std::move(expression)), matches_all_(is_blank(expression_)) {
  if (matches_all_) return;
  std::string first_message;
  for (const LinkType link_type : kProbedLinkTypes) {
    Program program(link_type);
    const std::string message = compile(expression_, link_type, *program.code);
    if (message.empty()) {
      select(link_type);
      return;
    }
    if (first_message.empty()) first_message = message;
  }
  throw StartupError(ExitCode::kUsage, "filter \"" + expression_ + "\": " + first_message +
                                           "; the syntax is tcpdump's, see pcap-filter(7)");
}

PacketFilter::~PacketFilter() = default;
PacketFilter::PacketFilter(PacketFilter&&) noexcept = default;
PacketFilter& PacketFilter::operator=(PacketFilter&&) noexcept = default;

void PacketFilter::select(LinkType link_type) {
  auto known = std::find_if(programs_.begin(), programs_.end(),
                            [&](const Program& p) { return p.link_type == link_type; });
  if (known == programs_.end()) {
    Program& program = programs_.emplace_back(link_type);
    const std::string message = compile(expression_, link_type, *program.code);
    program.answerable = message.empty();
    if (!program.answerable) {
      unanswerable_.push_back("filter \"" + expression_ + "\" matches no packet of link type " +
                              std::to_string(static_cast<unsigned>(link_type)) + ": " + message);
    }
    known = std::prev(programs_.end());
  }
  current_link_type_ = link_type;
  current_ = known->answerable ? known->code.get() : nullptr;
}

bool PacketFilter::run(const PacketView& view) const {
  return current_ != nullptr &&
         ::bpf_filter(current_->bf_insns, view.data, view.wire_octets, view.captured) != 0;
}

}  // namespace wiretally
