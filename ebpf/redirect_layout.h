/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What the redirecting program counts on each CPU, since it was loaded. */
#pragma once

#include <linux/types.h>

struct kernel_redirects {
  __u64 seen;   /* all frames: handed to the socket of their queue, which may have had no room, */
  __u64 passed; /* or, of these, on to the host: no socket serves their queue */
};
