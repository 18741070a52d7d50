// SPDX-License-Identifier: Apache-2.0
// A function on a stack of its own that can be held in the middle and resumed: the worker's loop
// never returns, and a slice has to end. Thread: the one that made it.
#pragma once

#include <ucontext.h>

#include <functional>
#include <vector>

namespace wiretally::perf {

class Fiber {
 public:
  explicit Fiber(std::function<void()> body) : body_(std::move(body)), stack_(kStackOctets) {
    getcontext(&own_);
    own_.uc_stack.ss_sp = stack_.data();
    own_.uc_stack.ss_size = stack_.size();
    own_.uc_link = &caller_;
    // makecontext passes ints only: the address goes in two halves.
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&own_, reinterpret_cast<void (*)()>(&Fiber::enter), 2,
                static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void resume() { swapcontext(&caller_, &own_); }  // until the body holds or ends
  void hold() { swapcontext(&own_, &caller_); }    // from inside the body

 private:
  static constexpr std::size_t kStackOctets = 1 << 18;
  static void enter(unsigned high, unsigned low) {
    const auto self = static_cast<std::uintptr_t>(high) << 32 | low;
    auto* fiber = reinterpret_cast<Fiber*>(self);
    fiber->body_();
    for (;;) fiber->hold();  // ended: nothing more to do, however often it is resumed
  }

  std::function<void()> body_;
  std::vector<char> stack_;
  ucontext_t own_{};
  ucontext_t caller_{};
};

}  // namespace wiretally::perf
