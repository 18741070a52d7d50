// SPDX-License-Identifier: Apache-2.0
// libpcap's program and what it may ask. Thread: any.
#include "control/filter/flow_filter.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <mutex>
#include <vector>

#include "config/startup_error.hpp"
#include "control/filter/program_analysis.hpp"

namespace wiretally {
namespace {

constexpr int kSnapLength = 262'144;  // as tcpdump's
constexpr bpf_u_int32 kNetmask = 0;   // as tcpdump's for a file; for `ip broadcast` alone

struct PcapCloser {
  void operator()(pcap_t* handle) const { ::pcap_close(handle); }
};

bool is_blank(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c); });
}

std::vector<std::string> words_of(const std::string& expression) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : expression + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_') {
      word += c;
      continue;
    }
    if (!word.empty()) words.push_back(word);
    word.clear();
    if (c == '[') words.emplace_back("[");
  }
  return words;
}

// True if the user wrote `arp host ...` or `arp[...]`: then ARP's inside is what is asked for, not
// met in passing.
bool asks_inside_arp(const std::string& expression) {
  static const char* const kInside[] = {"host", "net", "src", "dst", "["};
  const std::vector<std::string> words = words_of(expression);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] != "arp" && words[i] != "rarp") continue;
    if (std::find(std::begin(kInside), std::end(kInside), words[i + 1]) != std::end(kInside)) {
      return true;
    }
    if (std::isdigit(static_cast<unsigned char>(words[i + 1][0])) != 0) return true;
  }
  return false;
}

}  // namespace

struct FlowFilter::Program {
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (code.bf_insns != nullptr) ::pcap_freecode(&code);
  }
  bpf_program code{};
  std::string note;
};

// What has been compiled and is in use, of the whole process.
struct FlowFilter::Programs {
  static Programs& get() {
    static Programs all;
    return all;
  }

  std::mutex mutex;
  std::map<std::string, std::weak_ptr<const Program>> by_expression;
  int keepers = 0;
  std::vector<std::shared_ptr<const Program>> kept;
};

KeepFilterPrograms::KeepFilterPrograms() {
  auto& programs = FlowFilter::Programs::get();
  const std::lock_guard lock(programs.mutex);
  ++programs.keepers;
}

KeepFilterPrograms::~KeepFilterPrograms() {
  auto& programs = FlowFilter::Programs::get();
  const std::lock_guard lock(programs.mutex);
  if (--programs.keepers == 0) programs.kept.clear();
}

std::shared_ptr<const FlowFilter::Program> FlowFilter::compile(const std::string& expression) {
  auto program = std::make_shared<Program>();
  const std::unique_ptr<pcap_t, PcapCloser> handle(::pcap_open_dead(DLT_EN10MB, kSnapLength));
  constexpr int kOptimize = 1;
  if (handle == nullptr ||
      ::pcap_compile(handle.get(), &program->code, expression.c_str(), kOptimize, kNetmask) != 0) {
    const std::string message = handle == nullptr ? "out of memory" : ::pcap_geterr(handle.get());
    throw StartupError(ExitCode::kUsage, "filter \"" + expression + "\": " + message +
                                             "; the syntax is tcpdump's, see pcap-filter(7)");
  }
  const ProgramFindings findings = analyse_program(program->code, !asks_inside_arp(expression));
  if (!findings.refusal.empty()) {
    throw StartupError(ExitCode::kUsage, "filter \"" + expression + "\" " + findings.refusal +
                                             "; capture.filter sees whole packets");
  }
  if (findings.arp_addresses_read) {
    program->note =
        "addresses are compared with those of IP packets only: a flow key does not hold the "
        "addresses inside ARP, which tcpdump would compare too";
  }
  return program;
}

FlowFilter::FlowFilter(const std::string& expression) : matches_all_(is_blank(expression)) {
  if (matches_all_) return;
  Programs& programs = Programs::get();
  {
    const std::lock_guard lock(programs.mutex);
    const auto known = programs.by_expression.find(expression);
    if (known != programs.by_expression.end()) program_ = known->second.lock();
    if (program_ != nullptr) return;
  }
  program_ = compile(expression);
  const std::lock_guard lock(programs.mutex);
  std::erase_if(programs.by_expression, [](const auto& known) { return known.second.expired(); });
  programs.by_expression[expression] = program_;
  if (programs.keepers != 0) programs.kept.push_back(program_);
}

const std::string& FlowFilter::note() const {
  static const std::string none;
  return matches_all_ ? none : program_->note;
}

bool FlowFilter::matches(const KeyFrame& frame) const {
  return matches_all_ ||
         ::bpf_filter(program_->code.bf_insns, frame.data(), frame.size(), frame.size()) != 0;
}

std::optional<CutProgram> FlowFilter::cut(const FrameShape& shape) const {
  return matches_all_ ? std::nullopt : CutProgram::cut(program_->code, shape);
}

FilterVerdict check_flow_filter(const std::string& expression) {
  try {
    const FlowFilter filter(expression);
    return {"", filter.note()};
  } catch (const StartupError& error) {
    return {error.what(), ""};
  }
}

}  // namespace wiretally
