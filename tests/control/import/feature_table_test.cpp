// SPDX-License-Identifier: Apache-2.0
// The tables of control/import/README.md: every row names a test, and the tests are there.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace wiretally {
namespace {

const std::string kRoot = WIRETALLY_SOURCE_ROOT;

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The cells of each row of a table whose heading ends with "tried by".
std::vector<std::vector<std::string>> rows(const std::string& page) {
  std::vector<std::vector<std::string>> found;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|")) {
      inside = false;
      continue;
    }
    std::vector<std::string> cells;
    std::istringstream parts(line.substr(1));
    for (std::string cell; std::getline(parts, cell, '|');) cells.push_back(cell);
    if (cells.back() == " tried by ") {
      inside = true;
    } else if (inside && !line.starts_with("| ---")) {
      found.push_back(cells);
    }
  }
  return found;
}

// All test sources in one text.
std::string all_tests() {
  std::string text;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot + "/tests")) {
    const std::string extension = entry.path().extension();
    if (extension == ".cpp" || extension == ".py") text += content(entry.path());
  }
  return text;
}

TEST(FeatureTables, name_a_test_in_every_row) {
  const auto table = rows(content(kRoot + "/control/import/README.md"));
  ASSERT_GT(table.size(), 30u);
  const std::string tests = all_tests();
  for (const std::vector<std::string>& row : table) {
    ASSERT_EQ(row.size(), 3u) << row[0];
    std::string name = row[2];
    std::erase_if(name, [](char c) { return c == ' ' || c == '`'; });
    const bool unit = tests.find(", " + name + ") {") != std::string::npos;
    const bool system = tests.find("def " + name + "(self") != std::string::npos;
    EXPECT_TRUE(unit || system) << row[0] << "is said to be tried by " << name;
  }
}

}  // namespace
}  // namespace wiretally
