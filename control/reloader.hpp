// SPDX-License-Identifier: Apache-2.0
// A reload from the file: what takes time (reading, checking, compiling filters) is done on the
// caller's thread, while metering and ticks go on; main only takes in what is ready.
#pragma once

#include <future>

#include "control/appliance.hpp"
#include "control/engine.hpp"
#include "control/order_queue.hpp"

namespace wiretally {

class Reloader {
 public:
  // All borrowed. `orders` must be closed before this goes.
  Reloader(Engine& engine, OrderQueue& orders, const ConfigFile& file)
      : engine_(engine), orders_(orders), file_(file) {}

  // Waits until it is done; one line in the log says what came of it. Throws StartupError: nothing
  // has changed. Thread: any but main.
  ReloadResult reload();
  // The same in the background, one after the other, with the log for an answer. Thread: main.
  void reload_soon();

 private:
  Engine& engine_;
  OrderQueue& orders_;
  const ConfigFile& file_;
  std::future<void> background_;
};

}  // namespace wiretally
