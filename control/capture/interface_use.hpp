// SPDX-License-Identifier: Apache-2.0
// What an interface is to its host: driver auto may take the frames of a tap, and must leave those
// of an interface the host lives on. Thread: main.
#pragma once

#include <string>

namespace wiretally {

// Why the host needs the frames of this interface, in words: its address, the bridge it belongs to,
// ...; empty: nothing stands on it, as on a tap. A link-local address is no use.
[[nodiscard]] std::string host_use(const std::string& interface_name);

// An XDP program sees the frame as the card leaves it.
void warn_of_lost_tags(const std::string& interface_name, const std::string& driver);

}  // namespace wiretally
