// SPDX-License-Identifier: Apache-2.0
// Runs the program with what is known, along every way it can go. A way stops at a branch on a
// field that varies, which becomes a test; what was known there is kept, so that ways which meet in
// the same state share what follows. Thread: any.
#include "control/filter/cut_program.hpp"

#include <pcap/pcap.h>

#include <array>
#include <map>
#include <utility>

#include "control/filter/bpf_words.hpp"

namespace wiretally {
namespace {

constexpr std::uint32_t kAll = UINT32_MAX;
constexpr std::uint32_t kWord = 4;

// What a register holds: a constant, or a field that varies, masked, less a constant.
struct Held {
  std::uint32_t mask = 0;   // 0: a constant
  std::uint32_t at = 0;     // of the four octets that end with the field
  std::uint32_t value = 0;  // the constant, or what is taken off the field

  [[nodiscard]] bool varies() const { return mask != 0; }
  friend auto operator<=>(const Held&, const Held&) = default;
};

struct Machine {
  std::uint32_t pc = 0;
  Held a;
  Held x;
  std::array<Held, BPF_MEMWORDS> memory{};
  friend auto operator<=>(const Machine&, const Machine&) = default;
};

std::uint32_t size_of(std::uint16_t code) {
  return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

}  // namespace

class ProgramCutter {
 public:
  ProgramCutter(const bpf_program& program, const FrameShape& shape)
      : program_(program), shape_(shape) {}

  std::optional<CutProgram> cut() {
    cut_.start_ = run({});
    while (!open_.empty() && !given_up_) {
      const auto [number, machine] = std::move(open_.back());
      open_.pop_back();
      finish(number, machine);
    }
    if (given_up_) return std::nullopt;
    return std::move(cut_);
  }

 private:
  static constexpr std::uint32_t kYes = CutProgram::kYes;
  static constexpr std::uint32_t kNo = CutProgram::kNo;
  // Ways that differ in what nobody asks again would be followed twice; ordinary programs make
  // fewer tests than they have instructions.
  static constexpr std::size_t kTestsPerInstruction = 4;

  std::uint32_t give_up() {
    given_up_ = true;
    return kNo;
  }

  // To an answer, or to the test where the program cannot go on without the frame.
  std::uint32_t run(Machine machine) {
    while (!given_up_) {
      if (machine.pc >= program_.bf_len) return give_up();
      const bpf_insn& insn = program_.bf_insns[machine.pc];
      if (BPF_CLASS(insn.code) == BPF_RET) {
        if (BPF_RVAL(insn.code) != BPF_A) return insn.k != 0 ? kYes : kNo;
        return machine.a.varies() ? give_up() : machine.a.value != 0 ? kYes : kNo;
      }
      if (BPF_CLASS(insn.code) == BPF_JMP) {
        const std::optional<std::uint32_t> next = target(machine, insn);
        if (!next) return test_at(machine);
        machine.pc = *next;
        continue;
      }
      if (!step(machine, insn)) return kNo;  // out of the frame: bpf_filter() answers no
      ++machine.pc;
    }
    return kNo;
  }

  // nullopt: it hangs on the frame.
  static std::optional<std::uint32_t> target(const Machine& machine, const bpf_insn& insn) {
    const std::uint32_t next = machine.pc + 1;
    if (BPF_OP(insn.code) == BPF_JA) return next + insn.k;
    if (insn.jt == insn.jf) return next + insn.jt;
    const bool by_x = BPF_SRC(insn.code) == BPF_X;
    if (machine.a.varies() || (by_x && machine.x.varies())) return std::nullopt;
    const std::uint32_t b = by_x ? machine.x.value : insn.k;
    return next + (bpf_jumps(BPF_OP(insn.code), machine.a.value, b) ? insn.jt : insn.jf);
  }

  std::uint32_t test_at(const Machine& machine) {
    const auto next = static_cast<std::uint32_t>(cut_.tests_.size());
    const auto [known, is_new] = numbers_.emplace(machine, next);
    if (!is_new) return known->second;
    if (next >= kTestsPerInstruction * program_.bf_len) return give_up();
    cut_.tests_.emplace_back();
    open_.emplace_back(next, machine);
    return next;
  }

