// SPDX-License-Identifier: Apache-2.0
// The version of this build, as `wiretally --version`, Status and wiretally_build_info say it.
// Thread: any.
#pragma once

#include <string_view>

namespace wiretally {

std::string_view version();

}  // namespace wiretally
