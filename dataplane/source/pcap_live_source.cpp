// SPDX-License-Identifier: Apache-2.0
// See pcap_live_source.hpp.
#include "dataplane/source/pcap_live_source.hpp"

#include <fmt/format.h>
#include <linux/filter.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "config/startup_error.hpp"
#include "dataplane/clock.hpp"
#include "dataplane/packet/parse.hpp"
#include "dataplane/source/gap.hpp"
#include "dataplane/source/kernel_link.hpp"

namespace wiretally {
namespace {

constexpr std::int64_t kChoresEveryNs = 100'000'000;
// After the last packet of a run the totals are looked at once more, so that they are final when a
// worker that was told to stop has found its source quiet.
constexpr std::int64_t kSettleNs = 15'000'000;
constexpr std::int64_t kLinkEveryNs = 250'000'000;  // so that a new interface waits half a second
// After an interface went, its last packets come with the block's age; then the ring is closed.
constexpr std::int64_t kDrainNs = 5 * PcapLiveSource::kBlockAgeMs * 1'000'000;

std::string existing_interfaces() {
  std::string names;
  if (auto* const list = ::if_nameindex(); list != nullptr) {
    for (auto* entry = list; entry->if_index != 0; ++entry)
      names += (names.empty() ? "" : ", ") + std::string(entry->if_name);
    ::if_freenameindex(list);
  }
  return names;
}

// libpcap cuts frames only after the kernel has copied them; a one-instruction program makes the
// kernel copy no more than we read, so the ring holds more packets. Without it everything works the
// same.
void cut_in_kernel(int socket) {
  sock_filter instruction = BPF_STMT(BPF_RET | BPF_K, PcapLiveSource::kSnapOctets);
  const sock_fprog program{1, &instruction};
  ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

}  // namespace

std::string_view label(LinkState state) {
  switch (state) {
    case LinkState::kUp:
      return "up";
    case LinkState::kDown:
      return "down";
    case LinkState::kGone:
      break;
  }
  return "gone";
}

struct PcapLiveSource::Burst {
  PacketView* views;
  std::uint8_t* octets;
  std::size_t count;
  LinkType link_type;
  PortIndex port;

  static void take(u_char* user, const pcap_pkthdr* header, const u_char* data) {
    auto& burst = *reinterpret_cast<Burst*>(user);
    std::uint8_t* const slot = burst.octets + burst.count * kSnapOctets;
    PacketView& view = burst.views[burst.count++];
    view.captured = std::min(header->caplen, kSnapOctets);
    std::memcpy(slot, data, view.captured);
    view.data = slot;
    view.wire_octets = header->len;
    view.time =
        header->ts.tv_sec * kNsPerSecond + header->ts.tv_usec;  // nanoseconds were asked for
    view.link_type = burst.link_type;
    view.port = burst.port;
  }
};

PcapLiveSource::PcapLiveSource(PcapLiveOptions options, PortIndex port)
    : options_(std::move(options)), port_(port), octets_(kBurstMax * kSnapOctets) {
  std::string why;
  const int status = open(why);
  if (status < 0 && status != PCAP_ERROR_IFACE_NOT_UP) refuse(status, why);
}

PcapLiveSource::~PcapLiveSource() {
  close();
}

void PcapLiveSource::refuse(int status, const std::string& why) const {
  const std::string name = "interface " + options_.interface;
  switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      throw StartupError(ExitCode::kMachine, name + ": there is no such interface; there are: " +
                                                 existing_interfaces());
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      throw StartupError(ExitCode::kMachine,
                         name +
                             ": no permission to capture; run with sudo, or give the program "
                             "the capability: setcap cap_net_raw=ep wiretally");
    default:
      throw StartupError(ExitCode::kMachine, name + ": cannot be captured from: " + why);
  }
}

// 0 and above: open. Below: one of libpcap's error numbers, `why` has its message.
int PcapLiveSource::open(std::string& why) {
  const auto number = interface_number(options_.interface);
  if (!number) {
    why = std::strerror(errno);
    return PCAP_ERROR;
  }
  opened_index_ = *number;
  if (opened_index_ == 0 && !is_pseudo()) return PCAP_ERROR_NO_SUCH_DEVICE;
  char message[PCAP_ERRBUF_SIZE] = "";
  pcap_t* const handle = ::pcap_create(options_.interface.c_str(), message);
  if (handle == nullptr) {
    why = message;
    return PCAP_ERROR;
  }
  ::pcap_set_snaplen(handle, kSnapOctets);
  ::pcap_set_promisc(handle, options_.promiscuous ? 1 : 0);
  ::pcap_set_timeout(handle, kBlockAgeMs);
  ::pcap_set_buffer_size(handle, static_cast<int>(options_.buffer_octets));
  ::pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);  // Linux always can
  int status = ::pcap_activate(handle);
  if (status >= 0) status = std::min(0, ::pcap_setnonblock(handle, 1, message));
  if (status < 0) {
    why = status == PCAP_ERROR ? ::pcap_geterr(handle) : ::pcap_statustostr(status);
    ::pcap_close(handle);
    return status;
  }
  const auto link_type = static_cast<LinkType>(::pcap_datalink(handle));
  if (!is_known(link_type)) {
    const char* name = ::pcap_datalink_val_to_name(static_cast<int>(link_type));
    why = "its link type is " + std::to_string(static_cast<int>(link_type)) +
          (name == nullptr ? "" : " (" + std::string(name) + ")") +
          ", which this version does not read";
    ::pcap_close(handle);
    return PCAP_ERROR;
  }
  cut_in_kernel(::pcap_fileno(handle));
  handle_ = handle;
  link_type_ = link_type;
  lost_since_ns_ = 0;
  missed_kernel_.restart();
  missed_nic_.restart();
  set_link(LinkState::kUp);
  return 0;
}

