// SPDX-License-Identifier: Apache-2.0
// A BPF program cut down to what it still has to ask of frames of one shape: everything that hangs
// on octets which all such frames share (type fields, IP version, protocol, fragment field) is
// worked out beforehand, and tests of addresses, ports and VLAN ids remain. Each is "is this field,
// masked, within a range?" and says where to go on.
// Answers are those of bpf_filter() on the whole frame, always (tests/control/filter).
// Thread: any (values).
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "control/filter/key_frame.hpp"

struct bpf_program;

namespace wiretally {

// The four octets at `at`, in network order and masked, less `low`, are at most `span`.
struct FieldTest {
  std::uint32_t mask = 0;
  std::uint32_t low = 0;
  std::uint32_t span = 0;
  std::uint32_t yes = 0;  // the next test, or an answer
  std::uint32_t no = 0;
  std::uint32_t at = 0;
};

class CutProgram {
 public:
  // nullopt: it computes with what differs from frame to frame, beyond masks and ranges (`tcp[0:2]
  // < tcp[2:2]`).
  static std::optional<CutProgram> cut(const bpf_program& program, const FrameShape& shape);

  // `frame`: of the shape it was cut for.
  [[nodiscard]] bool matches(const std::uint8_t* frame) const {
    std::uint32_t next = start_;
    while (next < kAnswers) {
      const FieldTest& test = tests_[next];
      next = (field_of(frame, test) - test.low) <= test.span ? test.yes : test.no;
    }
    return next == kYes;
  }
  [[nodiscard]] std::size_t tests() const { return tests_.size(); }

 private:
  friend class ProgramCutter;
  static constexpr std::uint32_t kYes = UINT32_MAX;
  static constexpr std::uint32_t kNo = UINT32_MAX - 1;
  static constexpr std::uint32_t kAnswers = kNo;

  static std::uint32_t field_of(const std::uint8_t* frame, const FieldTest& test) {
    std::uint32_t value;
    std::memcpy(&value, frame + test.at, sizeof value);
    return __builtin_bswap32(value) & test.mask;
  }

  std::vector<FieldTest> tests_;
  std::uint32_t start_ = kNo;
};

}  // namespace wiretally
