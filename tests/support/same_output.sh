#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# same_output.sh PROGRAM PROGRAM...: 0 if all print the same and none fails.
first=$("$1") || exit 1
shift
for program in "$@"; do
  other=$("$program") || exit 1
  if [ "$other" != "$first" ]; then
    echo "$program: $other, not $first"
    exit 1
  fi
done
echo "$first"
