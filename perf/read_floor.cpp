// SPDX-License-Identifier: Apache-2.0
// The floor under every reader of captures: libpcap's loop over a file, counting. What a peer costs
// beyond this is its metering. Prints packets and frame octets. Thread: one.
#include <pcap/pcap.h>

#include <cstdint>
#include <cstdio>

namespace {

struct Sum {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
};

void count(u_char* user, const pcap_pkthdr* header, const u_char*) {
  auto* sum = reinterpret_cast<Sum*>(user);
  ++sum->packets;
  sum->octets += header->len;
}

}  // namespace

int main(int argc, char** argv) {
  char error[PCAP_ERRBUF_SIZE] = "usage: read_floor FILE";
  pcap_t* file = argc == 2 ? pcap_open_offline(argv[1], error) : nullptr;
  if (file == nullptr) {
    std::fprintf(stderr, "%s\n", error);
    return 2;
  }
  Sum sum;
  const int result = pcap_loop(file, -1, count, reinterpret_cast<u_char*>(&sum));
  pcap_close(file);
  std::printf("%lu %lu\n", sum.packets, sum.octets);
  return result == 0 ? 0 : 3;
}
