// SPDX-License-Identifier: Apache-2.0
// The control socket as a file: made, taken over from a dead process, never from a live one; and
// the other end, connecting to it. Thread: main (start-up), CLI.
#pragma once

#include <sys/types.h>

#include <string>

#include "dataplane/descriptor.hpp"

namespace wiretally {

// What stands in the way of a socket at `path`, and the cure; empty: nothing that can be seen.
[[nodiscard]] std::string socket_place_problem(const std::string& path);

// A listening stream socket at `path`, mode 0660, non-blocking; makes its directory if missing.
// Throws StartupError (kMachine) if another process answers there, if something that is no socket
// stands there, or if the system refuses; kUsage if the path is empty or longer than a socket's may
// be.
class ListeningSocket {
 public:
  explicit ListeningSocket(std::string path);
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  ~ListeningSocket();  // removes the file if it is still this socket's

  [[nodiscard]] int get() const { return descriptor_.get(); }

 private:
  std::string path_;
  Descriptor descriptor_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// A connected, blocking socket. Throws StartupError: kNo if nothing answers at `path`, kUsage if
// that is no socket, kMachine if the system refuses (permission).
Descriptor connect_socket(const std::string& path);

}  // namespace wiretally
