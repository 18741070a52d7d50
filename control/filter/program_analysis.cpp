// SPDX-License-Identifier: Apache-2.0
// Abstract execution of a BPF program: registers hold what is known of them. Programs have forward
// jumps only (a loop, as `protochain` makes, is refused), so every path ends. Thread: any.
#include "control/filter/program_analysis.hpp"

#include <pcap/pcap.h>

#include <array>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "control/filter/bpf_words.hpp"
#include "control/filter/frame_facts.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kStatesMax = 200'000;  // of one program; ordinary filters need a few hundred

struct Value {
  std::uint32_t unknown = 0;           // bits that a key does not know
  const char* what = "";               // what they are
  std::optional<std::uint32_t> exact;  // a constant
  std::optional<FieldPlace> field;     // an unchanged field, masked
  bool ipv4_length = false;            // X: the length of the IPv4 header that starts at ...
  unsigned header = 0;
  bool fragment = false;  // holds the IPv4 fragment field
  bool transport = false;
  bool arp = false;

  [[nodiscard]] auto tie() const {
    return std::tie(unknown, exact, field, ipv4_length, header, fragment, arp);
  }
};

struct State {
  std::size_t pc = 0;
  Value a;
  Value x;
  std::array<Value, BPF_MEMWORDS> memory;
  PathFacts path;
  bool fragment_open = false;  // a fragment test was passed whose ports must be read yet

  friend bool operator<(const State& s, const State& t) {
    const auto before = [](const Value& v, const Value& w) { return v.tie() < w.tie(); };
    if (s.pc != t.pc) return s.pc < t.pc;
    if (s.fragment_open != t.fragment_open) return s.fragment_open < t.fragment_open;
    if (s.path.equal != t.path.equal) return s.path.equal < t.path.equal;
    if (s.path.is_length != t.path.is_length) return s.path.is_length < t.path.is_length;
    if (s.a.tie() != t.a.tie()) return before(s.a, t.a);
    if (s.x.tie() != t.x.tie()) return before(s.x, t.x);
    for (std::size_t i = 0; i < s.memory.size(); ++i) {
      if (s.memory[i].tie() != t.memory[i].tie()) return before(s.memory[i], t.memory[i]);
    }
    return false;
  }
};

Value constant(std::uint32_t value) {
  Value v;
  v.exact = value;
  return v;
}

Value unclear(const char* what) {
  Value v;
  v.unknown = 0xffffffff;
  v.what = what;
  return v;
}

