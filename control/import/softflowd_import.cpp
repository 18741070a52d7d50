// SPDX-License-Identifier: Apache-2.0
// softflowd's command line as YAML that does the same. softflowd's defaults are written out, for
// ours are others. Thread: any.
#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <chrono>

#include "config/field_codec.hpp"
#include "config/startup_error.hpp"
#include "config/values.hpp"
#include "control/import/softflowd_arguments.hpp"

namespace wiretally {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kTimeoutMax = 365ull * 86'400;  // of flows.timeouts
constexpr std::uint64_t kTimeoutMin = 1;                // a tick
constexpr std::uint64_t kIntervalMax = 3600;            // of flows.expiry_interval
constexpr std::uint64_t kFlowsMin = 64;                 // of flows.max_flows
constexpr std::size_t kSocketPathMax = 107;             // of control.socket

// Elements of the layout basic, for a list that goes on; times and key stand before them.
constexpr std::string_view kFields =
    "sourceIPv4Address, destinationIPv4Address, sourceIPv6Address,\n"
    "        destinationIPv6Address, sourceTransportPort, destinationTransportPort,\n"
    "        protocolIdentifier, tcpControlBits, ipClassOfService, octetDeltaCount,\n"
    "        packetDeltaCount, ingressInterface, vlanId, flowEndReason, ipVersion,\n"
    "        icmpTypeCodeIPv4, icmpTypeCodeIPv6";

std::string time_text(std::uint64_t value) {
  return format_duration(seconds(static_cast<std::int64_t>(value)));
}

class Writer {
 public:
  explicit Writer(const ImportSource& source)
      : in_(read_softflowd_arguments(source.text, result_.notes)) {}

  ImportResult write() {
    write_capture();
    write_flows();
    if (!in_.destinations.empty()) write_export();
    if (!in_.control_socket.empty() && in_.control_socket.size() <= kSocketPathMax) {
      line("control: {{socket: {}}}", yaml_scalar(in_.control_socket));
    }
    if (in_.debug) line("log: {{level: debug}}");
    return std::move(result_);
  }

 private:
  template <class... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    result_.yaml += fmt::format(format, std::forward<Values>(values)...) + "\n";
  }
  template <class... Values>
  void note(fmt::format_string<Values...> format, Values&&... values) {
    result_.notes.push_back({0, fmt::format(format, std::forward<Values>(values)...)});
  }

  void write_capture() {
    line("capture:");
    line("  driver: pcap  # what an interface receives and what it sends, as softflowd sees it");
    if (!in_.file.empty()) line("  files: [{}]", yaml_scalar(in_.file));
    if (in_.file.empty()) {
      // -R alone has no interface: the note says so, and this is a place for one.
      const std::string name = in_.interface.empty() ? "eth0" : in_.interface;
      const std::string number =
          in_.interface_number.empty() ? "" : fmt::format(", ifindex: {}", in_.interface_number);
      line("  interfaces: [{{name: {}{}}}]", yaml_scalar(name), number);
    }
    if (!in_.promiscuous) line("  promiscuous: false");
    if (!in_.filter.empty()) line("  filter: {}", yaml_scalar(in_.filter));
    if (!in_.own_mac.empty()) line("  own_macs: [{}]", yaml_scalar(in_.own_mac));
    if (in_.sampling.empty() || in_.sampling == "0" || in_.sampling == "1") return;
    line("  sampling: {{rate: {}, mode: deterministic}}", in_.sampling);
  }

  // A timeout in the bounds that ours have.
  std::string timeout(std::string_view name) {
    const std::uint64_t given = in_.timeout(name);
    const std::uint64_t taken = std::clamp(given, kTimeoutMin, kTimeoutMax);
    if (taken != given) {
      note("-t {}={}: {} is written, timeouts are from a tick to a year", name, given,
           time_text(taken));
    }
    return time_text(taken);
  }

  void write_flows() {
    line("flows:");
    line("  key: {}", in_.level);
    const std::uint64_t flows = parse_integer(in_.max_flows);
    if (flows < kFlowsMin) note("-m {}: {} is written, the least there is", flows, kFlowsMin);
    line("  max_flows: {}  # each direction is a flow here; softflowd counts a pair as one",
         std::max(flows, kFlowsMin));
    const std::uint64_t interval = in_.timeout("expint");
    if (interval > kIntervalMax) note("-t expint={}: 1h is written, the most there is", interval);
    line("  expiry_interval: {}", time_text(std::min(interval, kIntervalMax)));
    const bool ends = in_.timeout("maxlife") != 0;
    const std::string life = ends ? timeout("maxlife") : "0s";
    line("  timeouts:");
    line("    # softflowd reports a flow when it ends, however late; active: 60s would show long");
    line("    # flows while they last.");
    line("    active: {}", ends ? life : time_text(kTimeoutMax));
    line("    maximum_life: {}", life);
    line("    idle: {}", timeout("general"));
    line("    tcp: {}", timeout("tcp"));
    line("    tcp_rst: {}", timeout("tcp.rst"));
    line("    tcp_fin: {}", timeout("tcp.fin"));
    line("    udp: {}", timeout("udp"));
    line("    icmp: {}", timeout("icmp"));
  }

