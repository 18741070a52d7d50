// SPDX-License-Identifier: Apache-2.0
// The opening of a recording: from a path to a descriptor or a clear refusal, and the names of
// formats that are not ours, so that the refusal can name the cure. Thread: start-up, worker (next
// file).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dataplane/source/capture_file_stream.hpp"

namespace wiretally {

struct OpenedCaptureFile {
  CaptureDescriptor descriptor;
  std::uint64_t octets = 0;  // size of a regular file that is read from its start; else 0
  bool regular = false;
};

// "-" is standard input. Throws StartupError: missing, a directory, empty, not to be read.
OpenedCaptureFile open_capture_file(const std::string& path);

// True for what must not be opened only to look at it: a named pipe, standard input. False if
// `path` is missing.
bool is_pipe(const std::string& path);

// How sentences call the file.
std::string capture_name(const std::string& path);

// The start of a file that is no capture: "what it is; what to do".
std::string explain_no_capture(std::span<const std::uint8_t> start);

}  // namespace wiretally
