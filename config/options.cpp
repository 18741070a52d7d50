// SPDX-License-Identifier: Apache-2.0
// The option table: one row a key, in the order of the reference page. A row says where the value
// lives, what it may be, whether a reload can take it, and what it means. Runs at start-up, on
// control.
#include "config/options.hpp"

#include <algorithm>
#include <array>

#include "config/field_codec.hpp"

namespace wiretally {
namespace {

using namespace std::chrono_literals;
using namespace rule;

#define FIELD(member) [](Config& c, std::size_t) { return field_of(c.member); }
#define ITEM(list, member) [](Config& c, std::size_t i) { return field_of(c.list[i].member); }

constexpr auto kLive = OnReload::kTakesEffect;
constexpr auto kRestart = OnReload::kNeedsRestart;
constexpr bool kRequired = true;
constexpr std::uint64_t kMebi = 1ull << 20;
constexpr std::uint64_t kGibi = 1ull << 30;
constexpr std::uint64_t kMax32 = 0xffffffff;
constexpr std::uint64_t kPorts = 64;           // kPortsMax of the data plane
constexpr std::uint64_t kSocketPathMax = 107;  // sun_path of unix(7), less the final zero
constexpr auto kDay = 24h;
constexpr auto kEver = 100 * 365 * kDay;

constexpr std::uint8_t value_of(auto value) {
  return static_cast<std::uint8_t>(value);
}

constexpr std::array kDrivers = {
    Choice{"auto", value_of(Driver::kAuto)}, Choice{"dpdk", value_of(Driver::kDpdk)},
    Choice{"af_xdp", value_of(Driver::kAfXdp)}, Choice{"ebpf", value_of(Driver::kEbpf)},
    Choice{"pcap", value_of(Driver::kPcap)}};
constexpr std::array kDirections = {Choice{"ingress", value_of(Direction::kIngress)},
                                    Choice{"egress", value_of(Direction::kEgress)},
                                    Choice{"both", value_of(Direction::kBoth)}};
constexpr std::array kSamplingModes = {
    Choice{"random", value_of(SamplingMode::kRandom)},
    Choice{"deterministic", value_of(SamplingMode::kDeterministic)}};
constexpr std::array kTunnelKeys = {Choice{"outer", value_of(TunnelKey::kOuter)},
                                    Choice{"inner", value_of(TunnelKey::kInner)}};
constexpr std::array kFragmentPorts = {Choice{"none", value_of(FragmentPorts::kNone)},
                                       Choice{"first", value_of(FragmentPorts::kFirst)}};
constexpr std::array kVersions = {
    Choice{"1", value_of(NetflowVersion::kV1)}, Choice{"5", value_of(NetflowVersion::kV5)},
    Choice{"9", value_of(NetflowVersion::kV9)}, Choice{"10", value_of(NetflowVersion::kIpfix)}};
constexpr std::array kTransports = {
    Choice{"udp", value_of(Transport::kUdp)}, Choice{"tcp", value_of(Transport::kTcp)},
    Choice{"tls", value_of(Transport::kTls)}, Choice{"file", value_of(Transport::kFile)}};
constexpr std::array kExportModes = {Choice{"replicate", value_of(ExportMode::kReplicate)},
                                     Choice{"balance", value_of(ExportMode::kBalance)}};
constexpr std::array kRecordTimes = {Choice{"milliseconds", value_of(RecordTimes::kMilliseconds)},
                                     Choice{"microseconds", value_of(RecordTimes::kMicroseconds)},
                                     Choice{"nanoseconds", value_of(RecordTimes::kNanoseconds)},
                                     Choice{"uptime", value_of(RecordTimes::kUptime)}};
constexpr std::array kLayouts = {
    Choice{"basic", value_of(RecordLayout::kBasic)}, Choice{"full", value_of(RecordLayout::kFull)},
    Choice{"l2", value_of(RecordLayout::kL2)}, Choice{"tunnel", value_of(RecordLayout::kTunnel)}};
// As IANA spells them; a test holds the list against what the exporter can fill.
constexpr std::array kElements = {Choice{"octetDeltaCount"},
                                  Choice{"packetDeltaCount"},
                                  Choice{"layer2OctetDeltaCount"},
                                  Choice{"flowStartMilliseconds"},
                                  Choice{"flowEndMilliseconds"},
                                  Choice{"flowStartSeconds"},
                                  Choice{"flowEndSeconds"},
                                  Choice{"flowStartMicroseconds"},
                                  Choice{"flowEndMicroseconds"},
                                  Choice{"flowStartNanoseconds"},
                                  Choice{"flowEndNanoseconds"},
                                  Choice{"flowStartSysUpTime"},
                                  Choice{"flowEndSysUpTime"},
                                  Choice{"systemInitTimeMilliseconds"},
                                  Choice{"flowDurationMilliseconds"},
                                  Choice{"flowDurationMicroseconds"},
                                  Choice{"flowEndReason"},
                                  Choice{"sourceIPv4Address"},
                                  Choice{"destinationIPv4Address"},
                                  Choice{"sourceIPv6Address"},
                                  Choice{"destinationIPv6Address"},
                                  Choice{"sourceTransportPort"},
                                  Choice{"destinationTransportPort"},
                                  Choice{"udpSourcePort"},
                                  Choice{"udpDestinationPort"},
                                  Choice{"tcpSourcePort"},
                                  Choice{"tcpDestinationPort"},
                                  Choice{"protocolIdentifier"},
                                  Choice{"ipVersion"},
                                  Choice{"tcpControlBits"},
                                  Choice{"ipClassOfService"},
                                  Choice{"ipDiffServCodePoint"},
                                  Choice{"ipPrecedence"},
                                  Choice{"icmpTypeCodeIPv4"},
                                  Choice{"icmpTypeIPv4"},
                                  Choice{"icmpCodeIPv4"},
                                  Choice{"icmpTypeCodeIPv6"},
                                  Choice{"icmpTypeIPv6"},
                                  Choice{"icmpCodeIPv6"},
                                  Choice{"ingressInterface"},
                                  Choice{"ingressPhysicalInterface"},
                                  Choice{"egressInterface"},
                                  Choice{"flowDirection"},
                                  Choice{"vlanId"},
                                  Choice{"ethernetType"},
                                  Choice{"sourceMacAddress"},
                                  Choice{"destinationMacAddress"},
                                  Choice{"dot1qVlanId"},
                                  Choice{"dot1qPriority"},
                                  Choice{"dot1qDEI"},
                                  Choice{"dot1qCustomerVlanId"},
                                  Choice{"dot1qCustomerPriority"},
                                  Choice{"dot1qCustomerDEI"},
                                  Choice{"minimumTTL"},
                                  Choice{"maximumTTL"},
                                  Choice{"minimumIpTotalLength"},
                                  Choice{"maximumIpTotalLength"},
                                  Choice{"flowLabelIPv6"},
                                  Choice{"fragmentFlags"},
                                  Choice{"mplsTopLabelStackSection"},
                                  Choice{"mplsLabelStackSection2"},
                                  Choice{"mplsLabelStackSection3"},
                                  Choice{"mplsLabelStackSection4"},
                                  Choice{"mplsLabelStackSection5"},
                                  Choice{"mplsLabelStackSection6"},
                                  Choice{"mplsLabelStackSection7"},
                                  Choice{"mplsLabelStackSection8"},
                                  Choice{"mplsLabelStackSection9"},
                                  Choice{"mplsLabelStackSection10"},
                                  Choice{"mplsLabelStackDepth"},
                                  Choice{"mplsTopLabelExp"},
                                  Choice{"layer2SegmentId"}};
constexpr std::array kWeekDays = {Choice{"monday"},   Choice{"tuesday"}, Choice{"wednesday"},
                                  Choice{"thursday"}, Choice{"friday"},  Choice{"saturday"},
                                  Choice{"sunday"}};
constexpr std::array kQuotaPeriods = {Choice{"hour"}, Choice{"day"}, Choice{"week"},
                                      Choice{"month"}, Choice{"year"}};
constexpr std::array kDumpSorts = {
    Choice{"none", value_of(DumpSort::kNone)}, Choice{"in", value_of(DumpSort::kIn)},
    Choice{"out", value_of(DumpSort::kOut)}, Choice{"total", value_of(DumpSort::kTotal)}};
constexpr std::array kDumpFormats = {Choice{"ipfm", value_of(DumpFormat::kIpfm)},
                                     Choice{"csv", value_of(DumpFormat::kCsv)},
                                     Choice{"json", value_of(DumpFormat::kJson)}};
constexpr std::array kLevels = {Choice{"trace"},   Choice{"debug"}, Choice{"info"},
                                Choice{"warning"}, Choice{"error"}, Choice{"critical"}};
constexpr std::array kGroupings = {Choice{"src_host"}, Choice{"dst_host"}, Choice{"host"},
                                   Choice{"src_net"},  Choice{"dst_net"},  Choice{"net"},
                                   Choice{"src_port"}, Choice{"dst_port"}, Choice{"port"},
                                   Choice{"protocol"}, Choice{"vlan"},     Choice{"mac"},
                                   Choice{"tos"},      Choice{"ingress"}};

constexpr std::string_view kFullKey[] = {"hosts", "proto", "ports"};
constexpr std::string_view kIpKey[] = {"hosts"};
constexpr std::string_view kProtoKey[] = {"hosts", "proto"};
constexpr std::string_view kVlanKey[] = {"hosts", "proto", "ports", "vlan"};
constexpr std::string_view kEtherKey[] = {"hosts", "proto", "ports", "vlan", "macs"};
constexpr std::array kKeyPresets = {Preset{"full", kFullKey},   Preset{"ip", kIpKey},
                                    Preset{"proto", kProtoKey}, Preset{"port", kFullKey},
                                    Preset{"vlan", kVlanKey},   Preset{"ether", kEtherKey}};

Field collector_options(Config& config, std::size_t entry) {
  CollectorConfig& collector = config.exporting.collectors[entry];
  return NameSetField{{{"sampling", &collector.option_sampling},
                       {"interfaces", &collector.option_interfaces},
                       {"statistics", &collector.option_statistics},
                       {"domain", &collector.option_domain}}};
}

// clang-format off
const Option kOptions[] = {
  {"capture", nullptr, section(), kRestart,
   "What is metered. The only section that must be there."},
  {"capture.driver", FIELD(capture.driver), choice(kDrivers), kRestart,
   "How packets are taken. auto: the best the machine can do; the log says why not the better "
   "ones."},
  {"capture.interfaces", FIELD(capture.interfaces), entries(kPorts), kRestart,
   "Kernel interfaces, for af_xdp, ebpf and pcap."},
  {"capture.interfaces[].name", ITEM(capture.interfaces, name), text(1, 127), kRestart,
   "Name as `ip link` shows it; in metrics the label `port`.", "eth1", kRequired},
  {"capture.interfaces[].ifindex", ITEM(capture.interfaces, ifindex), integer(0, kMax32, "auto"),
   kRestart,
   "Number of the interface in flow records (IE 10). auto or 0: its position in this list, from "
   "1."},
  {"capture.interfaces[].direction", ITEM(capture.interfaces, direction), choice(kDirections),
   kRestart,
   "Driver ebpf: meter what the interface receives, what it sends, or both. What is sent is a port "
   "of its own (NAME:sent) with flowDirection 1, and kept apart from what is received."},
  {"capture.interfaces[].role", ITEM(capture.interfaces, role), text(0, 64), kRestart,
   "Free text, for example tap-a: what the interface is for."},
  {"capture.dpdk", nullptr, section(), kRestart,
   "DPDK, when it is the driver."},
  {"capture.dpdk.memory", FIELD(capture.dpdk.memory), size(16 * kMebi, 1024 * kGibi), kRestart,
   "Memory for DPDK: huge pages, unless no_huge."},
  {"capture.dpdk.no_huge", FIELD(capture.dpdk.no_huge), flag(), kRestart,
   "Ordinary pages instead of huge pages: slower, needs no preparation."},
  {"capture.dpdk.workers", FIELD(capture.dpdk.workers), integers(0, 1023), kRestart,
   "CPU cores that poll; queues are shared out among them in order."},
  {"capture.dpdk.ports", FIELD(capture.dpdk.ports), entries(kPorts), kRestart,
   "DPDK ports: PCI devices and virtual devices."},
  {"capture.dpdk.ports[].device", ITEM(capture.dpdk.ports, device), text(1, 1000), kRestart,
   "PCI address (\"0000:3b:00.0\") or virtual device with its arguments, as EAL takes it.",
   "net_af_packet0,iface=eth1", kRequired},
  {"capture.dpdk.ports[].name", ITEM(capture.dpdk.ports, name), text(0, 64), kRestart,
   "Label `port` in metrics. Empty: port0, port1, ... by position."},
  {"capture.dpdk.ports[].ifindex", ITEM(capture.dpdk.ports, ifindex), integer(0, kMax32, "auto"),
   kRestart,
   "Number of the port in flow records (IE 10). auto or 0: its position in this list, from 1."},
  {"capture.dpdk.ports[].queues", ITEM(capture.dpdk.ports, queues), integer(1, 64), kRestart,
   "Receive queues (RSS)."},
  {"capture.af_xdp", nullptr, section(), kRestart,
   "XDP sockets, when af_xdp is the driver."},
  {"capture.af_xdp.frames", FIELD(capture.af_xdp.frames), integer(256, 1 * kMebi), kRestart,
   "Frames that a receive queue may hold until its worker has read them, 2 KiB of locked memory "
   "each, 4 KiB if the MTU is larger than 1770. Rounded up to a power of two."},
  {"capture.ebpf", nullptr, section(), kRestart,
   "Counting in the kernel, when ebpf is the driver."},
  {"capture.ebpf.map_entries", FIELD(capture.ebpf.map_entries), integer(64, 16 * kMebi), kRestart,
   "Flows that the kernel counts for one CPU in one tick, about 216 octets each; what is more goes "
   "up to user space and is counted there."},
  {"capture.ebpf.ring", FIELD(capture.ebpf.ring), size(kMebi / 4, kGibi), kRestart,
   "Buffer for packets that user space has to read. Rounded up to a power of two."},
  {"capture.files", FIELD(capture.files), texts(1, 4095), kRestart,
   "Captures to read instead of a live link: pcap or pcapng, also gzip'd. Driver pcap (or auto)."},
  {"capture.promiscuous", FIELD(capture.promiscuous), flag(), kRestart,
   "Meter every frame on the wire, not only those addressed to this host."},
  {"capture.manage_offloads", FIELD(capture.manage_offloads), flag(), kRestart,
   "Switch GRO, LRO, TSO and GSO of the interfaces off while the meter runs, and on again at its "
   "end: they merge packets before they are counted. Needs CAP_NET_ADMIN."},
  {"capture.filter", FIELD(capture.filter), text(0, 4000), kRestart,
   "tcpdump syntax; what does not match is counted as filtered. Empty: everything is metered."},
  {"capture.sampling", nullptr, section(), kRestart,
   "Metering one packet of N. Announced to collectors, never scaled."},
  {"capture.sampling.rate", FIELD(capture.sampling.rate), integer(1, kMax32), kRestart,
   "N. 1: every packet."},
  {"capture.sampling.mode", FIELD(capture.sampling.mode), choice(kSamplingModes), kRestart,
   "random: each packet with probability 1/N; deterministic: every Nth."},
  {"capture.own_macs", FIELD(capture.own_macs), texts(1, 17), kRestart,
   "MAC addresses of this box, or of the router it listens at: a flow whose frames come from one "
   "of them is on its way out (flowDirection 1, egressInterface). With flows.key: ether a packet "
   "that is forwarded is two flows, in and out."},

  {"flows", nullptr, section(), kLive,
   "How packets become flows, and when a flow ends."},
  {"flows.tick", FIELD(flows.tick), duration(100ms, 10s), kLive,
   "How often the counts are collected. Views and metrics are at most this old."},
  {"flows.key", FIELD(flows.key), names(1, kKeyPresets), kRestart,
   "Which fields make a flow. ip: addresses; proto: with the protocol; port and full: with ports "
   "too "
   "(the 5-tuple); vlan: full with the outer VLAN; ether: vlan with both MAC addresses; or a list "
   "of hosts, proto, ports, vlan, ingress, macs."},
  {"flows.tunnel", FIELD(flows.tunnel), choice(kTunnelKeys), kRestart,
   "Of a packet in a tunnel, the header the key is taken from."},
  {"flows.fragment_ports", FIELD(flows.fragment_ports), choice(kFragmentPorts), kRestart,
   "none: later fragments have ports 0; first: they join the flow of the first fragment, if it "
   "came first, by the same queue, within 30 s."},
  {"flows.max_flows", FIELD(flows.max_flows), integer(64, kGibi), kRestart,
   "Flows kept at once. Beyond it the idlest are exported early (end reason 5)."},
  {"flows.table_entries", FIELD(flows.table_entries), integer(64, kGibi / 4), kRestart,
   "Entries of 64 octets in each of a worker's two count tables: new flows a tick, per worker."},
  {"flows.timeouts", nullptr, section(), kLive,
   "When a flow ends. Each at least one tick. If idle is written, then tcp, udp and icmp, where "
   "they are "
   "not written, are the smaller of their default and idle; tcp_fin and tcp_rst, where not "
   "written, are never longer than tcp. So `idle: 10s` alone ends every silent flow after 10 s. "
   "What is not written is never shorter than the tick."},
  {"flows.timeouts.active", FIELD(flows.timeouts.active), duration(1ms, 24 * 365h), kLive,
   "A flow that keeps going is reported this often (IE 36)."},
  {"flows.timeouts.idle", FIELD(flows.timeouts.idle), duration(1ms, 24 * 365h), kLive,
   "A flow without a packet for this long has ended (IE 37): protocols that have no timeout of "
   "their own."},
  {"flows.timeouts.tcp", FIELD(flows.timeouts.tcp), duration(1ms, 24 * 365h), kLive,
   "Idle timeout of TCP. Not written: the smaller of the default and idle."},
  {"flows.timeouts.tcp_fin", FIELD(flows.timeouts.tcp_fin), duration(1ms, 24 * 365h), kLive,
   "Idle timeout of TCP after a FIN. Not written: never longer than tcp."},
  {"flows.timeouts.tcp_rst", FIELD(flows.timeouts.tcp_rst), duration(1ms, 24 * 365h), kLive,
   "Idle timeout of TCP after a RST. Not written: never longer than tcp."},
  {"flows.timeouts.udp", FIELD(flows.timeouts.udp), duration(1ms, 24 * 365h), kLive,
   "Idle timeout of UDP. Not written: the smaller of the default and idle."},
  {"flows.timeouts.icmp", FIELD(flows.timeouts.icmp), duration(1ms, 24 * 365h), kLive,
   "Idle timeout of ICMP and ICMPv6. Not written: the smaller of the default and idle."},
  {"flows.timeouts.maximum_life", FIELD(flows.timeouts.maximum_life), duration(0ms, 24 * 365h),
   kLive,
   "A flow that is this old ends, busy or not, and what comes then begins another. 0s: none does."},
  {"flows.expiry_interval", FIELD(flows.expiry_interval), duration(0ms, 1h), kLive,
   "How often flows are looked at for whether they have ended: records then leave in groups, up to "
   "so much later. 0s: every tick."},

  {"export", nullptr, section(), kLive,
   "Flow records to collectors."},
  {"export.domain_id", FIELD(exporting.domain_id), integer(1, kMax32, "auto"), kLive,
   "Observation domain (v9: source id). auto: made from the host's identity, stable, never 0."},
  {"export.mode", FIELD(exporting.mode), choice(kExportModes), kLive,
   "replicate: every collector gets all records. balance: each record goes to one of them, chosen "
   "by a hash of its two ends, so both directions of a flow stay with one collector."},
  {"export.collectors", FIELD(exporting.collectors), entries(64), kLive,
   "Where records go."},
  {"export.collectors[].address", ITEM(exporting.collectors, address), endpoint_or_path(), kLive,
   "host:port, or \"[v6]:port\" in quotes; of transport file a path, with strftime's "
   "conversions of the time a file is begun, or that time before the suffix.",
   "127.0.0.1:2055", kRequired},
  {"export.collectors[].version", ITEM(exporting.collectors, version), choice(kVersions), kLive,
   "1, 5 and 9: NetFlow; 10: IPFIX."},
  {"export.collectors[].transport", ITEM(exporting.collectors, transport), choice(kTransports),
   kLive,
   "tcp, tls and file (RFC 5655) are for IPFIX only."},
  {"export.collectors[].max_datagram", ITEM(exporting.collectors, max_datagram),
   integer(512, 65507), kLive,
   "UDP payload at most, in octets. Above 1472 datagrams are fragmented on Ethernet."},
  {"export.collectors[].templates", nullptr, section(), kLive,
   "Templates are sent first, and again after whichever comes first."},
  {"export.collectors[].templates.packets", ITEM(exporting.collectors, templates.packets),
   integer(1, 1'000'000), kLive, "Datagrams between two sendings of the templates."},
  {"export.collectors[].templates.interval", ITEM(exporting.collectors, templates.interval),
   duration(1s, kDay), kLive, "Time between two sendings of the templates."},
  {"export.collectors[].options", collector_options, names(0), kLive,
   "Options records to send: sampling, interfaces, statistics, domain."},
  {"export.collectors[].rate", ITEM(exporting.collectors, rate), integer(0, 100'000'000), kLive,
   "Records a second at most. 0: no limit."},
  {"export.collectors[].filter", ITEM(exporting.collectors, filter), text(0, 4000), kLive,
   "tcpdump syntax; only flows that match are sent. Empty: all."},
  {"export.collectors[].source", ITEM(exporting.collectors, source), ip_address_or_empty(), kLive,
   "Local address to send from. Empty: the kernel chooses."},
  {"export.collectors[].non_ip", ITEM(exporting.collectors, non_ip), flag(), kLive,
   "Send records of frames that are not IP too; some collectors cannot read them."},
  {"export.collectors[].dscp", ITEM(exporting.collectors, dscp), integer(0, 63), kLive,
   "Differentiated services code point of what is sent."},
  {"export.collectors[].hop_limit", ITEM(exporting.collectors, hop_limit), integer(0, 255), kLive,
   "Hop limit (TTL) of what is sent, multicast too. 0: the system's, 1 for multicast."},
  {"export.collectors[].interface", ITEM(exporting.collectors, interface), text(0, 15), kLive,
   "Interface to send from, whatever the routes say. Empty: the kernel chooses."},
  {"export.collectors[].times", ITEM(exporting.collectors, times), choice(kRecordTimes), kLive,
   "Elements of first and last time: 152 and 153, 154 and 155, 156 and 157, or 22 and 21. "
   "Versions 9 and 10."},
  {"export.collectors[].biflow", ITEM(exporting.collectors, biflow), flag(), kLive,
   "Both directions of a flow in one record (RFC 5103). Version 10."},
  {"export.collectors[].tls", nullptr, section(), kLive, "transport tls, 1.2 or newer."},
  {"export.collectors[].tls.ca", ITEM(exporting.collectors, tls.ca), text(0, 4000), kLive,
   "PEM file of the authorities to trust. Empty: the system's."},
  {"export.collectors[].tls.certificate", ITEM(exporting.collectors, tls.certificate),
   text(0, 4000), kLive, "PEM file of our own certificate and chain. Empty: none."},
  {"export.collectors[].tls.key", ITEM(exporting.collectors, tls.key), text(0, 4000), kLive,
   "PEM file of its private key. Empty: in the certificate's file."},
  {"export.collectors[].tls.name", ITEM(exporting.collectors, tls.name), text(0, 253), kLive,
   "Name or address the collector's certificate must have. Empty: the host of its address."},
  {"export.collectors[].tls.verify", ITEM(exporting.collectors, tls.verify), flag(), kLive,
   "Refuse a collector whose certificate or name is wrong."},
  {"export.collectors[].rotate", nullptr, section(), kLive,
   "transport file: a file is NAME.part until it is whole, and each can be read alone."},
  {"export.collectors[].rotate.size", ITEM(exporting.collectors, rotate.size),
   size(0, 1024 * kGibi), kLive, "Octets at which another file is begun. 0: any size."},
  {"export.collectors[].rotate.interval", ITEM(exporting.collectors, rotate.interval),
   duration(0s, 365 * kDay), kLive,
   "Time after which another file is begun, counted from midnight UTC. 0s: no time."},
  {"export.collectors[].spool", nullptr, section(), kLive,
   "transport tcp and tls: records on disk while the collector is away; they are sent in order "
   "after, also after a restart."},
  {"export.collectors[].spool.path", ITEM(exporting.collectors, spool.path), text(0, 4000), kLive,
   "The folder, of this collector alone; it is made. Empty: no spool."},
  {"export.collectors[].spool.max", ITEM(exporting.collectors, spool.max),
   size(kMebi, 1024 * kGibi), kLive,
   "Octets at most. What is more waits in memory, then is dropped as spool_full."},

  {"export.collectors[].layout", ITEM(exporting.collectors, layout), choice(kLayouts), kLive,
   "Elements of a record. basic: what every collector reads; l2: with MAC addresses, both VLAN "
   "tags and layer-2 octets; full: l2 and TTL, length, labels, VNI and more; tunnel: basic with "
   "the addresses at the tunnel's other end. Versions 9 and 10."},
  {"export.collectors[].fields", ITEM(exporting.collectors, fields), words(kElements), kLive,
   "Elements of a record by their IANA names, instead of a layout. packetDeltaCount must be one of "
   "them. An address that stands twice: first the outer header's, then the inner one's (RFC 7011, "
   "section 8). Records take of the list what they have."},

  {"metrics", nullptr, section(), kLive,
   "Prometheus."},
  {"metrics.listen", FIELD(metrics.listen), endpoint_or_empty(), kRestart,
   "Where /metrics is served: an IPv4 address, or a name that has one, and port. Empty: nowhere."},
  {"metrics.top", FIELD(metrics.top), integer(0, 1000), kLive,
   "Groups of each monitor with group_by that have series of their own, the heaviest, beside "
   "`other`; at most 5000 in all. 0: none."},

  {"metrics.profile", FIELD(metrics.profile), flag(), kRestart,
   "Time the phases of each worker: wiretally_worker_time_seconds_total. Four clock reads a "
   "burst."},

  {"monitors", FIELD(monitors), entries(10'000), kLive,
   "Named counters of chosen traffic."},
  {"monitors[].name", ITEM(monitors, name), text(1, 64), kLive,
   "Label `monitor` in metrics, name in reports.", "web", kRequired},
  {"monitors[].filter", ITEM(monitors, filter), text(0, 4000), kLive,
   "tcpdump syntax. Empty: everything.", "tcp port 443"},
  {"monitors[].group_by", ITEM(monitors, group_by), groups(kGroupings), kLive,
   "Count each of these apart. src_net, dst_net and net take a prefix length: src_net/24. host, "
   "net, port and mac are of both ends: a flow counts at its source and at its destination."},
  {"monitors[].local", ITEM(monitors, local), texts(1, 64), kLive,
   "Networks that give directions: in, out, and through. With host, net, port or mac in group_by, "
   "only ends in them have groups."},
  {"monitors[].max_groups", ITEM(monitors, max_groups), integer(1, 10'000'000), kLive,
   "Groups at most; what is beyond is counted together."},
  {"monitors[].group_idle", ITEM(monitors, group_idle), duration(0s, 24 * 365h), kLive,
   "When max_groups are taken, a group that counted nothing for so long makes place for another: "
   "what it has counted goes into `other`. Looked at once a minute. 0: never. The groups of a "
   "monitor with `dump` stay until they are cleared."},
  {"monitors[].quota", nullptr, section(), kLive,
   "How much traffic there may be in a period of local time (history.timezone)."},
  {"monitors[].quota.octets", ITEM(monitors, quota.octets), text(0, 32), kLive,
   "KB, MB, GB, TB are powers of 1000, KiB to TiB of 1024; layer 3. Empty: no quota.", "3GB"},
  {"monitors[].quota.per", ITEM(monitors, quota.per), choice(kQuotaPeriods), kLive,
   "The period."},
  {"monitors[].quota.starts", ITEM(monitors, quota.starts), integer(1, 31), kLive,
   "Day on which a month begins; in a shorter month, its last day."},
  {"monitors[].quota.warn", ITEM(monitors, quota.warn), text(1, 8), kLive,
   "Share of it from which the state is `warning`."},
  {"monitors[].quota.command", ITEM(monitors, quota.command), text(0, 4095), kLive,
   "Run by /bin/sh, once each time the state becomes `warning` or `over`; WIRETALLY_MONITOR, "
   "_STATE, _USED and _LIMIT are in its environment."},
  {"monitors[].rules", ITEM(monitors, rules), texts(1, 200), kLive,
   "Whom `dump` counts, in the words of ipfm.conf: [none|from|to|both] [NET] [[not] with NET]. The "
   "last rule that fits a host and its peer decides. None: every host, both ways. With group_by: "
   "[host], which is meant if none is written."},
  {"monitors[].dump", nullptr, section(), kLive,
   "A file with what each host got, sent and both, in octets of IP packets; IPFM's log."},
  {"monitors[].dump.every", ITEM(monitors, dump.every), duration(1s, kEver), kLive,
   "A file each time this much has passed, counted from 1970-01-01 00:00 UTC; whole seconds."},
  {"monitors[].dump.after", ITEM(monitors, dump.after), duration(0s, kEver), kLive,
   "So much later: every: 1h, after: 5m is 0:05, 1:05, 2:05, ..."},
  {"monitors[].dump.clear", ITEM(monitors, dump.clear), text(1, 32), kLive,
   "When counts begin anew: always (with each file), never, or a duration, a multiple of `every`."},
  {"monitors[].dump.clear_after", ITEM(monitors, dump.clear_after), duration(0s, kEver),
   kLive,
   "With a duration in `clear`: so much later, beyond `after`; a multiple of `every`."},
  {"monitors[].dump.file", ITEM(monitors, dump.file), text(0, 4000), kLive,
   "The file's name as strftime(3) takes it, of the end of the period, such as "
   "/var/log/wiretally/%Y-%m-%d.%H-%M. Empty: no dump."},
  {"monitors[].dump.sort", ITEM(monitors, dump.sort), choice(kDumpSorts), kLive,
   "By what, the largest first. none: as IPFM does, by the address's octets, the last one first."},
  {"monitors[].dump.resolve", ITEM(monitors, dump.resolve), flag(), kLive,
   "Names of hosts instead of addresses, where DNS tells them in time."},
  {"monitors[].dump.append", ITEM(monitors, dump.append), flag(), kLive,
   "Add to a file that is there; otherwise it is replaced as a whole."},
  {"monitors[].dump.format", ITEM(monitors, dump.format), choice(kDumpFormats), kLive,
   "ipfm: octet for octet as IPFM writes it."},
  {"monitors[].dump.timezone", ITEM(monitors, dump.timezone), text(1, 64), kLive,
   "Of the times in the file's name and text: local, UTC, or a name such as Europe/Prague."},

  {"history", nullptr, section(), kRestart,
   "Totals by minute, hour, day and longer, kept on disk for `wiretally report`."},
  {"history.path", FIELD(history.path), text(0, 4095), kRestart,
   "The SQLite file. A history is kept if there are monitors at start, or anything is written "
   "below history. Empty: none."},
  {"history.flush", FIELD(history.flush), duration(1s, 1h), kRestart,
   "How often counts go to the file: the most that a kill -9 can lose."},
  {"history.groups", FIELD(history.groups), integer(0, 100'000), kRestart,
   "Groups of each monitor that have rows of their own, the heaviest of the hour; the rest is in "
   "a row `other`."},
  {"history.keep", nullptr, section(), kRestart,
   "How long totals are kept; what has been counted since the beginning stays for ever."},
  {"history.keep.minute", FIELD(history.keep_minute), duration(1h, kEver), kRestart,
   "Totals by minute."},
  {"history.keep.five_minutes", FIELD(history.keep_five_minutes), duration(1h, kEver), kRestart,
   "Totals by five minutes: what the 95th percentile is made of."},
  {"history.keep.hour", FIELD(history.keep_hour), duration(1h, kEver), kRestart,
   "Totals by hour."},
  {"history.keep.day", FIELD(history.keep_day), duration(kDay, kEver), kRestart,
   "Totals by day."},
  {"history.keep.week", FIELD(history.keep_week), duration(7 * kDay, kEver), kRestart,
   "Totals by week."},
  {"history.keep.month", FIELD(history.keep_month), duration(31 * kDay, kEver), kRestart,
   "Totals by month."},
  {"history.keep.year", FIELD(history.keep_year), duration(366 * kDay, kEver), kRestart,
   "Totals by year."},
  {"history.week_starts", FIELD(history.week_starts), choice(kWeekDays), kRestart,
   "First day of a week."},
  {"history.timezone", FIELD(history.timezone), text(1, 64), kRestart,
   "Where a day begins: local, UTC, or a name such as Europe/Prague."},

  {"control", nullptr, section(), kRestart,
   "How the other subcommands reach the meter."},
  {"control.socket", FIELD(control.socket), text(1, kSocketPathMax), kRestart,
   "The Unix socket."},

  {"log", nullptr, section(), kLive,
   "What is said on stderr."},
  {"log.level", FIELD(log.level), choice(kLevels), kLive,
   "The least important kind of message that is written."},
};
// clang-format on

void add_to_tree(KeyNode& root, const Option& option) {
  KeyNode* node = &root;
  std::string_view rest = option.path;
  while (true) {
    const std::size_t dot = rest.find('.');
    std::string_view step = rest.substr(0, dot);
    if (step.ends_with("[]")) step.remove_suffix(2);
    if (dot == std::string_view::npos) {
      node->children.push_back({step, &option, {}});
      return;
    }
    node = const_cast<KeyNode*>(node->child(step));
    rest.remove_prefix(dot + 1);
  }
}

// "a[12].b" -> "a[].b"
std::string without_indexes(std::string_view path) {
  std::string generic;
  for (std::size_t i = 0; i < path.size(); ++i) {
    generic += path[i];
    if (path[i] == '[') i = std::min(path.find(']', i), path.size()) - 1;
  }
  return generic;
}

}  // namespace

std::string_view Option::name() const {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::span<const Option> options() {
  return kOptions;
}

const KeyNode* KeyNode::child(std::string_view wanted) const {
  const auto found = std::ranges::find(children, wanted, &KeyNode::name);
  return found == children.end() ? nullptr : &*found;
}

const KeyNode& key_tree() {
  static const KeyNode tree = [] {
    KeyNode root;
    for (const Option& option : kOptions) add_to_tree(root, option);
    return root;
  }();
  return tree;
}

const Option* find_option(std::string_view path) {
  std::string generic = without_indexes(path);
  const auto find = [](std::string_view wanted) -> const Option* {
    const auto found = std::ranges::find(kOptions, wanted, &Option::path);
    return found == std::end(kOptions) ? nullptr : &*found;
  };
  if (!generic.ends_with("[]")) return find(generic);
  generic.resize(generic.size() - 2);
  return find(generic);
}

Config example_config() {
  Config config;
  for (const Option& option : kOptions) {
    if (option.value.kind != ValueKind::kEntries) continue;
    const auto list = std::get<EntriesField>(option.field(config, 0));
    list.resize(list.list, 1);
  }
  for (const Option& option : kOptions) {
    if (option.example.empty()) continue;
    YamlNode example;
    example.kind = YamlNode::Kind::kScalar;
    example.text = option.example;
    store_field(example, option.value, option.field(config, 0));
  }
  return config;
}

}  // namespace wiretally
