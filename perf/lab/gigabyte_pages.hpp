// SPDX-License-Identifier: Apache-2.0
// Memory that is mapped while one of these lives is on pages of 1 GiB, or mapping it fails:
//   echo 1 > /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
// meter_bench is linked with --wrap=mmap64 for it. Thread: the bench's only one.
#pragma once

namespace wiretally::perf {

class GigabytePages {
 public:
  GigabytePages();
  ~GigabytePages();
  GigabytePages(const GigabytePages&) = delete;
  GigabytePages& operator=(const GigabytePages&) = delete;
};

}  // namespace wiretally::perf
