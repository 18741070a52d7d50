// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any octets from a client of the control socket, in pieces, through the session
// and the function that the server uses; and the same octets as an answer to the command line's
// decoders. Every line gets one line of JSON, a rule that was broken is told before the client is
// dropped, and what decodes encodes to the same again.
#include <sys/socket.h>

#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/control_session.hpp"
#include "control/api/json_codec.hpp"
#include "control/api/requests.hpp"
#include "tests/control/sample_status.hpp"
#include "tests/fuzz/support.hpp"

namespace wiretally::fuzz {
namespace {

constexpr std::size_t kInputMax = 64 * 1024;

void check_answer(const std::string& answer) {
  require(answer.find('\n') == std::string::npos, "an answer is one line");
  require(nlohmann::json::accept(answer), "an answer is JSON");
  require(answer.starts_with('{'), "an answer is an object");
}

// The client's end of a session; collects what comes back.
class Client {
 public:
  Client() {
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "sockets");
    client_ = Descriptor(ends[0]);
    server_ = Descriptor(ends[1]);
  }
  Descriptor take_server_end() { return std::move(server_); }
  void send(std::string_view part) {
    const ssize_t n = ::send(client_.get(), part.data(), part.size(), MSG_NOSIGNAL);
    require(n == static_cast<ssize_t>(part.size()), "the socket has room for a piece");
  }
  void receive() {
    char part[16 * 1024];
    ssize_t n;
    while ((n = ::recv(client_.get(), part, sizeof part, 0)) > 0) {
      received_.append(part, static_cast<std::size_t>(n));
    }
  }
  [[nodiscard]] const std::string& received() const { return received_; }

 private:
  Descriptor client_;
  Descriptor server_;
  std::string received_;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// `piece`: octets that arrive at a time.
void run_session(std::string_view octets, std::size_t piece) {
  test::SampleMeter meter;
  const ControlLimits limits;
  Client client;
  ControlSession session(client.take_server_end(), limits);
  std::size_t answered = 0;
  const auto answer = [&](std::string_view line) {
    require(line.size() <= limits.request_octets, "no longer request is answered");
    ++answered;
    return answer_request(line, meter);
  };
  bool stays = true;
  for (std::size_t at = 0; at < octets.size() && stays; at += piece) {
    client.send(octets.substr(at, piece));
    stays = session.advance(answer);
    client.receive();
    // What is left to do without another octet from the client.
    while (stays && (session.is_answering() || session.has_request())) {
      stays = session.advance(answer);
      client.receive();
    }
  }
  client.receive();
  const auto answers = lines_of(client.received());
  for (const std::string_view line : answers) check_answer(std::string(line));
  require(answers.size() == answered + (stays ? 0 : 1), "one line for each request, one goodbye");
  if (stays) require(answered == lines_of(octets).size(), "every request is answered");
}

template <class Value>
void check_decoder(std::string_view text, Value (*decode)(std::string_view)) {
  std::string encoded;
  try {
    encoded = encode(decode(text));
  } catch (const std::exception&) {
    return;  // no such answer
  }
  check_answer(encoded);
  require(encode(decode(encoded)) == encoded, "what was encoded decodes to the same");
}

void check_decoders(std::string_view text) {
  check_decoder<Status>(text, decode_status);
  check_decoder<Ledger>(text, decode_ledger);
  check_decoder<ActiveFlows>(text, decode_active_flows);
  check_decoder<TopRows>(text, decode_top_rows);
  try {
    (void)decode_error(text);
  } catch (const std::exception&) {  // no answer at all
  }
}

}  // namespace
}  // namespace wiretally::fuzz

// The first octet: how many octets arrive at a time, in steps of 16.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wiretally::fuzz;
  if (size == 0 || size > kInputMax) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  run_session(octets, 1 + std::size_t{data[0]} * 16);
  for (const std::string_view line : lines_of(octets)) {
    wiretally::test::SampleMeter meter;
    check_answer(wiretally::answer_request(line, meter));
  }
  check_decoders(octets);
  return 0;
}
