// SPDX-License-Identifier: Apache-2.0
// Build tool: writes the files of this folder that come from the option table.
// wiretally_config_generate DIRECTORY writes DIRECTORY/schema.json and DIRECTORY/reference.yaml.
#include <cstdio>
#include <fstream>
#include <string>

#include "config/describe.hpp"

namespace {

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
  return !file.fail();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  const std::string directory = argv[1];
  const bool schema = write_file(directory + "/schema.json", wiretally::json_schema());
  const bool reference = write_file(directory + "/reference.yaml", wiretally::reference_yaml());
  return schema && reference ? 0 : 1;
}
