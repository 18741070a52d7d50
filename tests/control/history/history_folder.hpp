// SPDX-License-Identifier: Apache-2.0
// A folder for one test, away with everything in it at its end; and sums over a history file.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "control/history/history_reader.hpp"

namespace wiretally {

class HistoryFolder {
 public:
  HistoryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "wiretally-history-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~HistoryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  HistoryFolder(const HistoryFolder&) = delete;
  HistoryFolder& operator=(const HistoryFolder&) = delete;
  [[nodiscard]] std::string database() const { return path_ + "/history.db"; }

 private:
  std::string path_;
};

inline Volume sum_of(const HistoryReader& reader, Level level, const Series& series) {
  Volume sum;
  for (const HistoryRow& row : reader.rows(level, series, 0, INT64_MAX)) sum += row.volume.total;
  return sum;
}

}  // namespace wiretally
