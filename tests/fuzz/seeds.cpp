// SPDX-License-Identifier: Apache-2.0
// Writes the fuzzers' first inputs, a folder a target, in the form each target reads: the tests'
// sample packets and records, the configurations that come with the source, requests of every kind;
// and if a folder of captures is named, each small capture and some packets of every one. Usage:
// fuzz_seeds FOLDER SOURCE-TREE [CAPTURES]
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "control/api/json_codec.hpp"
#include "control/export/message_encoder.hpp"
#include "dataplane/source/capture_file.hpp"
#include "tests/control/export/sample_records.hpp"
#include "tests/control/sample_status.hpp"
#include "tests/dataplane/packet/samples.hpp"
#include "tests/fuzz/support.hpp"

namespace wiretally::fuzz {
namespace {

namespace fs = std::filesystem;
using Octets = std::vector<std::uint8_t>;

constexpr std::uintmax_t kCaptureMax = 64 * 1024;  // a larger one is no seed
constexpr unsigned kPacketsOfCapture = 40;
constexpr std::size_t kPacketMax = 1600;
constexpr std::size_t kWholeMeterMax = 8 * 1024;  // pipeline_fuzz is slow with large recordings

Octets octets_of(std::string_view text) {
  return {text.begin(), text.end()};
}

void append(Octets& to, std::span<const std::uint8_t> octets) {
  to.insert(to.end(), octets.begin(), octets.end());
}

class Seeds {
 public:
  explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, const Octets& input) {
    const fs::path place = folder_ / target;
    fs::create_directories(place);
    std::ofstream file(place / std::to_string(count_++), std::ios::binary);
    file.write(reinterpret_cast<const char*>(input.data()),
               static_cast<std::streamsize>(input.size()));
    if (!file) throw std::runtime_error("cannot write to " + place.string());
  }
  // A packet, in the form of PacketInput.
  void add_packet(const PacketView& view) {
    Octets input;
    const auto known = std::find(kKnownLinkTypes.begin(), kKnownLinkTypes.end(), view.link_type);
    if (known != kKnownLinkTypes.end()) {
      input.push_back(static_cast<std::uint8_t>(known - kKnownLinkTypes.begin()));
    } else {
      const auto type = static_cast<unsigned>(view.link_type);
      append(input, Octets{PacketInput::kAnyLinkType, static_cast<std::uint8_t>(type >> 8),
                           static_cast<std::uint8_t>(type)});
    }
    const std::uint32_t missing = view.wire_octets - view.captured;
    input.push_back(static_cast<std::uint8_t>(
        std::min<std::uint32_t>(255, missing / PacketInput::kMissingStep + (missing > 0 ? 1 : 0))));
    append(input, {view.data, view.captured});
    add("packet", input);
  }
  // A recording for the reader and, with two choices of settings (pipeline_fuzz.cpp), for the whole
  // meter.
  void add_recording(const Octets& octets) {
    add("capture_file", octets);
    if (octets.size() > kWholeMeterMax) return;
    for (const Octets& settings :
         {Octets{0, 0, 0, 9, 90, 1, 40, 0}, Octets{1, 1, 63, 9, 0, 1, 40, 1}}) {
      Octets input = settings;
      append(input, octets);
      add("pipeline", input);
    }
  }
  [[nodiscard]] unsigned count() const { return count_; }

