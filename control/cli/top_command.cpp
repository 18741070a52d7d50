// SPDX-License-Identifier: Apache-2.0
// `wiretally top`: once as text where nobody looks, else a screen that is drawn anew each second.
// Thread: main. From: the control socket. To: standard output, keys from standard input.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "control/api/control_client.hpp"
#include "control/api/json_codec.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/control_path.hpp"
#include "control/cli/render_views.hpp"
#include "control/cli/terminal.hpp"

namespace wiretally {
namespace {

constexpr std::chrono::milliseconds kRefresh{1000};
constexpr std::size_t kScreenLinesTaken = 4;  // title, headings, key help, cursor

const std::map<char, std::string> kViewOfKey = {{'f', "flow"},        {'s', "source"},
                                                {'d', "destination"}, {'h', "host"},
                                                {'p', "port"},        {'o', "protocol"}};

volatile std::sig_atomic_t interrupted = 0;

std::string ask(ControlClient& client, const std::string& by, std::size_t rows) {
  return client.ask("top", R"({"limit":)" + std::to_string(rows) + R"(,"by":")" + by + R"("})");
}

// Leaves the shell's screen as it was, also when an error ends the view.
class Screen {
 public:
  Screen() {
    struct sigaction on_interrupt {};
    on_interrupt.sa_handler = [](int) { interrupted = 1; };  // ends poll() in KeyReader
    ::sigaction(SIGINT, &on_interrupt, nullptr);
    ::sigaction(SIGTERM, &on_interrupt, nullptr);
    print("\033[?1049h\033[?25l");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() { print("\033[?25h\033[?1049l"); }

  // From the top left; each line clears what is left of the one before.
  static bool draw(const std::string& text) {
    std::string out = "\033[H";
    for (const char c : text) out += c == '\n' ? std::string("\033[K\n") : std::string(1, c);
    return print(out + "\033[J");
  }
};

void refresh_until_quit(ControlClient& client, const Arguments& arguments, const Style& style) {
  std::string by = arguments.by;
  KeyReader keys(STDIN_FILENO);
  const Screen screen;
  while (interrupted == 0) {
    const std::size_t lines = terminal_rows(STDOUT_FILENO);
    const std::size_t fits = lines > kScreenLinesTaken ? lines - kScreenLinesTaken : 1;
    const std::size_t wanted = arguments.rows == 0 ? fits : arguments.rows;
    const TopRows rows = decode_top_rows(ask(client, by, std::min(fits, wanted)));
    const TopLayout layout{by, terminal_columns(STDOUT_FILENO), true};
    const std::string title = style.bold("wiretally top by " + by) +
                              style.dim(
                                  "   f flows  s sources  d destinations  h hosts  p ports  "
                                  "o protocols  q quit");
    if (!Screen::draw(title + "\n\n" + render_top(rows, layout, style))) return;
    const char key = keys.wait(kRefresh);
    if (key == 'q' || key == 3) return;
    const auto view = kViewOfKey.find(key);
    if (view != kViewOfKey.end()) by = view->second;
  }
}

}  // namespace

ExitCode top_command(const Arguments& arguments) {
  ControlClient client(control_path(arguments));
  const Style style = Style::of(STDOUT_FILENO);
  if (arguments.json) {
    print(ask(client, arguments.by, arguments.rows) + "\n");
  } else if (is_terminal(STDOUT_FILENO) && is_terminal(STDIN_FILENO)) {
    refresh_until_quit(client, arguments, style);
  } else {
    const TopRows rows = decode_top_rows(ask(client, arguments.by, arguments.rows));
    print(render_top(rows, {arguments.by, 160, false}, style));
  }
  return ExitCode::kDone;
}

}  // namespace wiretally
