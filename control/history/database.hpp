// SPDX-License-Identifier: Apache-2.0
// SQLite as RAII: a connection, a prepared statement, and one kind of error that knows its cure.
// Thread: one at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wiretally {

// The text says which file, what SQLite says, and what mends it.
class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  [[nodiscard]] int code() const { return code_; }  // SQLite's primary result code

 private:
  int code_;
};

class Database {
 public:
  enum class Mode : std::uint8_t { kWrite, kRead };  // kWrite makes the file if there is none

  Database(const std::string& path, Mode mode);

  void run(const std::string& sql);
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Rows changed by the statement before.
  [[nodiscard]] std::int64_t changes() const { return sqlite3_changes(handle_.get()); }
  [[noreturn]] void fail(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

// Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement(const Database& database, const std::string& sql);

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view value);
  // True: a row is there; false: done, and the statement can be bound anew.
  bool step();
  // Runs to the end and makes ready for the next values.
  void run();
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  const Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {
    database_.run("BEGIN IMMEDIATE");
  }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace wiretally
