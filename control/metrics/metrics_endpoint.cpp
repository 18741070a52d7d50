// SPDX-License-Identifier: Apache-2.0
// The HTTP server of /metrics, and why it cannot start, in words.
// Thread: main at start; scrapes in prometheus-cpp's threads.
#include "control/metrics/metrics_endpoint.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <thread>

#include "config/startup_error.hpp"
#include "control/metrics/metric_families.hpp"
#include "control/version.hpp"
#include "dataplane/descriptor.hpp"

namespace wiretally {
namespace {

// A client that connects and says nothing holds a thread until the time-out: so there are many
// threads (they sleep), and the time is short. 200 such clients hold a scrape up for a few seconds.
constexpr const char* kServerThreads = "64";
constexpr const char* kRequestTimeoutMs = "1500";

// "127.0.0.1:9108"
std::string text_of(const sockaddr_in& address) {
  char host[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &address.sin_addr, host, sizeof(host));
  return std::string(host) + ":" + std::to_string(ntohs(address.sin_port));
}

class StatusCollectable : public prometheus::Collectable {
 public:
  explicit StatusCollectable(std::function<StatusPtr()> status) : status_(std::move(status)) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    const StatusPtr status = status_();
    return metric_families(status ? *status : starting());
  }

 private:
  static Status starting() {
    Status status;
    status.version = version();
    return status;
  }

  std::function<StatusPtr()> status_;
};

[[noreturn]] void refuse(ExitCode code, const std::string& listen, const std::string& what) {
  throw StartupError(code, "metrics.listen: \"" + listen + "\": " + what);
}

struct ListenAddress {
  sockaddr_in address{};
  std::string problem;  // in words; empty: there is none
};

// A name is looked up; the server's library would take it as it is, and say nothing of why not.
std::string look_up(const std::string& host, in_addr& found) {
  if (inet_pton(AF_INET, host.c_str(), &found) == 1) return "";
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &list);
  if (error != 0) {
    return "\"" + host + "\" has no IPv4 address (" + ::gai_strerror(error) +
           "); write an address of this machine, such as 127.0.0.1:9108 or 0.0.0.0:9108";
  }
  found = reinterpret_cast<const sockaddr_in*>(list->ai_addr)->sin_addr;
  ::freeaddrinfo(list);
  return "";
}

ListenAddress parse_listen(const std::string& listen) {
  ListenAddress result;
  const std::size_t colon = listen.rfind(':');
  if (listen.starts_with('[') || listen.find(':') != colon) {
    result.problem = "the metrics server listens on IPv4 only; use 127.0.0.1:9108 or 0.0.0.0:9108";
    return result;
  }
  const std::string host = colon == std::string::npos ? "" : listen.substr(0, colon);
  const char* end = listen.data() + listen.size();
  std::uint16_t port = 0;
  const auto parsed = host.empty() ? std::from_chars_result{end, std::errc::invalid_argument}
                                   : std::from_chars(listen.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    result.problem = "not an IPv4 address and port, such as 127.0.0.1:9108; empty for no metrics";
    return result;
  }
  result.address.sin_family = AF_INET;
  result.address.sin_port = htons(port);
  result.problem = look_up(host, result.address.sin_addr);
  return result;
}

sockaddr_in address_of(const std::string& listen) {
  ListenAddress parsed = parse_listen(listen);
  if (!parsed.problem.empty()) refuse(ExitCode::kUsage, listen, parsed.problem);
  return parsed.address;
}

// The server's library says only that it failed; the same bind tells why.
void check_that_it_binds(const std::string& listen, const sockaddr_in& address) {
  const Descriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe.is_open()) {
    refuse(ExitCode::kMachine, listen,
           std::string("cannot make a socket: ") + std::strerror(errno));
  }
  const int on = 1;
  ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return;
  switch (errno) {
    case EADDRINUSE:
      refuse(ExitCode::kMachine, listen,
             "the port is in use; `ss -ltnp` shows by whom; set metrics.listen to another port, or "
             "to \"\" for no metrics");
    case EADDRNOTAVAIL:
      refuse(ExitCode::kMachine, listen,
             "no interface of this machine has that address; `ip -br address` lists them");
    case EACCES:
      refuse(ExitCode::kMachine, listen,
             "a port below 1024 needs root or CAP_NET_BIND_SERVICE; take a higher one");
    default:
      refuse(ExitCode::kMachine, listen, std::string("cannot listen: ") + std::strerror(errno));
  }
}

}  // namespace

struct MetricsEndpoint::Server {
  Server(const sockaddr_in& address, std::function<StatusPtr()> status)
      : collectable(std::make_shared<StatusCollectable>(std::move(status))),
        exposer({"listening_ports", text_of(address), "num_threads", kServerThreads,
                 "request_timeout_ms", kRequestTimeoutMs}) {
    exposer.RegisterCollectable(collectable);
  }
  std::shared_ptr<StatusCollectable> collectable;  // the exposer holds it weakly
  prometheus::Exposer exposer;
};

namespace {

// The server's accepting thread looks at its stop flag when someone connects, or after two seconds,
// which is long to wait for the end of a meter.
class StopHastener {
 public:
  explicit StopHastener(const sockaddr_in& address)
      : thread_([this, address] { knock(address); }) {}
  ~StopHastener() {
    stopped_ = true;
    thread_.join();
  }

 private:
  void knock(const sockaddr_in& address) const {
    while (!stopped_) {
      const Descriptor visitor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      [[maybe_unused]] const int result =
          ::connect(visitor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace

std::string listen_problem(const std::string& listen) {
  return parse_listen(listen).problem;
}

MetricsEndpoint::MetricsEndpoint(const std::string& listen, std::function<StatusPtr()> status) {
  const sockaddr_in address = address_of(listen);
  host_ = address.sin_addr.s_addr;
  check_that_it_binds(listen, address);
  try {
    server_ = std::make_unique<Server>(address, std::move(status));
  } catch (const std::exception& fault) {
    refuse(ExitCode::kMachine, listen, std::string("the server does not start: ") + fault.what());
  }
}

MetricsEndpoint::~MetricsEndpoint() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = host_;
  address.sin_port = htons(static_cast<std::uint16_t>(port()));
  const StopHastener hastener(address);
  server_.reset();
}

int MetricsEndpoint::port() const {
  const std::vector<int> ports = server_->exposer.GetListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

}  // namespace wiretally
