// SPDX-License-Identifier: Apache-2.0
// The values of the live views as JSON objects and back, in nlohmann's way: to_json and from_json
// are found by their argument. Included by .cpp files only. Thread: any. Errors: from_json throws
// std::exception on what is not such an object.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>

#include "control/api/meter_view.hpp"

namespace wiretally {

// nlohmann's conversions, but a fraction or 1e300 is no count: turning a floating-point number into
// an integer that cannot hold it is undefined.
template <class T, class = void>
struct WholeNumbers : nlohmann::adl_serializer<T> {
  template <class From>
  static auto from_json(From&& json, T& value)
      -> decltype(nlohmann::adl_serializer<T>::from_json(std::forward<From>(json), value), void()) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      if (json.is_number_float()) throw std::invalid_argument("a whole number is meant");
    }
    nlohmann::adl_serializer<T>::from_json(std::forward<From>(json), value);
  }
};

// nlohmann::ordered_json (members stay in the order a reader expects) with whole numbers.
using Json =
    nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool, std::int64_t,
                         std::uint64_t, double, std::allocator, WholeNumbers>;

void to_json(Json& json, const Volume& volume);
void from_json(const Json& json, Volume& volume);
void to_json(Json& json, const PortStatus& port);
void from_json(const Json& json, PortStatus& port);
void to_json(Json& json, const WorkerStatus& worker);
void from_json(const Json& json, WorkerStatus& worker);
void to_json(Json& json, const TickStatus& tick);
void from_json(const Json& json, TickStatus& tick);
void to_json(Json& json, const Spread& spread);
void to_json(Json& json, const ProtocolStatus& protocol);
void to_json(Json& json, const RecordsStatus& records);
void from_json(const Json& json, Spread& spread);
void from_json(const Json& json, ProtocolStatus& protocol);
void from_json(const Json& json, RecordsStatus& records);
void to_json(Json& json, const FlowsStatus& flows);
void from_json(const Json& json, FlowsStatus& flows);
void to_json(Json& json, const SinkAccount& sink);
void from_json(const Json& json, SinkAccount& sink);
void to_json(Json& json, const HistoryStatus& history);
void from_json(const Json& json, HistoryStatus& history);
void to_json(Json& json, const Status& status);
void from_json(const Json& json, Status& status);

void to_json(Json& json, const DirectedVolume& volume);
void from_json(const Json& json, DirectedVolume& volume);
void to_json(Json& json, const GroupStatus& group);
void from_json(const Json& json, GroupStatus& group);
void to_json(Json& json, const QuotaStatus& quota);
void from_json(const Json& json, QuotaStatus& quota);
void to_json(Json& json, const MonitorSnapshot& monitor);
void from_json(const Json& json, MonitorSnapshot& monitor);

void to_json(Json& json, const LedgerTerm& term);
void from_json(const Json& json, LedgerTerm& term);
void to_json(Json& json, const LedgerLine& line);
void from_json(const Json& json, LedgerLine& line);
void to_json(Json& json, const Ledger& ledger);
void from_json(const Json& json, Ledger& ledger);

// Active flows are written by record_text: there may be many. They are only read here.
void from_json(const Json& json, FlowKey& key);
void from_json(const Json& json, ActiveFlow& flow);
void to_json(Json& json, const TopRow& row);
void from_json(const Json& json, TopRow& row);

}  // namespace wiretally
