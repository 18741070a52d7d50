// SPDX-License-Identifier: Apache-2.0
// See collector_connection.hpp. Thread: one link thread.
#include "control/export/collector_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace wiretally {
namespace {

bool means_unreachable(int error) {
  return error == EHOSTUNREACH || error == ENETUNREACH || error == ENETDOWN || error == EHOSTDOWN ||
         error == EADDRNOTAVAIL || error == EACCES || error == EPERM;
}

}  // namespace

CollectorConnection::CollectorConnection(const std::string& text,
                                         const std::optional<SocketAddress>& source,
                                         const SocketOptions& options, int wake_fd,
                                         ChangeCallback changed)
    : text_(text),
      address_(parse_collector_address(text)),
      source_(source),
      options_(options),
      wake_fd_(wake_fd),
      changed_(std::move(changed)) {}

void CollectorConnection::advance(SteadyNs now) {
  if (lookup_.busy()) return finish_lookup(now);
  if (socket_.is_open()) {
    if (silence_until_ != 0 && now >= silence_until_) go_up();
    return;
  }
  if (now < retry_at_) return;
  if (addresses_.empty()) {
    const auto numeric = numeric_address(address_.host, address_.port);
    if (!numeric) return lookup_.start(address_, wake_fd_);
    addresses_ = {*numeric};
  }
  open_socket(now);
}

SteadyNs CollectorConnection::deadline() const {
  if (lookup_.busy()) return kNever;  // it writes wake_fd
  if (state_ == LinkState::kUp) return kNever;
  return silence_until_ != 0 ? silence_until_ : retry_at_;
}

ExportDrop CollectorConnection::drop_reason() const {
  switch (state_) {
    case LinkState::kUp:
      return ExportDrop::kQueueFull;
    case LinkState::kUnresolved:
      return ExportDrop::kUnresolved;
    case LinkState::kUnreachable:
      return ExportDrop::kUnreachable;
    case LinkState::kRefused:
      return ExportDrop::kRefused;
  }
  return ExportDrop::kSendError;
}

bool CollectorConnection::probe_due(SteadyNs now) const {
  return !is_up() && socket_.is_open() && silence_until_ == 0 && now >= retry_at_;
}

void CollectorConnection::probe_sent(SteadyNs now) {
  silence_until_ = now + kProbeSilence;
}

void CollectorConnection::report(int error, SteadyNs now) {
  const bool probed = silence_until_ != 0;
  if (!is_up() && !probed) return;  // late answers to what was sent before
  if (error == ECONNREFUSED) {
    go_down(LinkState::kRefused, "nobody listens on " + peer());
  } else if (means_unreachable(error)) {
    go_down(LinkState::kUnreachable, peer() + ": " + std::strerror(error));
  } else {
    go_down(LinkState::kUnreachable, "sending to " + peer() + ": " + std::strerror(error));
  }
  try_next(now);
}

void CollectorConnection::hurry(SteadyNs now) {
  hurried_ = true;
  if (!is_up() && silence_until_ == 0) retry_at_ = now;
}

void CollectorConnection::finish_lookup(SteadyNs now) {
  const auto result = lookup_.take();
  if (!result) return;
  if (result->addresses.empty()) {
    go_down(LinkState::kUnresolved, "\"" + address_.host + "\" has no address: " + result->error);
    back_off(now, kLookupFirst, kLookupSlowest);
    gave_up_ = hurried_;
    return;
  }
  addresses_ = result->addresses;
  address_index_ = 0;
  open_socket(now);
}

void CollectorConnection::open_socket(SteadyNs now) {
  const std::string error = socket_.open(addresses_[address_index_], source_, options_);
  if (!error.empty()) {
    go_down(LinkState::kUnreachable, error);
    return try_next(now);
  }
  if (!tried_ || state_ == LinkState::kUnresolved) return go_up();
  retry_at_ = now;  // was there before and fell silent: a probe decides
}

// "localhost" may be ::1 first while the collector listens on 127.0.0.1: the addresses take turns,
// at once; after a round through all of them there is a pause, and a name is looked up again.
void CollectorConnection::try_next(SteadyNs now) {
  const bool is_name = !numeric_address(address_.host, address_.port);
  if (is_name || state_ == LinkState::kUnreachable) socket_.close();
  if (++address_index_ < addresses_.size()) {
    retry_at_ = now;
    return;
  }
  address_index_ = 0;
  if (is_name) addresses_.clear();
  back_off(now, kProbeFirst, kProbeSlowest);
  gave_up_ = hurried_;
}

void CollectorConnection::go_up() {
  const bool returned = tried_;
  state_ = LinkState::kUp;
  tried_ = true;
  silence_until_ = 0;
  retry_delay_ = 0;
  changed_(state_, (returned ? "is back (" : "sending to (") + peer() + ")");
}

void CollectorConnection::go_down(LinkState state, const std::string& why) {
  silence_until_ = 0;
  const bool changed = state != state_ || !tried_;
  state_ = state;
  tried_ = true;
  if (changed) changed_(state_, why + "; records wait in the queue");
}

void CollectorConnection::back_off(SteadyNs now, SteadyNs first, SteadyNs slowest) {
  retry_delay_ = retry_delay_ == 0 ? first : std::min(slowest, retry_delay_ * 2);
  retry_at_ = now + retry_delay_;
}

std::string CollectorConnection::peer() const {
  return address_index_ < addresses_.size() ? addresses_[address_index_].text() : text_;
}

}  // namespace wiretally
