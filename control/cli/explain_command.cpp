// SPDX-License-Identifier: Apache-2.0
// `wiretally read --explain`: no metering, but how the meter reads each packet.
// Thread: main. From: captures. To: standard output.
#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "control/cli/commands.hpp"
#include "control/cli/packet_explanation.hpp"
#include "control/cli/read_config.hpp"
#include "control/cli/terminal.hpp"
#include "dataplane/source/packet_filter.hpp"
#include "dataplane/source/pcap_file_source.hpp"

namespace wiretally {
namespace {

void refuse_what_does_not_fit(const Arguments& arguments) {
  const auto refuse = [](const char* option) {
    throw StartupError(ExitCode::kUsage, std::string("--explain prints how packets are read and "
                                                     "meters nothing; leave out ") +
                                             option);
  };
  if (!arguments.collectors.empty()) refuse("--collector");
  if (!arguments.fields.empty()) refuse("--fields");
  if (arguments.output != "table") refuse("--output");
}

struct Explained {
  std::uint64_t packets = 0;  // read
  std::uint64_t shown = 0;
  std::uint64_t disagreements = 0;
};

// False if standard output takes no more: the reader has seen enough (`| head`).
bool explain_burst(std::span<const PacketView> views, const Arguments& arguments,
                   const ParseOptions& options, PacketFilter& filter, Explained& done) {
  for (const PacketView& view : views) {
    const std::uint64_t number = ++done.packets;
    if (number < arguments.explain_from || !filter.matches(view)) continue;
    if (arguments.explain_count != 0 && done.shown == arguments.explain_count) return false;
    const ExplainedPacket explained = explain_packet(view, options, number);
    ++done.shown;
    done.disagreements += explained.agrees ? 0 : 1;
    const std::string text = (done.shown == 1 ? "" : "\n") + explained.text;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return false;
  }
  return true;
}

std::string why_nothing(const Arguments& arguments, const Config& config, const Explained& done) {
  if (done.packets < arguments.explain_from && done.packets > 0) {
    return fmt::format("nothing to explain from packet {} on: the last one is packet {}",
                       arguments.explain_from, done.packets);
  }
  if (done.packets == 0) return "nothing to explain: there is no packet";
  return fmt::format("nothing to explain: none of {} packets fits the filter `{}`",
                     done.packets - arguments.explain_from + 1, config.capture.filter);
}

}  // namespace

ExitCode explain_command(const Arguments& arguments) {
  refuse_what_does_not_fit(arguments);
  std::vector<Diagnostic> warnings;
  Config config = config_for_read(arguments, warnings);
  for (const Diagnostic& warning : warnings) complain(to_string(warning));
  const std::vector<std::string> left_out = leave_out_unreadable(config.capture.files);
  for (const std::string& each : left_out) complain(each);
  ParseOptions options;
  options.tunnel =
      config.flows.tunnel == TunnelKey::kInner ? TunnelView::kInner : TunnelView::kOuter;
  PacketFilter filter(config.capture.filter);
  PcapFileSource source(config.capture.files, PortIndex{0});
  std::array<PacketView, kBurstMax> views;
  Explained done;
  while (!source.exhausted()) {
    const std::size_t count = source.poll(views);
    if (!explain_burst({views.data(), count}, arguments, options, filter, done)) break;
    source.release();
  }
  std::fflush(stdout);
  for (const std::string& damage : source.damages()) complain("warning: " + damage);
  if (done.shown == 0) complain(why_nothing(arguments, config, done));
  if (!left_out.empty()) return ExitCode::kUsage;
  if (done.disagreements == 0) return done.shown == 0 ? ExitCode::kNo : ExitCode::kDone;
  complain(
      fmt::format("{} packets are counted otherwise than explained; please report it with the "
                  "capture",
                  done.disagreements));
  return ExitCode::kNo;
}

}  // namespace wiretally
