// SPDX-License-Identifier: Apache-2.0
// The values of the live views as JSON objects and back, in nlohmann's way: to_json and from_json
// are found by their argument. Included by .cpp files only. Thread: any. Errors: from_json throws
// std::exception on what is not such an object.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "control/api/meter_view.hpp"

namespace wiretally {

using Json = nlohmann::ordered_json;  // members stay in the order a reader expects

void to_json(Json& json, const Volume& volume);
void from_json(const Json& json, Volume& volume);
void to_json(Json& json, const PortStatus& port);
void from_json(const Json& json, PortStatus& port);
void to_json(Json& json, const WorkerStatus& worker);
void from_json(const Json& json, WorkerStatus& worker);
void to_json(Json& json, const TickStatus& tick);
void from_json(const Json& json, TickStatus& tick);
void to_json(Json& json, const FlowsStatus& flows);
void from_json(const Json& json, FlowsStatus& flows);
void to_json(Json& json, const SinkAccount& sink);
void from_json(const Json& json, SinkAccount& sink);
void to_json(Json& json, const Status& status);
void from_json(const Json& json, Status& status);

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