unsigned size_of(std::uint16_t code) {
  return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

// All bits from the lowest unknown one up: where a carry may go.
std::uint32_t smeared(std::uint32_t unknown) {
  return unknown == 0 ? 0 : 0xffffffffu << std::countr_zero(unknown);
}

class Analysis {
 public:
  Analysis(const bpf_program& program, bool arp_allowed)
      : program_(program), arp_allowed_(arp_allowed) {}

  ProgramFindings run() {
    open_.push_back({});
    while (!open_.empty() && findings_.refusal.empty()) {
      State state = std::move(open_.back());
      open_.pop_back();
      if (!seen_.insert(state).second) continue;
      if (seen_.size() > kStatesMax) refuse("more branches than can be followed; split it");
      step(std::move(state));
    }
    return findings_;
  }

 private:
  void refuse(const std::string& why) {
    if (findings_.refusal.empty()) findings_.refusal = why;
  }
  void refuse_unknown(const char* what) {
    refuse(std::string("depends on ") + what + ", which a flow key does not hold");
  }

  void go(State state, std::size_t to) {
    if (to <= state.pc || to >= program_.bf_len) {
      return refuse("has a loop (protochain) over headers, which a flow key does not hold");
    }
    state.pc = to;
    open_.push_back(std::move(state));
  }

  Value load(const State& state, const FieldPlace& place, unsigned header) {
    Value v;
    v.field = place;
    for (unsigned i = 0; i < place.size; ++i) {
      const OctetFact fact = place.behind_ipv4 ? fact_behind_ipv4(state.path, header, place.at + i)
                                               : fact_of_octet(state.path, place.at + i);
      v.unknown = v.unknown << 8 | fact.unknown;
      if (fact.unknown != 0 && *v.what == '\0') v.what = fact.what;
      v.fragment |= fact.kind == OctetKind::kFragment;
      v.transport |= fact.kind == OctetKind::kTransport;
      v.arp |= fact.kind == OctetKind::kArpAddress;
    }
    if (v.arp) {
      findings_.arp_addresses_read = true;
      if (!arp_allowed_) v.unknown = 0xffffffff, v.what = "addresses in ARP";
    }
    const auto known = state.path.equal.find(place);
    if (known != state.path.equal.end() && v.unknown == 0) v.exact = known->second;
    return v;
  }

  Value load_of(const State& state, const bpf_insn& insn) {
    const unsigned size = size_of(insn.code);
    switch (BPF_MODE(insn.code)) {
      case BPF_IMM:
        return constant(insn.k);
      case BPF_MEM:
        return state.memory[insn.k % BPF_MEMWORDS];
      case BPF_LEN:
        return unclear("the length of packets");
      case BPF_ABS:
        return load(state, {insn.k, size, 0xffffffff, false}, 0);
      case BPF_IND:
        if (state.x.exact)
          return load(state, {insn.k + *state.x.exact, size, 0xffffffff, false}, 0);
        if (state.x.ipv4_length && insn.k >= state.x.header) {
          return load(state, {insn.k - state.x.header, size, 0xffffffff, true}, state.x.header);
        }
        return unclear("octets at a place that it computes");
      default:
        return unclear("octets at a place that it computes");
    }
  }

  void step(State state) {
    const bpf_insn& insn = program_.bf_insns[state.pc];
    const std::size_t next = state.pc + 1;
    switch (BPF_CLASS(insn.code)) {
      case BPF_LD:
        state.a = load_of(state, insn);
        if (state.a.transport) state.fragment_open = false;
        return go(std::move(state), next);
      case BPF_LDX:
        if (BPF_MODE(insn.code) == BPF_MSH) {
          state.x = unclear("the IPv4 header length");
          state.x.ipv4_length = true;
          state.x.header = insn.k;
        } else {
          state.x = load_of(state, insn);
        }
        return go(std::move(state), next);
      case BPF_ST:
        state.memory[insn.k % BPF_MEMWORDS] = state.a;
        return go(std::move(state), next);
      case BPF_STX:
        state.memory[insn.k % BPF_MEMWORDS] = state.x;
        return go(std::move(state), next);
      case BPF_ALU:
        compute(state, insn);
        return go(std::move(state), next);
      case BPF_JMP:
        return branch(std::move(state), insn);
      case BPF_RET:
        return answer(state, insn);
      default:  // BPF_MISC
        if (BPF_MISCOP(insn.code) == BPF_TAX) {
          state.x = state.a;
        } else {
          state.a = state.x;
        }
        return go(std::move(state), next);
    }
  }

  void answer(const State& state, const bpf_insn& insn) {
    if (state.fragment_open) return refuse_unknown("the IP fragment field");
    if (BPF_RVAL(insn.code) == BPF_A && state.a.unknown != 0) refuse_unknown(state.a.what);
  }

  // Unknown bits of a result; the other operand is `b`.
  static std::uint32_t unknown_after(std::uint16_t op, const Value& a, const Value& b) {
    const std::uint32_t either = a.unknown | b.unknown;
    switch (op) {
      case BPF_AND:
        if (b.exact) return a.unknown & *b.exact;
        if (a.exact) return b.unknown & *a.exact;
        return either;
      case BPF_OR:
        return b.exact ? a.unknown & ~*b.exact : either;
      case BPF_XOR:
        return either;
      case BPF_LSH:
        return b.exact ? bpf_computed(op, a.unknown, *b.exact) : either == 0 ? 0 : 0xffffffff;
      case BPF_RSH:
        return b.exact ? bpf_computed(op, a.unknown, *b.exact) : either == 0 ? 0 : 0xffffffff;
      case BPF_DIV:
      case BPF_MOD:
        return either == 0 ? 0 : 0xffffffff;
      default:
        return smeared(either);
    }
  }

  static void compute(State& state, const bpf_insn& insn) {
    const std::uint16_t op = BPF_OP(insn.code);
    const Value b = BPF_SRC(insn.code) == BPF_X ? state.x : constant(insn.k);
    const Value a = state.a;
    Value out;
    out.unknown = unknown_after(op, a, b);
    if (out.unknown != 0) out.what = a.unknown != 0 ? a.what : b.what;
    if (a.exact && b.exact) out.exact = bpf_computed(op, *a.exact, *b.exact);
    if (op == BPF_AND && a.field && b.exact) {
      out.field = a.field;
      out.field->mask &= *b.exact;
      const auto known = state.path.equal.find(*out.field);
      if (known != state.path.equal.end() && out.unknown == 0) out.exact = known->second;
    }
    out.fragment = a.fragment;
    out.arp = a.arp || b.arp;
    state.a = out;
  }

  // What is known where the branch was taken.
  static void learn(State& state, const bpf_insn& insn, bool taken) {
    constexpr std::uint32_t kLengthMax = 1500;
    if (!state.a.field || BPF_SRC(insn.code) == BPF_X) return;
    FieldPlace field = *state.a.field;
    const std::uint16_t op = BPF_OP(insn.code);
    if (op == BPF_JEQ && taken) {
      state.path.equal[field] = insn.k;
      state.a.exact = insn.k;
    }
    if (op == BPF_JSET && std::has_single_bit(insn.k)) {
      field.mask &= insn.k;
      state.path.equal[field] = taken ? insn.k : 0;
    }
    const bool single = std::has_single_bit(field.mask & 0xff) && field.size == 1;
    if (op == BPF_JEQ && !taken && single && insn.k == field.mask) state.path.equal[field] = 0;
    if (op == BPF_JGT && insn.k == kLengthMax && field.size == 2 && !field.behind_ipv4) {
      state.path.is_length[field.at] = !taken;
    }
  }

  // A type field that is a length has one for each packet.
  [[nodiscard]] static bool compares_lengths(const State& state, const bpf_insn& insn) {
    constexpr std::uint32_t kLengthMax = 1500;
    const std::uint16_t op = BPF_OP(insn.code);
    if (!state.a.field || state.a.field->behind_ipv4 || state.a.field->size != 2) return false;
    const unsigned at = state.a.field->at;
    if (at != 12 && at != 16 && at != 20) return false;
    if (fact_of_octet(state.path, at).kind != OctetKind::kKnown) return false;
    if (at != 12 && !state.path.equal.contains({at - 4, 2, 0xffffffff, false})) return false;
    const bool tagged = at == 12 || state.path.equal.at({at - 4, 2, 0xffffffff, false}) != 0x86dd;
    return tagged && (op == BPF_JEQ || op == BPF_JSET ? insn.k <= kLengthMax : insn.k < kLengthMax);
  }

  void branch(State state, const bpf_insn& insn) {
    const std::size_t next = state.pc + 1;
    const std::uint16_t op = BPF_OP(insn.code);
    if (op == BPF_JA) return go(std::move(state), next + insn.k);
    const Value b = BPF_SRC(insn.code) == BPF_X ? state.x : constant(insn.k);
    const std::size_t yes = next + insn.jt;
    const std::size_t no = next + insn.jf;
    if (yes == no) return go(std::move(state), yes);
    constexpr std::uint32_t kOffsetBits = 0x1fff;
    const bool offset_test = op == BPF_JSET && state.a.fragment && insn.k == kOffsetBits &&
                             state.a.field && state.a.field->size == 2 &&
                             state.a.field->mask == 0xffffffff;
    if (offset_test) return fragment_branch(std::move(state), yes, no);
    std::uint32_t depends = state.a.unknown | b.unknown;
    if (op == BPF_JSET && b.exact) depends &= *b.exact;
    if (depends != 0) return refuse_unknown(state.a.unknown != 0 ? state.a.what : b.what);
    if (compares_lengths(state, insn)) return refuse_unknown("the length of 802.3 frames");
    std::optional<bool> only;
    if (state.a.exact && b.exact) only = bpf_jumps(op, *state.a.exact, *b.exact);
    for (const bool taken : {false, true}) {
      if (only && *only != taken) continue;
      State after = state;
      learn(after, insn, taken);
      go(std::move(after), taken ? yes : no);
    }
  }

  void fragment_branch(State state, std::size_t yes, std::size_t no) {
    State whole = state;
    whole.fragment_open = true;
    go(std::move(whole), no);
    go(std::move(state), yes);
  }

  const bpf_program& program_;
  const bool arp_allowed_;
  std::vector<State> open_;
  std::set<State> seen_;
  ProgramFindings findings_;
};

}  // namespace

ProgramFindings analyse_program(const bpf_program& program, bool arp_addresses_allowed) {
  return Analysis(program, arp_addresses_allowed).run();
}

}  // namespace wiretally
