// SPDX-License-Identifier: Apache-2.0
// Every way a packet can be not metered, or metered with something missing, from the worker to
// /metrics: a packet that comes to it, the sample that counts it, the sentence that explains it.
// A new ParseError fails here until way_to() says how it comes about and all three are there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <thread>

#include "control/accounts.hpp"
#include "control/metrics/metric_families.hpp"
#include "dataplane/source/packet_filter.hpp"
#include "dataplane/worker.hpp"
#include "tests/dataplane/packet/samples.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;

enum class Way { kUnknown, kNothing, kSample, kFilter, kSampling, kPause, kFragments };

Way way_to(ParseError error) {
  switch (error) {
    case ParseError::kNone:
      return Way::kNothing;
    case ParseError::kTruncatedIp:
    case ParseError::kBadIpVersion:
    case ParseError::kBadIpHeaderLength:
    case ParseError::kBadIpTotalLength:
    case ParseError::kUnknownLinkType:
    case ParseError::kTruncatedLink:
    case ParseError::kTooManyLinkHeaders:
    case ParseError::kTruncatedExtension:
    case ParseError::kTooManyExtensions:
    case ParseError::kTruncatedTransport:
    case ParseError::kTruncatedTunnel:
    case ParseError::kBadInnerIp:
    case ParseError::kTooManyTunnels:
    case ParseError::kUnreadTunnel:
    case ParseError::kEncryptedLink:
    case ParseError::kLinkFragment:
    case ParseError::kNoIpLength:
    case ParseError::kIpLengthBeyondFrame:
      return Way::kSample;
    case ParseError::kFiltered:
      return Way::kFilter;
    case ParseError::kNotSampled:
      return Way::kSampling;
    case ParseError::kPaused:
      return Way::kPause;
    case ParseError::kFragmentWithoutFirst:
      return Way::kFragments;
  }
  return Way::kUnknown;
}

class SampleSource {
 public:
  explicit SampleSource(const std::vector<Sample>& samples) : samples_(samples) {}
  std::size_t poll(std::span<PacketView> views) {
    std::size_t count = 0;
    for (; count < views.size() && at_ < samples_.size(); ++count, ++at_) {
      views[count] = view_of(samples_[at_]);
      views[count].port = PortIndex{0};
    }
    return count;
  }
  void release() {}
  [[nodiscard]] bool exhausted() const { return at_ == samples_.size(); }

 private:
  const std::vector<Sample>& samples_;
  std::size_t at_ = 0;
};
static_assert(PacketSource<SampleSource>);

struct Traffic {
  std::vector<Sample> frames;
  WorkerOptions options;
  bool paused = false;
};

WorkerCounters counted(const Traffic& traffic) {
  const FlowHash hash(FlowHash::fixed_seed(), {});
  const MeterClock clock;
  WorkerEpochs epochs(1000, 1, CountTable::Memory::kLazy);
  Worker worker(traffic.options, hash, epochs, clock, 1);
  worker.set_paused(traffic.paused);
  SampleSource source(traffic.frames);
  const std::atomic<bool> never{false};
  std::thread thread([&] { worker.run(source, never); });
  for (bool last = false; !last;) {
    epochs.wait_published();
    last = epochs.published_report().final_epoch;
    const WorkerCounters counters = epochs.published_report().counters;
    epochs.give_back();
    if (last) {
      thread.join();
      return counters;
    }
  }
  return {};
}

class Tap final : public CapturePort {
 public:
  [[nodiscard]] std::string_view name() const override { return "tap"; }
  [[nodiscard]] std::uint32_t ifindex() const override { return 1; }
  std::vector<MissedCount> missed() override { return {}; }
};

std::string exposition_of(const WorkerCounters& counters) {
  Tap tap;
  WorkerBooks books;
  books.take(counters, {});
  const PortReading reading{&tap, {}};
  Status status;
  fill_status({&books, 1}, {&reading, 1}, {}, {}, {}, status);
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, metric_families(status));
  return text.str();
}

std::vector<Sample> frame_of(const PacketBuilder& build) {
  return {{"frame", LinkType::kEthernet, build.build(), "", ""}};
}

PacketBuilder ipv4_udp() {
  return PacketBuilder().ethernet(0x0800).ipv4(17).udp(5, 7);
}

// A piece of the packet with this identification.
Sample fragment(unsigned id, bool first) {
  PacketBuilder build = PacketBuilder().ethernet(0x0800).ipv4(17).patch(
      4, {id >> 8, id & 0xff, 0x20, first ? 0U : 9U});
  build = first ? build.udp(5, 7) : build.payload(16);
  return {"fragment", LinkType::kEthernet, build.build(), "", ""};
}

