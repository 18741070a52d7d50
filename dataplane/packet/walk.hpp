// SPDX-License-Identifier: Apache-2.0
// The general parser: header by header from the link to the first IP header, and on through tunnels
// to the innermost one. Slower than the plain path in parse.hpp, and complete. Thread: worker.
#pragma once

#include "dataplane/packet/layer.hpp"
#include "dataplane/packet/packet_view.hpp"
#include "dataplane/packet/parse.hpp"

namespace wiretally {

// Reads the one header `layer` names and returns what stands behind it. `layer` must not end a
// walk.
Layer read_layer(Walk& walk, Layer layer);

// Reads on until an IP header, or something that holds none, stands at walk.cursor.
Layer walk_to_ip(Walk& walk, Layer layer);

}  // namespace wiretally
