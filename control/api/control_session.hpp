// SPDX-License-Identifier: Apache-2.0
// One client of the control socket: what it has sent of a request, what it has not yet taken of an
// answer, and by when it must move. While an answer waits nothing more is read from it, so a client
// costs at most one request and one answer of memory. Thread: the control server's.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "control/api/control_server.hpp"
#include "dataplane/descriptor.hpp"

namespace wiretally {

class ControlSession {
 public:
  using Clock = std::chrono::steady_clock;
  using Answer = std::function<std::string(std::string_view line)>;

  ControlSession(Descriptor socket, const ControlLimits& limits);  // non-blocking socket

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  [[nodiscard]] bool is_answering() const { return sent_ < output_.size(); }
  // A whole line came in behind the last request; no further octet need arrive for it.
  [[nodiscard]] bool has_request() const { return input_.find('\n') != std::string::npos; }
  [[nodiscard]] Clock::time_point deadline() const { return deadline_; }
  // Has asked nothing, or has all it asked for.
  [[nodiscard]] bool is_idle() const { return input_.empty() && !is_answering(); }

  // Does what can be done now: read, answer at most one request, write. False: the client is to be
  // dropped (it left, or broke a rule and has been told).
  bool advance(const Answer& answer);

  // Sends `line` as far as the socket takes it, without waiting; for a client about to be dropped.
  void say_goodbye(const std::string& line);

 private:
  bool read_some();
  bool write_some();
  void take_request(const Answer& answer);
  void begin_answer(std::string line);
  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = Clock::now() + from_now; }

  Descriptor socket_;
  const ControlLimits& limits_;
  std::string input_;
  std::string output_;
  std::size_t sent_ = 0;
  bool last_answer_ = false;
  Clock::time_point deadline_;
};

}  // namespace wiretally
