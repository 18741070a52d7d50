// SPDX-License-Identifier: Apache-2.0
// The configuration as plain values, the default beside each field. config/load fills it from YAML;
// nothing here knows YAML. Thread: any (immutable once loaded). Durations are std::chrono, sizes
// octets.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace wiretally {

enum class Driver : std::uint8_t { kAuto, kDpdk, kAfXdp, kEbpf, kPcap };
enum class SamplingMode : std::uint8_t { kDeterministic, kRandom };
enum class TunnelKey : std::uint8_t { kOuter, kInner };
enum class FragmentPorts : std::uint8_t { kNone, kFirst };
enum class NetflowVersion : std::uint8_t { kV1 = 1, kV5 = 5, kV9 = 9, kIpfix = 10 };
enum class RecordLayout : std::uint8_t { kBasic, kFull, kL2, kTunnel };
enum class Transport : std::uint8_t { kUdp, kTcp, kTls, kFile };
enum class ExportMode : std::uint8_t { kReplicate, kBalance };
// Which elements hold a record's first and last time.
enum class RecordTimes : std::uint8_t { kMilliseconds, kMicroseconds, kNanoseconds, kUptime };

enum class Direction : std::uint8_t { kIngress, kEgress, kBoth };

struct InterfaceConfig {  // capture.interfaces[]
  std::string name;
  Direction direction = Direction::kIngress;
  std::uint32_t ifindex = 0;  // 0: position in the list + 1
  std::string role;
};

struct DpdkPortConfig {  // capture.dpdk.ports[]
  std::string device;    // PCI address or "vdev,args" as EAL takes it
  std::string name;      // 0 length: "port<N>"
  std::uint32_t ifindex = 0;
  std::uint16_t queues = 1;
};

struct DpdkConfig {
  std::uint64_t memory = 1024ull << 20;
  bool no_huge = false;
  std::vector<std::uint32_t> workers = {1};
  std::vector<DpdkPortConfig> ports;
};

struct AfXdpConfig {
  std::uint32_t frames = 16'384;  // buffers of a queue; rounded up to a power of two
};

struct EbpfConfig {
  std::uint32_t map_entries = 65'536;  // flows of one CPU in one tick
  std::uint64_t ring = 8ull << 20;     // octets
};

struct SamplingConfig {
  std::uint32_t rate = 1;
  SamplingMode mode = SamplingMode::kRandom;
};

struct CaptureConfig {
  Driver driver = Driver::kAuto;
  std::vector<InterfaceConfig> interfaces;
  DpdkConfig dpdk;
  AfXdpConfig af_xdp;
  EbpfConfig ebpf;
  std::vector<std::string> files;
  bool promiscuous = true;
  bool manage_offloads = false;
  std::string filter;  // tcpdump syntax
  SamplingConfig sampling;
  std::vector<std::string> own_macs;  // parse_mac() takes each
};

// Which fields of the key take part in a flow's identity. `names` holds what the user wrote.
struct KeyConfig {
  bool addresses = true;
  bool protocol = true;
  bool ports = true;
  bool vlan = false;     // outer VLAN id
  bool ingress = false;  // Observation Point
  bool macs = false;     // both MAC addresses, as the frame came in
};

struct TimeoutsConfig {
  std::chrono::nanoseconds active = std::chrono::seconds(60);
  std::chrono::nanoseconds idle = std::chrono::seconds(15);
  std::chrono::nanoseconds tcp = std::chrono::seconds(120);
  std::chrono::nanoseconds tcp_fin = std::chrono::seconds(5);
  std::chrono::nanoseconds tcp_rst = std::chrono::seconds(5);
  std::chrono::nanoseconds udp = std::chrono::seconds(30);
  std::chrono::nanoseconds icmp = std::chrono::seconds(10);
  std::chrono::nanoseconds maximum_life{0};  // 0: none
};

struct FlowsConfig {
  std::chrono::nanoseconds tick = std::chrono::seconds(1);
  KeyConfig key;
  TunnelKey tunnel = TunnelKey::kOuter;
  FragmentPorts fragment_ports = FragmentPorts::kNone;
  std::uint64_t max_flows = 1'000'000;
  std::uint64_t table_entries = 1'048'576;
  TimeoutsConfig timeouts;
  std::chrono::nanoseconds expiry_interval{0};  // 0: every tick
};

struct TemplateRefreshConfig {
  std::uint32_t packets = 20;
  std::chrono::nanoseconds interval = std::chrono::seconds(20);
};

struct TlsConfig {
  std::string ca;           // PEM; empty: the system's
  std::string certificate;  // ours, PEM with the chain; empty: none
  std::string key;          // its private key; empty: in the certificate's file
  std::string name;         // the collector's; empty: the host of its address
  bool verify = true;       // its certificate and its name
};

