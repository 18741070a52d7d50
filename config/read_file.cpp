// SPDX-License-Identifier: Apache-2.0
// Reads a configuration file: a regular file, a pipe or a device, but no directory, and no more
// than a configuration can be. Start-up and reload, on control.
#include "config/read_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "config/yaml_tree.hpp"

namespace wiretally {
namespace {

std::string problem_of(int error) {
  switch (error) {
    case ENOENT:
      return "there is no such file";
    case EACCES:
      return "no permission to read it";
    case EISDIR:
      return "is a directory; a file is meant";
    default:
      return fmt::format("cannot be read: {}", std::strerror(error));
  }
}

int read_all(int descriptor, std::string& text) {
  std::array<char, 65536> part{};
  while (text.size() <= kYamlOctetsMax) {
    const ssize_t got = ::read(descriptor, part.data(), part.size());
    if (got == 0) return 0;
    if (got < 0 && errno != EINTR) return errno;
    if (got > 0) text.append(part.data(), static_cast<std::size_t>(got));
  }
  return 0;
}

}  // namespace

FileText read_file(const std::string& path) {
  FileText file;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    file.problem = problem_of(errno);
    return file;
  }
  const int error = read_all(descriptor, file.text);
  ::close(descriptor);
  if (error != 0) file.problem = problem_of(error);
  return file;
}

}  // namespace wiretally
