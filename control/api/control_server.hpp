// SPDX-License-Identifier: Apache-2.0
// The control socket: a Unix stream socket on which a request is one JSON line
// {"command": NAME, "args": {...}} and its answer is one JSON line. One thread serves every client
// with poll(); no client can hold it, because every read, write and wait has a bound. Thread: made
// and destroyed by main, serves in its own. From: clients. To: MeterView.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>

#include "control/api/meter_view.hpp"

namespace wiretally {

struct ControlLimits {
  std::size_t clients = 64;  // one more takes the place of the longest idle, or is sent away
  std::size_t request_octets = 64 << 10;           // a longer line is refused
  std::chrono::milliseconds request_time{10'000};  // to finish a line once it began
  std::chrono::milliseconds answer_time{10'000};   // to take in something of an answer
  std::chrono::milliseconds idle_time{30'000};     // between an answer and the next request
};

class ControlServer {
 public:
  // Throws StartupError as ListeningSocket does. `view` must outlive the server.
  ControlServer(const std::string& path, MeterView& view, const ControlLimits& limits = {});
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();  // ends the thread, closes every client, removes the socket's file

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

}  // namespace wiretally
