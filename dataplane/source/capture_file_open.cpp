// SPDX-License-Identifier: Apache-2.0
// See capture_file_open.hpp.
#include "dataplane/source/capture_file_open.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

constexpr std::string_view kStandardInput = "-";

[[noreturn]] void refuse_open(const std::string& name, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      throw StartupError(ExitCode::kUsage, name + ": no such file; check the name");
    case EACCES:
    case EPERM:
      throw StartupError(ExitCode::kMachine,
                         name +
                             ": permission denied; run as a user who may read it (sudo), or "
                             "chmod it");
    default:
      throw StartupError(ExitCode::kMachine, name + ": cannot be opened: " + std::strerror(error));
  }
}

CaptureDescriptor open_path(const std::string& path, const std::string& name) {
  if (path == kStandardInput) return CaptureDescriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  // A FIFO that nobody writes to yet would hold open() up, deaf to signals that are collected
  // elsewhere; reading waits for it in pieces.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) refuse_open(name, errno);
  ::fcntl(fd, F_SETFL, 0);
  return CaptureDescriptor(fd);
}

struct OtherFormat {
  std::string_view start;
  std::string_view what;
  std::string_view cure;
};

constexpr std::string_view kConvert = "convert it with: editcap -F pcap FILE OUT.pcap";

// What people hand to a pcap reader by mistake.
constexpr std::array kOtherFormats = {
    OtherFormat{"\xfd"
                "7zXZ",
                "it is xz-compressed", "unpack it: xz -dc FILE | wiretally read -"},
    OtherFormat{"\x28\xb5\x2f\xfd", "it is zstd-compressed",
                "unpack it: zstd -dc FILE | wiretally read -"},
    OtherFormat{"BZh", "it is bzip2-compressed", "unpack it: bzip2 -dc FILE | wiretally read -"},
    OtherFormat{"\x04\x22\x4d\x18", "it is lz4-compressed",
                "unpack it: lz4 -dc FILE | wiretally read -"},
    OtherFormat{"PK\x03\x04", "it is a zip archive", "unpack it: unzip -p FILE | wiretally read -"},
    OtherFormat{"\x1f\x8b", "it is gzip'd twice", "unpack it: gunzip FILE"},
    OtherFormat{"snoop", "it is a snoop capture", kConvert},
    OtherFormat{"GMBU", "it is a Network Monitor capture", kConvert},
    OtherFormat{"RTSS", "it is a Network Monitor capture", kConvert},
};

std::string hex(std::span<const std::uint8_t> octets) {
  std::string text;
  for (const std::uint8_t octet : octets) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%s%02x", text.empty() ? "" : " ", octet);
    text += digits;
  }
  return text;
}

}  // namespace

std::string capture_name(const std::string& path) {
  return path == kStandardInput ? "standard input" : path;
}

bool is_pipe(const std::string& path) {
  if (path == kStandardInput) return true;
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

OpenedCaptureFile open_capture_file(const std::string& path) {
  const std::string name = capture_name(path);
  OpenedCaptureFile opened{open_path(path, name)};
  struct stat status {};
  if (::fstat(opened.descriptor.get(), &status) != 0) refuse_open(name, errno);
  if (S_ISDIR(status.st_mode)) {
    throw StartupError(ExitCode::kUsage, name +
                                             ": is a directory; name the captures in it, such as " +
                                             name + (name.ends_with('/') ? "*.pcap" : "/*.pcap"));
  }
  opened.regular = S_ISREG(status.st_mode);
  if (!opened.regular) return opened;
  if (status.st_size == 0) {
    throw StartupError(ExitCode::kUsage,
                       name +
                           ": is empty, without even the header of a capture; was the "
                           "recording stopped before it began?");
  }
  if (::lseek(opened.descriptor.get(), 0, SEEK_CUR) == 0)
    opened.octets = static_cast<std::uint64_t>(status.st_size);
  return opened;
}

std::string explain_no_capture(std::span<const std::uint8_t> start) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  for (const OtherFormat& other : kOtherFormats) {
    if (text.starts_with(other.start))
      return std::string(other.what) + "; " + std::string(other.cure);
  }
  return "it starts with " + hex(start.first(std::min<std::size_t>(start.size(), 4))) +
         "; wiretally reads pcap and pcapng files, also gzip'd";
}

}  // namespace wiretally
