// SPDX-License-Identifier: Apache-2.0
// The CLI's end of the control socket: one connection, one request and one answer at a time.
// Thread: main. Errors: StartupError, kNo if nobody answers, what the meter says if it refuses
// (kUsage for a wrong filter or configuration, else kNo), kMachine if the system does not let us.
#pragma once

#include <chrono>
#include <string>

#include "dataplane/descriptor.hpp"

namespace wiretally {

class ControlClient {
 public:
  explicit ControlClient(std::string path,
                         std::chrono::milliseconds patience = std::chrono::seconds(15));

  // `args` is a JSON object. Returns the answer line; an {"error"} answer is thrown in its words.
  std::string ask(const std::string& command, const std::string& args = "{}");

  // True once the process behind the socket has ended, false if it still runs after `limit`.
  bool wait_for_end(std::chrono::milliseconds limit);

 private:
  std::string read_line();

  std::string path_;
  std::chrono::milliseconds patience_;
  Descriptor socket_;
  std::string input_;
};

}  // namespace wiretally