 private:
  fs::path folder_;
  unsigned count_ = 0;
};

void put32(Octets& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

Octets capture_of(LinkType type, const std::vector<Sample>& samples) {
  Octets file;
  for (const std::uint32_t word : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 65535U}) put32(file, word);
  put32(file, static_cast<std::uint32_t>(type));
  std::uint32_t seconds = 1'600'000'000;
  for (const Sample& sample : samples) {
    if (sample.link_type != type) continue;
    const PacketView view = view_of(sample);
    for (const std::uint32_t word : {seconds++, 0U, view.captured, view.wire_octets}) {
      put32(file, word);
    }
    append(file, sample.octets);
  }
  return file;
}

void add_samples(Seeds& seeds) {
  const std::vector<Sample> samples = all_samples();
  std::set<LinkType> types;
  for (const Sample& sample : samples) {
    seeds.add_packet(view_of(sample));
    types.insert(sample.link_type);
  }
  for (const LinkType type : types) seeds.add_recording(capture_of(type, samples));
}

void add_messages(Seeds& seeds) {
  std::mt19937_64 random(1);
  RecordBatch records;
  for (int i = 0; i < 40; ++i) records.push_back(test::random_record(random));
  for (const auto version : {NetflowVersion::kV5, NetflowVersion::kV9, NetflowVersion::kIpfix}) {
    CollectorConfig collector;
    collector.version = version;
    collector.non_ip = true;
    const auto encoder = make_message_encoder(collector, test::sample_exporter(), nullptr);
    Octets stream;
    std::size_t announced = 0;
    for (std::size_t at = 0; at < records.size();) {
      Octets buffer(kDatagramMin);
      RecordTally tally;
      encoder->begin(buffer, test::kEpoch);
      announced = encoder->add_announcements(announced);
      if (announced == encoder->announcements()) {
        at += encoder->add_records(std::span(records).subspan(at), tally);
      }
      buffer.resize(encoder->finish());
      append(stream, Octets{static_cast<std::uint8_t>(buffer.size() >> 8),
                            static_cast<std::uint8_t>(buffer.size())});
      append(stream, buffer);
    }
    seeds.add("decoder", stream);
  }
}

void add_requests(Seeds& seeds) {
  const std::string piece = "\x10";  // see control_fuzz.cpp
  for (const char* request :
       {R"({"command":"status"})", R"({"command":"ledger","args":{}})",
        R"({"command":"flows","args":{"limit":7,"sort":"packets"}})",
        R"({"command":"top","args":{"limit":0,"by":"host"}})", R"({"command":"stop"})",
        R"({"command":"flows","args":{"limit":-1}})", R"({"command":1})", "[]", "{", ""}) {
    seeds.add("control", octets_of(piece + request + "\n"));
    seeds.add("control", octets_of(piece + request + "\n" + request + "\n\n"));
  }
  seeds.add("control", octets_of(piece + encode(test::sample_status())));
  seeds.add("control", octets_of(piece + encode(test::sample_ledger())));
  seeds.add("control", octets_of(piece + encode(test::sample_active_flows())));
  seeds.add("control", octets_of(piece + encode(test::sample_top_rows())));
}

Octets read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

void add_configurations(Seeds& seeds, const fs::path& source) {
  const std::string overrides =
      "#set flows.tick=500ms\n#set export.collectors[0].address=127.0.0.1:2055\n";
  for (const char* name : {"config/reference.yaml", "tests/config/contract.yaml"}) {
    const Octets text = read_file(source / name);
    seeds.add("config", text);
    Octets changed = octets_of(overrides);
    append(changed, text);
    seeds.add("config", changed);
  }
  seeds.add("config", octets_of("capture: {interfaces: [{name: eth1}]}\n"));
  seeds.add("config", octets_of(overrides + "capture: {files: [a.pcap]}\nflows: {tick: 1s}\n"));
}

void add_packets_of(Seeds& seeds, const fs::path& path) {
  CaptureFile file(path.string(), PortIndex{});
  std::array<PacketView, kPacketsOfCapture> views;
  const std::size_t count = file.poll(views);
  for (const PacketView& view : std::span(views).first(count)) {
    if (view.captured <= kPacketMax) seeds.add_packet(view);
  }
}

void add_captures(Seeds& seeds, const fs::path& folder) {
  std::set<fs::path> paths;  // in order: the same seeds under the same names everywhere
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.insert(entry.path());
  }
  for (const fs::path& path : paths) {
    add_packets_of(seeds, path);
    if (fs::file_size(path) <= kCaptureMax) seeds.add_recording(read_file(path));
  }
}

}  // namespace
}  // namespace wiretally::fuzz

int main(int argc, char** argv) {
  using namespace wiretally::fuzz;
  if (argc < 3) {
    std::fputs("usage: fuzz_seeds FOLDER SOURCE-TREE [CAPTURES]\n", stderr);
    return 2;
  }
  try {
    Seeds seeds(argv[1]);
    add_samples(seeds);
    add_messages(seeds);
    add_requests(seeds);
    add_configurations(seeds, argv[2]);
    if (argc > 3) add_captures(seeds, argv[3]);
    std::printf("%u seeds\n", seeds.count());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_seeds: %s\n", error.what());
    return 1;
  }
  return 0;
}
