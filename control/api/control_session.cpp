// SPDX-License-Identifier: Apache-2.0
// Reading requests and writing answers of one client.
// Thread: the control server's.
#include "control/api/control_session.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace wiretally {
namespace {

constexpr std::size_t kReadMax = 16 * 1024;  // in one turn, so that no client starves the others

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

ControlSession::ControlSession(Descriptor socket, const ControlLimits& limits)
    : socket_(std::move(socket)), limits_(limits) {
  set_deadline(limits_.idle_time);
}

bool ControlSession::advance(const Answer& answer) {
  if (is_answering()) return write_some();
  take_request(answer);  // one that came in the same read as the last
  if (is_answering()) return write_some();
  if (!read_some()) return false;
  take_request(answer);
  return !is_answering() || write_some();
}

void ControlSession::say_goodbye(const std::string& line) {
  [[maybe_unused]] const ssize_t n =
      ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool ControlSession::read_some() {
  std::array<char, kReadMax> part;
  const ssize_t n = ::recv(socket_.get(), part.data(), part.size(), 0);
  if (n == 0) return false;
  if (n < 0) return would_block();
  if (input_.empty()) set_deadline(limits_.request_time);
  input_.append(part.data(), static_cast<std::size_t>(n));
  return true;
}

void ControlSession::take_request(const Answer& answer) {
  const std::size_t end = input_.find('\n');
  if (end == std::string::npos ? input_.size() > limits_.request_octets
                               : end > limits_.request_octets) {
    last_answer_ = true;
    begin_answer("{\"error\":\"a request is one line of at most " +
                 std::to_string(limits_.request_octets) + " octets\"}\n");
    return;
  }
  if (end == std::string::npos) return;
  const std::string line = input_.substr(0, end);
  input_.erase(0, end + 1);
  begin_answer(answer(line) + '\n');
}

void ControlSession::begin_answer(std::string line) {
  output_ = std::move(line);
  sent_ = 0;
  set_deadline(limits_.answer_time);
}

bool ControlSession::write_some() {
  const ssize_t n = ::send(socket_.get(), output_.data() + sent_, output_.size() - sent_,
                           MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0) return would_block();
  sent_ += static_cast<std::size_t>(n);
  set_deadline(limits_.answer_time);
  if (is_answering()) return true;
  output_ = {};  // gives back the memory of a long answer
  sent_ = 0;
  set_deadline(input_.empty()  ? limits_.idle_time
               : has_request() ? limits_.answer_time  // waits for the client to make room
                               : limits_.request_time);
  return !last_answer_;
}

}  // namespace wiretally
