// SPDX-License-Identifier: Apache-2.0
// What a meter has switched off, in a file beside its control socket, so that the next one can put
// right what a killed one could not. The file is locked while its meter lives and removed when it
// ends; a reboot empties /run, and has every offload on again by itself. Thread: main.
#pragma once

#include <string>
#include <vector>

#include "dataplane/descriptor.hpp"

namespace wiretally {

struct SwitchedOff {
  std::string interface_name;
  unsigned ifindex = 0;  // an interface made anew under the name is another one
  std::string offload;   // as `ethtool -K` takes it
};

class OffloadMemory {
 public:
  // "/run/wiretally/control.sock" -> "/run/wiretally/control.offloads"
  [[nodiscard]] static std::string path_for(const std::string& control_socket);
  // What a meter that is dead left there; nothing if it lives, or if there is no such file.
  [[nodiscard]] static std::vector<SwitchedOff> left_by_the_dead(const std::string& path);

  // Makes the file and its folder, and takes the lock. `why_not()` says if it could not: then
  // nothing is remembered.
  explicit OffloadMemory(std::string path);

  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] std::vector<SwitchedOff> recall() const;
  void remember(const std::vector<SwitchedOff>& all);  // instead of what stands there
  void forget();                                       // removes the file

 private:
  std::string path_;
  std::string why_not_;
  Descriptor file_;
};

}  // namespace wiretally