void PcapLiveSource::close() {
  if (handle_ == nullptr) return;
  refresh_statistics(coarse_monotonic_ns());
  ::pcap_close(handle_);
  handle_ = nullptr;
}

std::size_t PcapLiveSource::poll(std::span<PacketView> views) {
  const std::int64_t now_ns = coarse_monotonic_ns();
  if (now_ns >= chores_due_ns_) [[unlikely]]
    look_after(now_ns);
  if (handle_ != nullptr) {
    Burst burst{views.data(), octets_.data(), 0, link_type_, port_};
    const auto limit = static_cast<int>(std::min(views.size(), kBurstMax));
    const int status =
        ::pcap_dispatch(handle_, limit, &Burst::take, reinterpret_cast<u_char*>(&burst));
    if (burst.count > 0) {
      settled_ = false;
      return burst.count;
    }
    if (status < 0 && lost_since_ns_ == 0) lost_since_ns_ = now_ns;
  }
  if (!settled_ && now_ns - statistics_ns_ >= kSettleNs) {
    refresh_statistics(now_ns);
    settled_ = true;
  }
  wait();
  return 0;
}

void PcapLiveSource::wait() const {
  if (handle_ == nullptr || lost_since_ns_ != 0) {
    const timespec pause{0, kIdleWaitMs * 1'000'000};
    ::nanosleep(&pause, nullptr);
    return;
  }
  pollfd waiting{::pcap_get_selectable_fd(handle_), POLLIN, 0};
  ::poll(&waiting, 1, kIdleWaitMs);
}

void PcapLiveSource::look_after(std::int64_t now_ns) {
  chores_due_ns_ = now_ns + kChoresEveryNs;
  refresh_statistics(now_ns);
  if (lost_since_ns_ != 0 && now_ns - lost_since_ns_ >= kDrainNs) lose_interface();
  if (now_ns < link_due_ns_) return;
  link_due_ns_ = now_ns + kLinkEveryNs;
  look_at_link(now_ns);
}

// Only this thread asks libpcap for its statistics: they are read from the socket and summed up in
// the handle, which is no thread-safe business.
void PcapLiveSource::refresh_statistics(std::int64_t now_ns) {
  statistics_ns_ = now_ns;
  pcap_stat statistics{};
  if (handle_ == nullptr || ::pcap_stats(handle_, &statistics) != 0) return;
  counters_->missed_kernel.store(missed_kernel_.advance(statistics.ps_drop),
                                 std::memory_order_relaxed);
  counters_->missed_nic.store(missed_nic_.advance(statistics.ps_ifdrop), std::memory_order_relaxed);
}

void PcapLiveSource::lose_interface() {
  close();
  lost_at_ns_ = lost_since_ns_;
  lost_since_ns_ = 0;
  options_.log(options_.interface + ": the interface has gone; waiting for it");
}

void PcapLiveSource::open_again(unsigned index, std::int64_t now_ns) {
  const unsigned before = opened_index_;
  std::string why;
  if (open(why) != 0) {
    opened_index_ = before;
    return set_link(LinkState::kDown);
  }
  counters_->reopened.fetch_add(1, std::memory_order_relaxed);
  if (lost_at_ns_ == 0) return;  // it was there at the start, but down
  const double gap_s = static_cast<double>(now_ns - lost_at_ns_) / 1e9;
  options_.log(fmt::format("{}: attached again after {:.2f} s", options_.interface, gap_s));
  if (index != before) count_gap();
}

// The socket shows what the interface sends, too.
void PcapLiveSource::count_gap() {
  const auto passed = [this]() -> std::optional<std::uint64_t> {
    const auto received = received_packets(options_.interface);
    const auto sent = sent_packets(options_.interface);
    if (!received || !sent) return std::nullopt;
    return *received + *sent;
  };
  const auto seen = [this]() -> std::uint64_t {
    pcap_stat statistics{};
    return ::pcap_stats(handle_, &statistics) == 0 ? statistics.ps_recv : 0;
  };
  counters_->not_attached.fetch_add(measure_gap(passed, seen), std::memory_order_relaxed);
}

// An interface that was made anew under the same name has another number.
void PcapLiveSource::look_at_link(std::int64_t now_ns) {
  if (is_pseudo()) return;
  const auto index = interface_number(options_.interface);
  if (!index) return;  // it cannot be asked for now; what was found last holds
  if (handle_ == nullptr) {
    if (*index == 0) return set_link(LinkState::kGone);
    return open_again(*index, now_ns);
  }
  if (*index != opened_index_) {
    if (lost_since_ns_ == 0) lost_since_ns_ = now_ns;
    set_link(LinkState::kGone);
    return;
  }
  ifreq request{};
  std::strncpy(request.ifr_name, options_.interface.c_str(), IFNAMSIZ - 1);
  const bool known = ::ioctl(::pcap_fileno(handle_), SIOCGIFFLAGS, &request) == 0;
  const bool up =
      known && (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
  set_link(up ? LinkState::kUp : LinkState::kDown);
}

std::vector<MissedCount> PcapLivePort::missed() {
  return {{"kernel", counters_->missed_kernel.load(std::memory_order_relaxed)},
          {"nic", counters_->missed_nic.load(std::memory_order_relaxed)},
          {"not_attached", counters_->not_attached.load(std::memory_order_relaxed)}};
}

}  // namespace wiretally
