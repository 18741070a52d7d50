// SPDX-License-Identifier: Apache-2.0
// Memory of record batches, used again when every sink has let go of one: a tick that ends a
// hundred thousand flows would else have the kernel clear 13 MB for it, each time. Thread: any.
// Memory: no more than `records_max` records are kept for later.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "control/merge/flow_record.hpp"

namespace wiretally {

class RecordPool {
 public:
  explicit RecordPool(std::size_t records_max) : kept_(std::make_shared<Kept>(records_max)) {}

  // An empty batch.
  RecordBatch take() { return kept_->take(); }
  // Comes back to the pool with its last pointer, also when the pool itself is gone.
  RecordBatchPtr share(RecordBatch&& batch) {
    return {new RecordBatch(std::move(batch)), [kept = kept_](RecordBatch* done) {
              kept->put(std::move(*done));
              delete done;
            }};
  }

 private:
  struct Kept {
    explicit Kept(std::size_t max) : records_max(max) {}

    RecordBatch take() {
      const std::lock_guard lock(mutex);
      if (batches.empty()) return {};
      RecordBatch batch = std::move(batches.back());
      batches.pop_back();
      records -= batch.capacity();
      return batch;
    }
    void put(RecordBatch&& batch) {
      batch.clear();
      batch.attributes.clear();
      const std::lock_guard lock(mutex);
      if (records + batch.capacity() > records_max) return;  // and is freed by its owner
      records += batch.capacity();
      batches.push_back(std::move(batch));
    }

    const std::size_t records_max;
    std::mutex mutex;
    std::vector<RecordBatch> batches;
    std::size_t records = 0;
  };

  std::shared_ptr<Kept> kept_;
};

}  // namespace wiretally
