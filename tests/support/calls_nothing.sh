#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# calls_nothing.sh LIBRARY: 0 if the objects of a library refer to nothing but each other and the
# copying and comparing of memory. What is not referred to cannot be called: no operator new, no
# throw, no lock, no system call; and a class that had virtual functions would have a table.
ours='^_ZNK?9wiretally'
plain='^((__)?mem(cpy|set|cmp|move)(_chk)?|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$'
others=$(nm "$1" | awk '$1 == "U" {print $2}' | grep -vE "$ours|$plain" | sort -u)
tables=$(nm "$1" | awk '$NF ~ /^_ZT[VIS]/ {print $NF}' | sort -u)
functions=$(nm "$1" | grep -c ' T _ZN9wiretally')
[ "$functions" -gt 50 ] || { echo "$1 has $functions functions: not the parser"; exit 1; }
if [ -n "$others$tables" ]; then
  echo "$1 refers to:" $others $tables
  exit 1
fi
