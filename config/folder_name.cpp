// SPDX-License-Identifier: Apache-2.0
// A path in its shortest form. A file of its own: <filesystem> brings a std::quoted, which the
// checks would take for ours.
#include "config/folder_name.hpp"

#include <filesystem>

namespace wiretally {

std::string folder_name(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).string();
}

}  // namespace wiretally