struct RotateConfig {                                              // transport file
  std::uint64_t size = 64ull << 20;                                // octets; 0: any
  std::chrono::nanoseconds interval = std::chrono::seconds(3600);  // 0: none
};

struct SpoolConfig {
  std::string path;                // a folder; empty: none
  std::uint64_t max = 1ull << 30;  // octets
};

struct CollectorConfig {
  std::string address;  // host:port, [v6]:port; of transport file a path
  NetflowVersion version = NetflowVersion::kV9;
  Transport transport = Transport::kUdp;
  std::uint32_t max_datagram = 1400;
  TemplateRefreshConfig templates;
  bool option_sampling = true;
  bool option_interfaces = true;
  bool option_statistics = true;
  bool option_domain = true;
  std::uint32_t rate = 200'000;  // records/s; 0: no limit
  std::string filter;
  std::string source;   // local address to send from
  bool non_ip = false;  // also send records of non-IP frames
  RecordLayout layout = RecordLayout::kBasic;
  std::vector<std::string> fields;  // IANA names; not empty: instead of a layout
  RecordTimes times = RecordTimes::kMilliseconds;
  bool biflow = false;          // RFC 5103
  std::uint32_t dscp = 0;       // of what is sent
  std::uint32_t hop_limit = 0;  // 0: the system's
  std::string interface;        // to send from; empty: the kernel chooses
  TlsConfig tls;
  RotateConfig rotate;
  SpoolConfig spool;
};

struct ExportConfig {
  std::uint32_t domain_id = 0;  // 0: auto, a stable hash of the host's identity, never 0
  ExportMode mode = ExportMode::kReplicate;
  std::vector<CollectorConfig> collectors;
};

struct MetricsConfig {
  std::string listen = "127.0.0.1:9108";  // empty: no endpoint
  std::uint32_t top = 0;
  bool profile = false;
};

struct QuotaConfig {   // monitors[].quota
  std::string octets;  // "3GB" (quota_values.hpp); empty: none
  std::string per = "month";
  std::uint32_t starts = 1;  // day of the month
  std::string warn = "80%";  // of octets
  std::string command;       // run by sh when the state changes; empty: none
};

enum class DumpSort : std::uint8_t { kNone, kIn, kOut, kTotal };
enum class DumpFormat : std::uint8_t { kIpfm, kCsv, kJson };

// What each host sent and got, to a file, every so often. Periods are counted from 1970-01-01, UTC.
struct DumpConfig {
  std::chrono::nanoseconds every = std::chrono::hours(24);
  std::chrono::nanoseconds after{0};
  std::string clear = "always";  // or never, or a duration: a multiple of `every`
  std::chrono::nanoseconds clear_after{0};
  std::string file;  // as strftime(3) takes it; empty: no dump
  DumpSort sort = DumpSort::kNone;
  bool resolve = false;
  bool append = false;
  DumpFormat format = DumpFormat::kIpfm;
  std::string timezone = "local";  // of the times in the file's name and text
};

struct MonitorConfig {
  std::string name;
  std::string filter;
  std::vector<std::string> group_by;
  std::vector<std::string> local;  // networks
  QuotaConfig quota;
  std::uint32_t max_groups = 10'000;
  std::chrono::nanoseconds group_idle = std::chrono::minutes(10);  // 0: groups never leave
  std::vector<std::string> rules;  // of `dump`: config/host_rule.hpp
  DumpConfig dump;
};

struct HistoryConfig {
  bool wanted = false;  // derived: there are monitors, or something is said of the history
  std::string path = "/var/lib/wiretally/history.db";  // empty: no history
  std::chrono::nanoseconds flush = std::chrono::seconds(10);
  std::uint32_t groups = 20;  // of each monitor, the heaviest
  std::chrono::nanoseconds keep_minute = std::chrono::hours(48);
  std::chrono::nanoseconds keep_five_minutes = std::chrono::hours(62 * 24);
  std::chrono::nanoseconds keep_hour = std::chrono::hours(62 * 24);
  std::chrono::nanoseconds keep_day = std::chrono::hours(5 * 365 * 24);
  std::chrono::nanoseconds keep_week = std::chrono::hours(100 * 365 * 24);
  std::chrono::nanoseconds keep_month = std::chrono::hours(100 * 365 * 24);
  std::chrono::nanoseconds keep_year = std::chrono::hours(100 * 365 * 24);
  std::string week_starts = "monday";
  std::string timezone = "local";
};

struct ControlConfig {
  std::string socket = "/run/wiretally/control.sock";
};

struct LogConfig {
  std::string level = "info";
};

struct Config {
  CaptureConfig capture;
  FlowsConfig flows;
  ExportConfig exporting;  // YAML: export
  MetricsConfig metrics;
  std::vector<MonitorConfig> monitors;
  HistoryConfig history;
  ControlConfig control;
  LogConfig log;
};

}  // namespace wiretally
