// SPDX-License-Identifier: Apache-2.0
// The redirecting program by BPF_PROG_TEST_RUN, and sockets on loopback, which has one queue.
// Thread: main.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "dataplane/source/af_xdp_socket.hpp"
#include "ebpf/xdp_redirect.hpp"

namespace wiretally {
namespace {

class Redirect : public testing::Test {
 protected:
  void SetUp() override {
    try {
      program_ = std::make_unique<XdpRedirect>(64);
    } catch (const XdpError& error) {
      GTEST_SKIP() << error.what();
    }
  }

  // What the program says of a frame, `repeat` times over.
  unsigned run(int repeat) {
    std::array<std::uint8_t, 60> frame{};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_size_in = frame.size(),
                .repeat = repeat);
    EXPECT_EQ(bpf_prog_test_run_opts(program_->program(), &options), 0) << std::strerror(errno);
    return options.retval;
  }

  static AfXdpSocketOptions options(std::uint32_t queue) {
    AfXdpSocketOptions options;
    options.interface = "lo";
    options.queue = queue;
    options.frames = 256;
    options.native = false;
    return options;
  }

  // Waits for the queue: the kernel lets go of it some time after a socket was closed.
  static std::unique_ptr<AfXdpSocket> bound() {
    for (int tries = 100;; --tries) {
      try {
        return std::make_unique<AfXdpSocket>(options(0));
      } catch (const AfXdpQueueTaken&) {
        if (tries == 0) throw;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
  }

  std::unique_ptr<XdpRedirect> program_;
};

TEST_F(Redirect, lets_frames_pass_and_counts_them_where_no_socket_is) {
  EXPECT_EQ(run(5), static_cast<unsigned>(XDP_PASS));
  EXPECT_EQ(program_->counts().seen, 5u);
  EXPECT_EQ(program_->counts().passed, 5u);
}

TEST_F(Redirect, hands_frames_to_the_socket_of_their_queue) {
  const auto socket = bound();
  ASSERT_TRUE(program_->set_socket(0, socket->descriptor()));
  EXPECT_EQ(run(1), static_cast<unsigned>(XDP_REDIRECT));
  EXPECT_EQ(program_->counts().seen, 1u);
  EXPECT_EQ(program_->counts().passed, 0u);
  EXPECT_EQ(socket->mode(), AfXdpMode::kGeneric);
}

TEST_F(Redirect, takes_no_socket_for_a_queue_beyond_its_map) {
  const auto socket = bound();
  EXPECT_FALSE(program_->set_socket(64, socket->descriptor()));
}

TEST_F(Redirect, names_the_queue_that_another_socket_has) {
  const auto first = bound();
  try {
    const AfXdpSocket second(options(0));
    FAIL() << "two sockets have one queue";
  } catch (const AfXdpQueueTaken& taken) {
    EXPECT_NE(std::strstr(taken.what(), "lo: no socket for queue 0"), nullptr) << taken.what();
  }
}

TEST_F(Redirect, names_the_queue_that_is_not_there) {
  try {
    const AfXdpSocket socket(options(1));
    FAIL() << "loopback has a second queue";
  } catch (const XdpError& error) {
    EXPECT_NE(std::strstr(error.what(), "lo: no socket for queue 1"), nullptr) << error.what();
  }
}

}  // namespace
}  // namespace wiretally
