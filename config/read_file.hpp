// SPDX-License-Identifier: Apache-2.0
// A whole small file into memory, or a sentence that says why not. Thread: any. Never throws.
#pragma once

#include <string>

namespace wiretally {

struct FileText {
  std::string text;
  std::string problem;  // empty: read
};

// At most kYamlOctetsMax + 1 octets are read; more is the parser's to refuse.
[[nodiscard]] FileText read_file(const std::string& path);

}  // namespace wiretally
