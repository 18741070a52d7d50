// SPDX-License-Identifier: Apache-2.0
// An XDP program on an interface, by a bpf_link: it ends with the process, however that ends.
// Another's program is never replaced. Thread: the owner's, one at a time.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "dataplane/descriptor.hpp"

namespace wiretally {

// What cannot be done here, why, and the cure.
class XdpError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class XdpMode : std::uint8_t { kNative, kGeneric };
const char* label(XdpMode mode);

// The kernel's error number in words, positive or negative.
std::string xdp_error_text(int error);
// What mends it, after a semicolon; empty if unknown. `capabilities`: those an unprivileged process
// needs.
std::string xdp_cure(int error, const std::string& capabilities);

// Why native XDP was refused, with the cure if it may be for an `mtu` that is too large for it.
std::string native_refusal_text(int error, unsigned mtu, const std::string& name);

class XdpAttachment {
 public:
  explicit XdpAttachment(std::string capabilities) : capabilities_(std::move(capabilities)) {}

  // Attaches to the interface with this number: native, else generic (`native_refusal` says why).
  // Throws XdpError; names the program that is there already.
  XdpMode attach(int program, unsigned ifindex, const std::string& name);
  // False if nothing was attached. A program that runs while this is called still runs to its end.
  bool detach();
  [[nodiscard]] bool attached() const { return link_.is_open(); }
  // The interface that the link holds; 0: it has gone.
  [[nodiscard]] unsigned ifindex() const;
  // Why not native, after attach() has said kGeneric.
  [[nodiscard]] const std::string& native_refusal() const { return native_refusal_; }

 private:
  std::string capabilities_;
  Descriptor link_;
  std::string native_refusal_;
};

}  // namespace wiretally
