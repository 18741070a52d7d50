// SPDX-License-Identifier: Apache-2.0
// A small reader of shell words. Thread: any.
#include "control/import/shell_words.hpp"

#include <algorithm>
#include <map>

namespace wiretally {
namespace {

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_assignment(const std::string& word) {
  const std::size_t equals = word.find('=');
  return equals != std::string::npos && equals > 0 && !(word[0] >= '0' && word[0] <= '9') &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), is_name);
}

class ShellReader {
 public:
  explicit ShellReader(std::string_view script) : script_(script) {}

  std::vector<ShellCommand> run() {
    while (at_ < script_.size()) read_octet();
    end_command();
    return std::move(commands_);
  }

 private:
  [[nodiscard]] char look(std::size_t ahead) const {
    return at_ + ahead < script_.size() ? script_[at_ + ahead] : '\0';
  }

  void read_octet() {
    const char c = script_[at_];
    if (c == '\\') {
      read_escape();
    } else if (quote_ != '\0' && c == quote_) {
      quote_ = '\0';
      ++at_;
    } else if (c == '$' && quote_ != '\'') {
      read_variable();
    } else if (c == '`' && quote_ != '\'') {
      read_substitution(1, '`');
    } else if (quote_ != '\0') {
      take(c);
    } else {
      read_unquoted(c);
    }
  }

  void read_unquoted(char c) {
    if (c == '\'' || c == '"') {
      quote_ = c;
      in_word_ = true;
      ++at_;
    } else if (c == '#' && !in_word_) {
      at_ = std::min(script_.find('\n', at_), script_.size());
    } else if (c == ' ' || c == '\t' || c == '\r') {
      end_word();
      ++at_;
    } else if (c == '\n' || c == ';' || c == '&' || c == '|') {
      end_command();
      if (c == '\n') ++line_;
      ++at_;
    } else {
      take(c);
    }
  }

  void take(char c) {
    if (c == '\n') ++line_;
    begin_word();
    word_ += c;
    ++at_;
  }

  // Behind a backslash a line goes on; in single quotes it is a letter like others.
  void read_escape() {
    if (quote_ == '\'') return take('\\');
    ++at_;
    if (look(0) == '\r' && look(1) == '\n') ++at_;
    if (look(0) == '\n') {
      ++line_;
      ++at_;
    } else if (at_ < script_.size()) {
      take(script_[at_]);
    }
  }

  void read_variable() {
    begin_word();
    if (look(1) == '(') return read_substitution(2, ')');
    const bool braces = look(1) == '{';
    std::size_t end = at_ + (braces ? 2 : 1);
    const std::size_t begin = end;
    while (end < script_.size() && is_name(script_[end])) ++end;
    const std::string name(script_.substr(begin, end - begin));
    const bool closed = !braces || (end < script_.size() && script_[end] == '}');
    if (!closed) end = std::min(script_.find('}', end), script_.size() - 1);
    const auto known = values_.find(name);
    if (closed && known != values_.end()) {
      put_value(known->second);
    } else {
      word_ += "$" + name;
      command_.unknown.push_back("$" + name);
    }
    at_ = end + (braces ? 1 : 0);
  }

  // Outside quotes the value of a variable is words again.
  void put_value(const std::string& value) {
    for (const char c : value) {
      if (c == ' ' && quote_ == '\0') {
        end_word();
      } else {
        begin_word();
        word_ += c;
      }
    }
  }

  // $(...) and `...`: what it would print is not known.
  void read_substitution(std::size_t opening, char closing) {
    begin_word();
    const std::size_t end = std::min(script_.find(closing, at_ + opening), script_.size() - 1);
    const std::string text(script_.substr(at_, end - at_ + 1));
    line_ += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    word_ += "$";
    command_.unknown.push_back(text);
    at_ = end + 1;
  }

  void begin_word() {
    if (command_.words.empty() && !in_word_) command_.line = line_;
    in_word_ = true;
  }

  void end_word() {
    if (!in_word_) return;
    in_word_ = false;
    std::string word = std::move(word_);
    word_.clear();
    if (command_.words.empty() && is_assignment(word)) {
      const std::size_t equals = word.find('=');
      // A value that is not known here stays unknown.
      if (command_.unknown.empty()) values_[word.substr(0, equals)] = word.substr(equals + 1);
      command_.unknown.clear();
      return;
    }
    if (command_.words.empty() && (word == "export" || word == "readonly" || word == "local")) {
      return;
    }
    if (!word.empty()) command_.words.push_back(std::move(word));
  }

  void end_command() {
    end_word();
    if (!command_.words.empty()) commands_.push_back(std::move(command_));
    command_ = {};
  }

  const std::string_view script_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  char quote_ = '\0';
  bool in_word_ = false;
  std::string word_;
  ShellCommand command_;
  std::vector<ShellCommand> commands_;
  std::map<std::string, std::string> values_;
};

}  // namespace

std::vector<ShellCommand> shell_commands(std::string_view script) {
  return ShellReader(script).run();
}

}  // namespace wiretally