// A sample that comes to it, by the outer or the inner header.
Traffic sample_of(ParseError error) {
  Traffic traffic;
  for (const TunnelView view : {TunnelView::kOuter, TunnelView::kInner}) {
    traffic.options.parse.tunnel = view;
    for (const Sample& sample : all_samples()) {
      ParsedPacket packet;
      if (parse(view_of(sample), traffic.options.parse, packet) != error) continue;
      traffic.frames = {sample};
      return traffic;
    }
  }
  return traffic;
}

// One packet that comes to it; when sampling, the second of two.
Traffic traffic_of(ParseError error, PacketFilter& nothing) {
  Traffic traffic;
  switch (way_to(error)) {
    case Way::kUnknown:
    case Way::kNothing:
      break;
    case Way::kSample:
      return sample_of(error);
    case Way::kFilter:
      traffic.frames = frame_of(ipv4_udp());
      traffic.options.filter = &nothing;
      break;
    case Way::kSampling:
      traffic.frames = {frame_of(ipv4_udp()).front(), frame_of(ipv4_udp()).front()};
      traffic.options.sampling_rate = 2;
      traffic.options.sampling_random = false;
      break;
    case Way::kPause:
      traffic.frames = frame_of(ipv4_udp());
      traffic.paused = true;
      break;
    case Way::kFragments:
      traffic.frames = {fragment(1, false)};
      traffic.options.join_fragments = true;
      break;
  }
  return traffic;
}

TEST(ParseOutcomes, each_has_a_packet_that_comes_to_it_a_metric_and_a_help_text) {
  PacketFilter nothing("tcp src port 1");
  for (std::size_t e = 1; e < kParseErrors; ++e) {
    const auto error = static_cast<ParseError>(e);
    const std::string name(label(error));
    SCOPED_TRACE("ParseError " + std::to_string(e) + ", " + name);
    ASSERT_NE(way_to(error), Way::kUnknown);
    const Traffic traffic = traffic_of(error, nothing);
    ASSERT_FALSE(traffic.frames.empty()) << "no packet comes to it";
    const WorkerCounters counters = counted(traffic);
    EXPECT_EQ(counters.ports.at(0).results[e].packets, 1u);
    EXPECT_EQ(counters.ports.at(0).received.packets, traffic.frames.size());
    std::uint64_t metered = 0;
    for (const MeteredCounter& each : counters.ports.at(0).metered) metered += each.packets;
    EXPECT_EQ(metered, traffic.frames.size() - (is_metered(error) ? 0 : 1));

    const std::string family =
        is_metered(error) ? "wiretally_parse_notes_total" : "wiretally_not_metered_packets_total";
    const std::string text = exposition_of(counters);
    EXPECT_THAT(text, HasSubstr('\n' + family + "{port=\"tap\",reason=\"" + name + "\"} 1\n"));
    const std::size_t at = text.find("# HELP " + family);
    ASSERT_NE(at, std::string::npos);
    EXPECT_THAT(text.substr(at, text.find('\n', at) - at),
                HasSubstr(name + ": " + std::string(help(error))));
  }
}

// More first fragments than the cache has room for: those that had to go are counted, and each of
// their later fragments is one that misses its first.
TEST(ParseOutcomes, evictions_and_misses_of_the_fragment_cache_are_metrics) {
  constexpr unsigned kPackets = 3 * FragmentCache::kEntries / 2;
  Traffic traffic;
  traffic.options.join_fragments = true;
  for (unsigned id = 0; id < kPackets; ++id) traffic.frames.push_back(fragment(id, true));
  for (unsigned id = 0; id < kPackets; ++id) traffic.frames.push_back(fragment(id, false));
  const WorkerCounters counters = counted(traffic);
  const PortCounters& port = counters.ports.at(0);
  const std::uint64_t missed =
      port.results[static_cast<std::size_t>(ParseError::kFragmentWithoutFirst)].packets;
  EXPECT_GE(port.fragments_evicted, kPackets - FragmentCache::kEntries);
  EXPECT_LT(port.fragments_evicted, kPackets);
  EXPECT_EQ(missed, port.fragments_evicted);
  EXPECT_EQ(port.fragments_joined, kPackets - port.fragments_evicted);
  const std::string text = exposition_of(counters);
  const auto has = [&](const std::string& sample, std::uint64_t value) {
    EXPECT_THAT(text, HasSubstr('\n' + sample + ' ' + std::to_string(value) + '\n'));
  };
  has(R"(wiretally_fragments_evicted_total{port="tap"})", port.fragments_evicted);
  has(R"(wiretally_fragments_joined_total{port="tap"})", port.fragments_joined);
  has(R"(wiretally_parse_notes_total{port="tap",reason="fragment_without_first"})", missed);
}

}  // namespace
}  // namespace wiretally
