// SPDX-License-Identifier: Apache-2.0
// What `read --fields` can name: each column of the contract's CSV and each attribute of a flow,
// with its text form. IANA names are taken too. Thread: any (a constant table).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/merge/flow_record.hpp"

namespace wiretally {

inline constexpr std::size_t kFieldTextMax = 256;  // octets of one field's text at most

struct RecordField {
  // Writes the text, nothing if it is not known of this record; returns the new end.
  using Put = char* (*)(char* out, const FlowRecord& record);

  std::string_view name;
  std::string_view element;  // its IANA name; "" without one
  Put put;
  bool text = false;       // in quotes in JSON
  bool attribute = false;  // needs FlowRecord::attributes
  std::string_view help;
};

using RecordFields = std::vector<const RecordField*>;

// "src,dst,ttl_min", "+ttl_min" (the contract's columns, then these), "all". Throws StartupError
// (kUsage) for a name that is none, with the nearest one.
RecordFields parse_fields(std::string_view list);

// What stands for a field in JSON: times are integers there, as a number with a fraction loses its
// nanoseconds in most readers.
const RecordField& json_field(const RecordField& field);

// True if a sink of these fields needs records with attributes.
bool any_attribute(const RecordFields& fields);

// One line a field: for --help.
std::string fields_help();

}  // namespace wiretally
