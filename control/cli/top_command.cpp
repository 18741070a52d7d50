// SPDX-License-Identifier: Apache-2.0
// `wiretally top`: once as text where nobody looks, else a screen (top_screen) that is drawn anew
// each second. Thread: main. From: the control socket. To: standard output, keys from standard
// input.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>

#include "control/api/control_client.hpp"
#include "control/api/json_codec.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/control_path.hpp"
#include "control/cli/render_views.hpp"
#include "control/cli/terminal.hpp"
#include "control/cli/top_screen.hpp"

namespace wiretally {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kRefresh{1000};
// Rows that are remembered from tick to tick; what is beyond is `other`.
constexpr std::size_t kRowsAsked = 1000;

volatile std::sig_atomic_t interrupted = 0;

std::string ask(ControlClient& client, const std::string& by, const std::string& filter,
                std::size_t rows) {
  const nlohmann::json args = {{"limit", rows}, {"by", by}, {"filter", filter}};
  return client.ask("top", args.dump());
}

// Monitors as rows of the same kind.
TopRows ask_monitors(ControlClient& client) {
  TopRows rows;
  for (const MonitorSnapshot& monitor : decode_monitors(client.ask("monitors", R"({"limit":1})"))) {
    rows.recent_seconds = monitor.whole.recent_s;
    rows.rows.push_back({monitor.whole.name, monitor.whole.recent, monitor.whole.volume.total,
                         monitor.whole.flows});
  }
  return rows;
}

TopRows ask_rows(ControlClient& client, const Arguments& arguments) {
  if (arguments.by == "monitor") return ask_monitors(client);
  return decode_top_rows(ask(client, arguments.by, arguments.filter, arguments.rows));
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
    return print(out + "\033[K\033[J");
  }
};

// The newest rows of what the screen shows. A filter that is none is told there, and the one before
// goes on.
void refresh(ControlClient& client, TopScreen& screen) {
  if (screen.of_monitors()) return screen.add(ask_monitors(client));
  try {
    screen.add(decode_top_rows(ask(client, screen.by(), screen.filter(), kRowsAsked)));
  } catch (const StartupError& error) {
    if (error.code() != ExitCode::kUsage || screen.filter().empty()) throw;
    screen.refuse_filter(error.what());
  }
}

void refresh_until_quit(ControlClient& client, const Arguments& arguments, const Style& style) {
  TopScreen screen(arguments.by, arguments.filter);
  KeyReader keys(STDIN_FILENO);
  const Screen terminal;
  Clock::time_point next = Clock::now();
  while (interrupted == 0) {
    if (Clock::now() >= next) {
      refresh(client, screen);
      next = Clock::now() + kRefresh;
    }
    if (!Screen::draw(
            screen.text(terminal_columns(STDOUT_FILENO), terminal_rows(STDOUT_FILENO), style))) {
      return;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - Clock::now());
    const char key = keys.wait(std::max(left, std::chrono::milliseconds(1)));
    if (key == 0) continue;
    const TopScreen::Next asked = screen.press(key);
    if (asked == TopScreen::Next::kQuit) return;
    if (asked == TopScreen::Next::kAsk) next = Clock::now();
  }
}

}  // namespace

ExitCode top_command(const Arguments& arguments) {
  ControlClient client(control_path(arguments));
  const Style style = Style::of(STDOUT_FILENO);
  if (arguments.json && arguments.by == "monitor") {
    print(client.ask("monitors", R"({"limit":1})") + "\n");
  } else if (arguments.json) {
    print(ask(client, arguments.by, arguments.filter, arguments.rows) + "\n");
  } else if (is_terminal(STDOUT_FILENO) && is_terminal(STDIN_FILENO)) {
    refresh_until_quit(client, arguments, style);
  } else {
    print(render_top(ask_rows(client, arguments), {arguments.by, 160, false}, style));
  }
  return ExitCode::kDone;
}

}  // namespace wiretally
