// SPDX-License-Identifier: Apache-2.0
// The poll loop of the control socket: accepts, moves every session that can move, drops the late.
// Thread: its own; destroyed from main. From: clients. To: requests.cpp.
#include "control/api/control_server.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <list>
#include <vector>

#include "control/api/control_session.hpp"
#include "control/api/requests.hpp"
#include "control/api/unix_socket.hpp"

namespace wiretally {

class ControlServer::Loop {
 public:
  Loop(const std::string& path, MeterView& view, const ControlLimits& limits)
      : view_(view), limits_(limits), listening_(path), wake_(::eventfd(0, EFD_CLOEXEC)) {}

  void run();
  void stop();

 private:
  using Clock = ControlSession::Clock;

  void look(int timeout_ms);
  void accept_all();
  void move_sessions();
  void admit(Descriptor client);
  bool make_room();
  [[nodiscard]] int milliseconds_to_next_deadline() const;

  MeterView& view_;
  const ControlLimits limits_;
  ListeningSocket listening_;
  Descriptor wake_;
  std::atomic<bool> stopping_{false};
  std::list<ControlSession> sessions_;
  std::vector<pollfd> polled_;  // wake, listening, then the sessions in their order
  Clock::time_point accept_after_{};
};

void ControlServer::Loop::run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    look(milliseconds_to_next_deadline());
    if (stopping_.load(std::memory_order_acquire)) return;
    move_sessions();
    if ((polled_[1].revents & POLLIN) != 0) accept_all();
  }
}

void ControlServer::Loop::stop() {
  stopping_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof(one));
}

void ControlServer::Loop::look(int timeout_ms) {
  const bool accepting = Clock::now() >= accept_after_;
  polled_.clear();
  polled_.push_back({wake_.get(), POLLIN, 0});
  polled_.push_back({accepting ? listening_.get() : -1, POLLIN, 0});
  for (const ControlSession& session : sessions_) {
    const short events = session.is_answering() || session.has_request() ? POLLOUT : POLLIN;
    polled_.push_back({session.descriptor(), events, 0});
  }
  ::poll(polled_.data(), polled_.size(), timeout_ms);
}

int ControlServer::Loop::milliseconds_to_next_deadline() const {
  const Clock::time_point now = Clock::now();
  Clock::time_point next = now + std::chrono::minutes(1);
  if (accept_after_ > now) next = std::min(next, accept_after_);
  for (const ControlSession& session : sessions_) next = std::min(next, session.deadline());
  if (next <= now) return 0;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(next - now).count());
}

void ControlServer::Loop::move_sessions() {
  const Clock::time_point now = Clock::now();  // before answers that take their time
  const auto answer = [this](std::string_view line) { return answer_request(line, view_); };
  std::size_t place = 2;
  for (auto session = sessions_.begin(); session != sessions_.end(); ++place) {
    const bool ready = polled_[place].revents != 0;
    const bool stays = now < session->deadline() && (!ready || session->advance(answer));
    session = stays ? std::next(session) : sessions_.erase(session);
  }
}

void ControlServer::Loop::accept_all() {
  for (;;) {
    Descriptor client(::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.is_open()) {
      admit(std::move(client));
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // Out of descriptors: the waiting client would wake poll() for ever.
      if (errno != EAGAIN) accept_after_ = Clock::now() + std::chrono::milliseconds(100);
      return;
    }
  }
}

// Who is silent must not keep others out.
bool ControlServer::Loop::make_room() {
  auto longest = sessions_.end();
  for (auto session = sessions_.begin(); session != sessions_.end(); ++session) {
    if (!session->is_idle()) continue;
    if (longest == sessions_.end() || session->deadline() < longest->deadline()) longest = session;
  }
  if (longest == sessions_.end()) return false;
  longest->say_goodbye("{\"error\":\"nothing was asked, and another client wants the place\"}\n");
  sessions_.erase(longest);
  return true;
}

void ControlServer::Loop::admit(Descriptor client) {
  // A client that has left is noticed when it is read to its end: half a request first, then
  // nothing.
  for (int round = 0; round < 2 && sessions_.size() >= limits_.clients; ++round) {
    look(0);
    move_sessions();
  }
  const bool full = sessions_.size() >= limits_.clients && !make_room();
  ControlSession& session = sessions_.emplace_back(std::move(client), limits_);
  if (!full) return;
  session.say_goodbye("{\"error\":\"" + std::to_string(limits_.clients) +
                      " clients are connected already; try again later\"}\n");
  sessions_.pop_back();
}

ControlServer::ControlServer(const std::string& path, MeterView& view, const ControlLimits& limits)
    : loop_(std::make_unique<Loop>(path, view, limits)), thread_([this] { loop_->run(); }) {}

ControlServer::~ControlServer() {
  loop_->stop();
  thread_.join();
}

}  // namespace wiretally
