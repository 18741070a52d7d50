// SPDX-License-Identifier: Apache-2.0
// See interface_use.hpp. Thread: main.
#include "control/capture/interface_use.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>

#include "dataplane/source/dpdk_interface.hpp"
#include "dataplane/source/kernel_link.hpp"

namespace wiretally {
namespace {

// Empty if the address says nothing of what the interface is for.
std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) return {};
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::string address_of(const std::string& name) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || name != entry->ifa_name) continue;
    std::string text = address_text(*entry->ifa_addr);
    if (!text.empty()) return text;
  }
  return {};
}

}  // namespace

std::string host_use(const std::string& interface_name) {
  const std::string address = address_of(interface_name);
  if (!address.empty()) return fmt::format("{} has the address {}", interface_name, address);
  const std::string master = master_of(interface_name);
  if (!master.empty()) return fmt::format("{} belongs to {}", interface_name, master);
  const auto index = kernel_interface(interface_name);
  for (const std::string& other : kernel_interface_names()) {
    if (index && stands_on(other) == index->index) {
      return fmt::format("{} stands on {}", other, interface_name);
    }
  }
  return {};
}

void warn_of_lost_tags(const std::string& interface_name, const std::string& driver) {
  const auto interface = kernel_interface(interface_name);
  if (!interface || !interface->strips_vlan_tags) return;
  spdlog::warn(
      "{} takes the first VLAN tag off a frame before driver {} sees it, so flows have no VLAN; "
      "`ethtool -K {} rxvlan off` leaves it on",
      interface_name, driver, interface_name);
}

}  // namespace wiretally