  void write_export() {
    line("export:");
    if (in_.balance) {
      line("  mode: balance");
      note(
          "-l: each flow goes to one collector, chosen by its two ends; softflowd takes turns "
          "packet by packet");
    }
    const std::string settings = collector_settings();
    line("  collectors:");
    for (const std::string& destination : in_.destinations) {
      line("    - address: {}", yaml_scalar(address_of(destination)));
      result_.yaml += settings;
    }
  }

  std::string collector_settings() {
    std::string text;
    const auto add = [&text](const std::string& key, const std::string& value) {
      text += fmt::format("      {}: {}\n", key, value);
    };
    const std::string version = collector_version();
    const bool ipfix = version == "10";
    add("version", version);
    if (in_.transport != "udp") {
      if (!ipfix) note("-P {}: NetFlow goes over udp only; -v 10 goes over tcp", in_.transport);
      if (ipfix && in_.transport == "sctp") note("-P sctp: there is none; tcp is written");
      if (ipfix) add("transport", "tcp");
    }
    if (!in_.hop_limit.empty()) add("hop_limit", in_.hop_limit);
    if (!in_.send_interface.empty()) add("interface", yaml_scalar(in_.send_interface));
    if (in_.biflow && ipfix) add("biflow", "true");
    if (in_.biflow && !ipfix) note("-b: means nothing with -v {}", in_.version);
    if (version == "9" || ipfix) return text + record_settings(ipfix);
    if (!in_.time_format.empty()) note("-A: means nothing with -v {}", in_.version);
    if (in_.labels != 0) note("-x: means nothing with -v {}", in_.version);
    return text;
  }

  std::string collector_version() {
    if (in_.version != "psamp" && in_.version != "ntopng") return in_.version;
    note("-v {}: there is no such format; IPFIX is written", in_.version);
    return "10";
  }

  // Times and labels.
  std::string record_settings(bool ipfix) {
    const std::string& format = in_.time_format;
    if (in_.labels != 0) return fields_setting(ipfix);
    if (format == "milli") return "";
    if (format == "micro" || format == "nano")
      return fmt::format("      times: {}seconds\n", format);
    if (format.empty()) return "      times: uptime\n";
    note("-A sec: milliseconds are written, which hold the seconds");
    return "";
  }

  std::string fields_setting(bool ipfix) {
    std::string times = "flowStartSysUpTime, flowEndSysUpTime";
    if (in_.time_format.empty() && ipfix) times += ", systemInitTimeMilliseconds";
    for (const auto& [format, unit] : {std::pair{"sec", "Seconds"},
                                       {"milli", "Milliseconds"},
                                       {"micro", "Microseconds"},
                                       {"nano", "Nanoseconds"}}) {
      if (in_.time_format == format) times = fmt::format("flowStart{}, flowEnd{}", unit, unit);
    }
    std::string text = fmt::format("      fields: [{},\n        {}", times, kFields);
    if (in_.level == "ether") text += ",\n        sourceMacAddress, destinationMacAddress";
    for (unsigned label = 1; label <= in_.labels; ++label) {
      text += label == 1 ? ",\n        mplsTopLabelStackSection"
                         : fmt::format(",\n        mplsLabelStackSection{}", label);
    }
    return text + "]\n";
  }

  // A meter without its collector is not what was asked for.
  [[noreturn]] static void refuse_destination(const std::string& destination,
                                              const std::string& why) {
    throw StartupError(ExitCode::kUsage, fmt::format("-n {}: {}", destination, why));
  }

  // The port may be a name of /etc/services, as softflowd takes it.
  std::string address_of(const std::string& destination) {
    const std::size_t colon = destination.rfind(':');
    const std::string host = destination.substr(0, colon);
    const std::string port = colon == std::string::npos ? "" : destination.substr(colon + 1);
    if (host.empty() || port.empty()) refuse_destination(destination, "is not host:port");
    if (port.find_first_not_of("0123456789") == std::string::npos) return destination;
    const servent* service = getservbyname(port.c_str(), "udp");
    if (service == nullptr) service = getservbyname(port.c_str(), "tcp");
    if (service == nullptr) {
      refuse_destination(
          destination, fmt::format("/etc/services has no {}; give the port by its number, such as "
                                   "{}:2055",
                                   quoted(port), host));
    }
    return fmt::format("{}:{}", host, ntohs(static_cast<std::uint16_t>(service->s_port)));
  }

  ImportResult result_;
  const SoftflowdArguments in_;
};

}  // namespace

ImportResult import_softflowd(const ImportSource& source) {
  return Writer(source).write();
}

}  // namespace wiretally
