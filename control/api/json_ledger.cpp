// SPDX-License-Identifier: Apache-2.0
// The ledger as JSON objects and back.
// Thread: any.
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "control/api/json_objects.hpp"

namespace wiretally {
namespace {

constexpr std::array<std::string_view, 4> kUnitNames = {"packets", "octets", "l2_octets",
                                                        "records"};

std::string_view name_of(LedgerUnit unit) {
  return kUnitNames.at(static_cast<std::size_t>(unit));
}

LedgerUnit unit_of(const std::string& name) {
  for (std::size_t i = 0; i < kUnitNames.size(); ++i) {
    if (kUnitNames[i] == name) return static_cast<LedgerUnit>(i);
  }
  throw std::runtime_error("\"" + name + "\" is no unit of the ledger");
}

}  // namespace

void to_json(Json& json, const LedgerTerm& term) {
  json = {{"name", term.name}, {"value", term.value}};
}

void from_json(const Json& json, LedgerTerm& term) {
  json.at("name").get_to(term.name);
  json.at("value").get_to(term.value);
}

void to_json(Json& json, const LedgerLine& line) {
  json = {{"stage", line.stage}, {"subject", line.subject}, {"unit", name_of(line.unit)},
          {"total", line.total}, {"parts", line.parts},     {"imbalance", line.imbalance()}};
}

void from_json(const Json& json, LedgerLine& line) {
  json.at("stage").get_to(line.stage);
  json.at("subject").get_to(line.subject);
  line.unit = unit_of(json.at("unit").get<std::string>());
  json.at("total").get_to(line.total);
  json.at("parts").get_to(line.parts);
}

void to_json(Json& json, const Ledger& ledger) {
  json = {{"balanced", ledger.balanced()},
          {"imbalance_packets", ledger.imbalance_packets()},
          {"lines", ledger.lines}};
}

void from_json(const Json& json, Ledger& ledger) {
  json.at("lines").get_to(ledger.lines);
}

}  // namespace wiretally
