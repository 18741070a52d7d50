// SPDX-License-Identifier: Apache-2.0
// Order, names and layouts. Thread: any.
#include "control/dump/dump_text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace wiretally {
namespace {

constexpr std::string_view kOther = "other";
constexpr const char* kIpfmTime = "%Y/%m/%d %H:%M:%S";

std::chrono::system_clock::time_point time_point(std::int64_t utc_s) {
  return std::chrono::system_clock::from_time_t(utc_s);
}

std::string time_text(const char* format, std::int64_t utc_s, const cctz::time_zone& zone) {
  return cctz::format(format, time_point(utc_s), zone);
}

// RFC 3339: "2026-11-25T10:00:00+01:00".
std::string full_time(std::int64_t utc_s, const cctz::time_zone& zone) {
  return time_text("%Y-%m-%dT%H:%M:%S%Ez", utc_s, zone);
}

std::int64_t every_s(const Dump& dump) {
  return std::chrono::duration_cast<std::chrono::seconds>(dump.config.every).count();
}

// IPFM keeps IPv4 addresses as little-endian numbers in network order and lists them by that.
bool listed_before(const HostRow& a, const HostRow& b) {
  if (a.host.v6 != b.host.v6) return b.host.v6;
  return std::lexicographical_compare(a.host.octets.rbegin(), a.host.octets.rend(),
                                      b.host.octets.rbegin(), b.host.octets.rend());
}

std::uint64_t sort_key(const HostCount& count, DumpSort sort) {
  switch (sort) {
    case DumpSort::kNone:
      return 0;
    case DumpSort::kIn:
      return count.in_octets;
    case DumpSort::kOut:
      return count.out_octets;
    case DumpSort::kTotal:
      return count.total_octets();
  }
  return 0;
}

std::string host_text(const HostAddress& host, const HostNames& names) {
  const auto named = names.find(host);
  return named == names.end() ? address_text(host) : named->second;
}

bool is_zero(const HostCount& count) {
  return count == HostCount{};
}

std::string ipfm_row(std::string_view host, const HostCount& count) {
  return fmt::format("{:<35}{:>15}{:>15}{:>15}\n", host, count.in_octets, count.out_octets,
                     count.total_octets());
}

std::string ipfm_text(const Dump& dump, const cctz::time_zone& zone, const HostNames& names) {
  const std::string time = time_text(kIpfmTime, dump.end, zone);
  const std::int64_t every = every_s(dump);
  std::string text =
      fmt::format("# IPFMv0.11.5 {} ({}) -- dump every {}d{:02}:{:02}:{:02} -- listening on {}\n",
                  time, dump.config.timezone == "UTC" ? "UTC" : "local time", every / 86'400,
                  every / 3600 % 24, every / 60 % 60, every % 60, dump.interfaces);
  text += fmt::format("# {:<33}{:>15}{:>15}{:>15}\n", "Host", "In (bytes)", "Out (bytes)",
                      "Total (bytes)");
  for (const HostRow& row : dump.rows) text += ipfm_row(host_text(row.host, names), row.count);
  if (!is_zero(dump.other)) text += ipfm_row(kOther, dump.other);
  return text + fmt::format("# end of dump {}\n", time);
}

std::string csv_row(const std::string& end, std::string_view host, const HostCount& count) {
  return fmt::format("{},{},{},{},{},{},{}\n", end, host, count.in_octets, count.out_octets,
                     count.total_octets(), count.in_packets, count.out_packets);
}

std::string csv_text(const Dump& dump, const cctz::time_zone& zone, const HostNames& names,
                     bool fresh) {
  const std::string end = full_time(dump.end, zone);
  std::string text;
  if (fresh) {
    text = "end,host,in_octets,out_octets,total_octets,in_packets,out_packets\n";
  }
  for (const HostRow& row : dump.rows) text += csv_row(end, host_text(row.host, names), row.count);
  if (!is_zero(dump.other)) text += csv_row(end, kOther, dump.other);
  return text;
}

nlohmann::ordered_json json_host(std::string_view host, const HostCount& count) {
  return {{"host", host},
          {"in_octets", count.in_octets},
          {"out_octets", count.out_octets},
          {"total_octets", count.total_octets()},
          {"in_packets", count.in_packets},
          {"out_packets", count.out_packets}};
}

// One object, one line: files that are appended to are JSON lines.
std::string json_text(const Dump& dump, const cctz::time_zone& zone, const HostNames& names) {
  using Json = nlohmann::ordered_json;
  Json hosts = Json::array();
  for (const HostRow& row : dump.rows) {
    Json host = json_host(address_text(row.host), row.count);
    const auto named = names.find(row.host);
    if (named != names.end()) host["name"] = named->second;
    hosts.push_back(std::move(host));
  }
  if (!is_zero(dump.other)) hosts.push_back(json_host(kOther, dump.other));
  const Json whole = {{"monitor", dump.monitor},
                      {"interfaces", dump.interfaces},
                      {"since", full_time(dump.since, zone)},
                      {"end", full_time(dump.end, zone)},
                      {"every_seconds", every_s(dump)},
                      {"hosts", std::move(hosts)}};
  return whole.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::size_t HostAddressHash::operator()(const HostAddress& host) const {
  return std::hash<std::string_view>()(
             {reinterpret_cast<const char*>(host.octets.data()), host.octets.size()}) +
         (host.v6 ? 1 : 0);
}

void arrange(Dump& dump) {
  std::ranges::sort(dump.rows, listed_before);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < dump.rows.size(); ++i) {
    if (kept > 0 && dump.rows[kept - 1].host == dump.rows[i].host) {
      dump.rows[kept - 1].count += dump.rows[i].count;
    } else {
      dump.rows[kept++] = dump.rows[i];
    }
  }
  dump.rows.resize(kept);
  if (dump.config.sort == DumpSort::kNone) return;
  std::ranges::stable_sort(dump.rows, std::greater{}, [&dump](const HostRow& row) {
    return sort_key(row.count, dump.config.sort);
  });
}

std::string address_text(const HostAddress& host) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(host.v6 ? AF_INET6 : AF_INET, host.octets.data() + (host.v6 ? 0 : 12), text,
            sizeof text);
  return text;
}

std::string file_name(const Dump& dump, const cctz::time_zone& zone) {
  return cctz::format(dump.config.file, time_point(dump.end), zone);
}

std::string dump_text(const Dump& dump, const cctz::time_zone& zone, const HostNames& names,
                      bool fresh) {
  switch (dump.config.format) {
    case DumpFormat::kIpfm:
      return ipfm_text(dump, zone, names);
    case DumpFormat::kCsv:
      return csv_text(dump, zone, names, fresh);
    case DumpFormat::kJson:
      return json_text(dump, zone, names);
  }
  return {};
}

}  // namespace wiretally