  void finish(std::uint32_t number, const Machine& machine) {
    const bpf_insn& insn = program_.bf_insns[machine.pc];
    const bool by_x = BPF_SRC(insn.code) == BPF_X;
    if (by_x && machine.x.varies()) return (void)give_up();
    if (!machine.a.varies()) return (void)give_up();
    const std::uint32_t b = by_x ? machine.x.value : insn.k;
    FieldTest test{machine.a.mask, machine.a.value, 0, 0, 0, machine.a.at};
    Machine taken = machine;
    Machine passed = machine;
    taken.pc += 1 + insn.jt;
    passed.pc += 1 + insn.jf;
    switch (BPF_OP(insn.code)) {
      case BPF_JEQ:
        test.low += b;
        break;
      case BPF_JGE:
        test.low += b;
        test.span = kAll - b;
        break;
      case BPF_JGT:  // at most b: the other way round
        test.span = b;
        std::swap(taken, passed);
        break;
      default:  // BPF_JSET: none of the bits, the other way round
        if (test.low != 0) return (void)give_up();
        test.mask &= b;
        std::swap(taken, passed);
        break;
    }
    test.yes = run(taken);
    test.no = run(passed);
    cut_.tests_[number] = test;
  }

  // False: the load is out of the frame, or the program divides by nothing.
  bool step(Machine& machine, const bpf_insn& insn) {
    switch (BPF_CLASS(insn.code)) {
      case BPF_LD:
        return load(machine, insn, machine.a);
      case BPF_LDX:
        return load(machine, insn, machine.x);
      case BPF_ST:
        machine.memory[insn.k % BPF_MEMWORDS] = machine.a;
        return true;
      case BPF_STX:
        machine.memory[insn.k % BPF_MEMWORDS] = machine.x;
        return true;
      case BPF_ALU:
        return compute(machine, insn);
      default:  // BPF_MISC
        if (BPF_MISCOP(insn.code) == BPF_TAX) {
          machine.x = machine.a;
        } else {
          machine.a = machine.x;
        }
        return true;
    }
  }

  bool load(const Machine& machine, const bpf_insn& insn, Held& to) {
    switch (BPF_MODE(insn.code)) {
      case BPF_IMM:
        to = {0, 0, insn.k};
        return true;
      case BPF_LEN:
        to = {0, 0, shape_.size};
        return true;
      case BPF_MEM:
        to = machine.memory[insn.k % BPF_MEMWORDS];
        return true;
      case BPF_MSH:
        if (!octets_at(insn.k, 1, to)) return false;
        if (to.varies()) give_up();
        to.value = (to.value & 0xf) << 2;
        return true;
      case BPF_ABS:
        return octets_at(insn.k, size_of(insn.code), to);
      default: {  // BPF_IND
        if (machine.x.varies()) give_up();
        const std::uint64_t at = std::uint64_t{machine.x.value} + insn.k;
        return octets_at(at, size_of(insn.code), to);
      }
    }
  }

  bool octets_at(std::uint64_t at, std::uint32_t size, Held& to) {
    if (at + size > shape_.size) return false;
    const std::uint64_t end = at + size;
    if (!shape_.varies(at, size)) {
      to = {};
      for (; at < end; ++at) to.value = to.value << 8 | shape_.octets[at];
      return true;
    }
    to = {kAll >> (8 * (kWord - size)), static_cast<std::uint32_t>(end - kWord), 0};
    return true;
  }

  bool compute(Machine& machine, const bpf_insn& insn) {
    const std::uint16_t op = BPF_OP(insn.code);
    const bool by_x = BPF_SRC(insn.code) == BPF_X && op != BPF_NEG;
    const Held b = by_x ? machine.x : Held{0, 0, insn.k};
    Held& a = machine.a;
    if (!a.varies() && !b.varies()) {
      if ((op == BPF_DIV || op == BPF_MOD) && b.value == 0) return false;
      a.value = bpf_computed(op, a.value, b.value);
      return true;
    }
    if (b.varies()) {
      give_up();
    } else if (op == BPF_SUB) {
      a.value += b.value;
    } else if (op == BPF_ADD) {
      a.value -= b.value;
    } else if (op == BPF_AND && a.value == 0) {
      a.mask &= b.value;  // 0: a constant from here on, and that is 0
      if (a.mask == 0) a = {};
    } else {
      give_up();
    }
    return true;
  }

  const bpf_program& program_;
  const FrameShape& shape_;
  CutProgram cut_;
  std::map<Machine, std::uint32_t> numbers_;             // of the tests
  std::vector<std::pair<std::uint32_t, Machine>> open_;  // tests that are not filled in yet
  bool given_up_ = false;
};

std::optional<CutProgram> CutProgram::cut(const bpf_program& program, const FrameShape& shape) {
  return ProgramCutter(program, shape).cut();
}

}  // namespace wiretally
