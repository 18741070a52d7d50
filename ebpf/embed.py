#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a compiled kernel program as a C++ file: embed.py OBJECT CPP FUNCTION, while building."""
import sys

HEAD = """// Made by ebpf/embed.py. Thread: any (constant data).
#include <cstddef>
#include <span>

namespace wiretally {
namespace {

alignas(8) constexpr unsigned char kObject[] = {
"""
TAIL = """};

}  // namespace

std::span<const std::byte> FUNCTION() { return std::as_bytes(std::span(kObject)); }

}  // namespace wiretally
"""


def main():
    source, target, function = sys.argv[1:]
    with open(source, 'rb') as file:
        octets = file.read()
    lines = (octets[i:i + 20] for i in range(0, len(octets), 20))
    with open(target, 'w', encoding='ascii') as file:
        file.write(HEAD)
        for line in lines:
            file.write(','.join(str(octet) for octet in line) + ',\n')
        file.write(TAIL.replace('FUNCTION', function))


main()
