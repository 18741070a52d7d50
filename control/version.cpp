// SPDX-License-Identifier: Apache-2.0
// The version comes from the one place that knows it: project() in meson.build.
// Thread: any.
#include "control/version.hpp"

namespace wiretally {

std::string_view version() {
  return WIRETALLY_VERSION;
}

}  // namespace wiretally
