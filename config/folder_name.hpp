// SPDX-License-Identifier: Apache-2.0
// When two paths name one folder, as far as the paths themselves tell: /x, /x/ and /y/../x.
// Thread: any.
#pragma once

#include <string>

namespace wiretally {

// One spelling for all of them. Nothing is looked up: links are not followed.
[[nodiscard]] std::string folder_name(const std::string& path);

}  // namespace wiretally
