// SPDX-License-Identifier: Apache-2.0
// For people who doubt a number: told of each header as the parser reads it, so that an explanation
// comes from the code that counts and from no other. A walk without an observer pays one predicted
// branch a header; the short cut for plain frames never sees one. Thread: the parser's caller.
#pragma once

#include "dataplane/packet/layer.hpp"

namespace wiretally {

struct IpPacket;

class WalkObserver {
 public:
  virtual ~WalkObserver() = default;
  // `layer` stood at `before`; walk.cursor is behind it, and `next` is what follows.
  virtual void on_header(Layer layer, const Cursor& before, const Walk& walk, Layer next) = 0;
  // An IP header stood at walk.cursor. `ip` is good if `error` is kNone.
  virtual void on_ip(const Walk& walk, const IpPacket& ip, ParseError error) = 0;
};

}  // namespace wiretally
