// SPDX-License-Identifier: Apache-2.0
// SQLite's C interface, and what its result codes mean to the one who has to mend it.
#include "control/history/database.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace wiretally {
namespace {

constexpr int kBusyWaitMs = 2000;

std::string cure(int code, const std::string& path) {
  switch (code) {
    case SQLITE_FULL:
      return "the disk is full: make room, or set history.keep shorter";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program holds it: end it (`fuser " + path + "` names it)";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fmt::format(
          "it is damaged, or no history at all: is the path right? If it is damaged, move it away "
          "(`mv {0} {0}.damaged`), and a new one is made; `sqlite3 {0}.damaged .recover` saves "
          "what can be read",
          path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "it cannot be written: give its folder and file to the meter's user";
    case SQLITE_CANTOPEN:
      return "it cannot be opened: its folder has to exist and to be this user's";
    case SQLITE_IOERR:
      return "the disk fails or is full: look at `dmesg` and `df`";
    default:
      return "";
  }
}

// Why a file cannot be opened; SQLite knows no more than that. Empty: the place looks right.
std::string cure_of_place(const std::string& path, int system_error) {
  if (system_error == EMFILE || system_error == ENFILE) {
    return std::string(std::strerror(system_error)) +
           ": raise the limit with `ulimit -n 1024`, or LimitNOFILE=1024 in the service";
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return "it is a folder; a file is meant, such as " + path +
           (path.ends_with('/') ? "history.db" : "/history.db");
  }
  if (std::filesystem::exists(path, ignored)) return "";
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
    return "there is no folder " + folder.string() + "; make it, or set history.path to another";
  }
  return "";
}

}  // namespace

Database::Database(const std::string& path, Mode mode) : path_(path) {
  const int flags =
      mode == Mode::kWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(handle(), kBusyWaitMs);
}

void Database::run(const std::string& sql) {
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

void Database::fail(int code) const {
  const int primary = code & 0xff;
  if (primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR) {
    const int system_error = handle_ ? sqlite3_system_errno(handle_.get()) : 0;
    const std::string place = cure_of_place(path_, system_error);
    if (!place.empty()) throw DatabaseError(primary, fmt::format("history {}: {}", path_, place));
  }
  const char* const said = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  const std::string help = cure(primary, path_);
  throw DatabaseError(
      primary, fmt::format("history {}: {}{}{}", path_, said, help.empty() ? "" : "; ", help));
}

Statement::Statement(const Database& database, const std::string& sql) : database_(database) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v2(database.handle(), sql.c_str(), static_cast<int>(sql.size()),
                                      &prepared, nullptr);
  statement_.reset(prepared);
  if (code != SQLITE_OK) database_.fail(code);
}

Statement& Statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), index, value);
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}

Statement& Statement::bind(int index, std::string_view value) {
  const int code = sqlite3_bind_text(statement_.get(), index, value.data(),
                                     static_cast<int>(value.size()), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3_reset(statement_.get());
  if (code != SQLITE_DONE) database_.fail(code);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* const text = sqlite3_column_text(statement_.get(), column);
  const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return text ? std::string(reinterpret_cast<const char*>(text), length) : std::string();
}

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace wiretally
