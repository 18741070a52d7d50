// SPDX-License-Identifier: Apache-2.0
// What the control socket may ask of a running meter: views are answered at once, orders are given
// to main and carried out between two ticks. Thread: any (the control server's).
#pragma once

#include "control/api/meter_view.hpp"
#include "control/engine.hpp"
#include "control/order_queue.hpp"
#include "control/reloader.hpp"

namespace wiretally {

class ServiceView final : public MeterView {
 public:
  // All borrowed.
  ServiceView(Engine& engine, OrderQueue& orders, Reloader& reloader)
      : engine_(engine), orders_(orders), reloader_(reloader) {}

  [[nodiscard]] StatusPtr status() const override { return engine_.board().latest(); }
  ActiveFlows active_flows(const FlowQuery& query) override;
  TopRows top(TopDimension dimension, std::size_t limit, const std::string& filter) override;
  std::vector<MonitorSnapshot> monitors(const MonitorQuery& query) override;
  void request_stop(Leave last) override;

  SweptFlows sweep(Leave how, const std::string& filter) override;
  std::size_t send_templates() override;
  ReloadResult reload() override;
  void set_paused(bool paused) override;
  FlowsConfig flows_config() override;
  std::string log_level(const std::string& level) override;

 private:
  Engine& engine_;
  OrderQueue& orders_;
  Reloader& reloader_;
};

}  // namespace wiretally
