// SPDX-License-Identifier: Apache-2.0
// Is it text at all? A configuration is UTF-8 without control characters; a binary file or another
// encoding is told apart here, before a YAML parser sees it. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/diagnostic.hpp"

namespace wiretally {

struct BadText {
  Position at;
  std::string text;
};

// The first octet that cannot be in a configuration, nothing when all can. RFC 3629.
[[nodiscard]] std::optional<BadText> find_bad_text(std::string_view text);

}  // namespace wiretally
