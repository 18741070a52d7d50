// SPDX-License-Identifier: Apache-2.0
// The option table as JSON Schema (draft 7, which editors' YAML plug-ins read). What a schema
// cannot say, the checks over several keys, `wiretally check` does.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/describe.hpp"
#include "config/field_codec.hpp"
#include "config/options.hpp"
#include "config/yaml_writer.hpp"

namespace wiretally {
namespace {

using Json = nlohmann::ordered_json;

Json schema_of(const KeyNode& key);

Json words_of(const ValueRule& rule) {
  Json words = Json::array();
  for (const Choice& choice : rule.choices) {
    words.push_back(choice.word);
    // YAML reads `9` as a number: both are the same word here.
    const bool is_number = choice.word.find_first_not_of("0123456789") == std::string_view::npos;
    if (is_number) words.push_back(std::stoi(std::string(choice.word)));
  }
  return words;
}

Json integer_of(const ValueRule& rule) {
  Json schema = {{"type", "integer"}, {"minimum", rule.min}, {"maximum", rule.max}};
  if (rule.zero_word.empty()) return schema;
  schema["type"] = {"integer", "string"};
  schema["pattern"] = fmt::format("^{}$", rule.zero_word);
  return schema;
}

Json list_of(Json item, bool at_least_one) {
  Json schema = {{"type", "array"}, {"uniqueItems", true}, {"items", std::move(item)}};
  if (at_least_one) schema["minItems"] = 1;
  return schema;
}

std::string group_pattern(const ValueRule& rule) {
  std::string pattern = "^(";
  for (const Choice& choice : rule.choices) {
    if (pattern.size() > 2) pattern += '|';
    pattern += choice.word;
    if (choice.word.ends_with("net")) pattern += "/[0-9]+";
  }
  return pattern + ")$";
}

Json name_set_of(const ValueRule& rule, const Field& field) {
  Json names = Json::array();
  for (const auto& [name, flag] : std::get<NameSetField>(field).names) names.push_back(name);
  Json list = list_of({{"enum", names}}, rule.min > 0);
  if (rule.presets.empty()) return list;
  Json words = Json::array();
  for (const Preset& preset : rule.presets) words.push_back(preset.word);
  return {{"anyOf", Json::array({Json{{"enum", words}}, list})}};
}

Json text_of(const ValueRule& rule) {
  return {{"type", "string"}, {"minLength", rule.min}, {"maxLength", rule.max}};
}

Json value_of(const ValueRule& rule, const Field& field) {
  switch (rule.kind) {
    case ValueKind::kFlag:
      return {{"type", "boolean"}};
    case ValueKind::kInteger:
      return integer_of(rule);
    case ValueKind::kSize:
      return {{"type", {"string", "integer"}}, {"pattern", "^[0-9]+[kKMGT]?$"}};
    case ValueKind::kDuration:
      return {{"type", "string"}, {"pattern", "^([0-9]+(y|d|h|m|s|ms|us|\u00b5s|\u03bcs|ns))+$"}};
    case ValueKind::kText:
    case ValueKind::kIpAddress:
      return text_of(rule);
    case ValueKind::kEndpoint:
      return {{"type", "string"},
              {"pattern", rule.min == 0 ? "^$|^.+:[0-9]{1,5}$" : "^.+:[0-9]{1,5}$"}};
    case ValueKind::kPlace:
      return {{"type", "string"}, {"pattern", "^/|^.+:[0-9]{1,5}$"}};
    case ValueKind::kChoice:
      return {{"enum", words_of(rule)}};
    case ValueKind::kIntegerList:
      return list_of({{"type", "integer"}, {"minimum", rule.min}, {"maximum", rule.max}}, true);
    case ValueKind::kTextList:
      return list_of(text_of(rule), false);
    case ValueKind::kGroupList:
      return list_of({{"type", "string"}, {"pattern", group_pattern(rule)}}, false);
    case ValueKind::kWordList:
      return list_of({{"enum", words_of(rule)}}, false);
    case ValueKind::kNameSet:
      return name_set_of(rule, field);
    case ValueKind::kSection:
    case ValueKind::kEntries:
      break;
  }
  return {};
}

// A map of keys; `null` is a section without keys.
Json section_of(const std::vector<KeyNode>& keys, bool may_be_null) {
  Json schema = {{"type", may_be_null ? Json{"object", "null"} : Json("object")},
                 {"additionalProperties", false}};
  Json required = Json::array();
  for (const KeyNode& key : keys) {
    schema["properties"][std::string(key.name)] = schema_of(key);
    if (key.option->required) required.push_back(key.name);
  }
  if (!required.empty()) schema["required"] = required;
  return schema;
}

// The default as JSON: what the loader would read as a number or a flag is one here too.
Json default_of(const Option& option) {
  const std::string text = default_text(option);
  const Json parsed = Json::parse(text, nullptr, false);
  if (!parsed.is_discarded()) return parsed;
  const YamlTree tree = parse_yaml(text);
  if (tree.root.kind != YamlNode::Kind::kList) return text;
  Json words = Json::array();
  for (const YamlNode& item : tree.root.items) words.push_back(item.text);
  return words;
}

Json schema_of(const KeyNode& key) {
  const Option& option = *key.option;
  Json schema = {{"description", option.help}};
  if (option.value.kind == ValueKind::kSection) {
    schema.update(section_of(key.children, true));
  } else if (option.value.kind == ValueKind::kEntries) {
    schema.update(Json{{"type", {"array", "null"}},
                       {"maxItems", option.value.max},
                       {"items", section_of(key.children, false)}});
  } else {
    Config sample = example_config();
    schema.update(value_of(option.value, option.field(sample, 0)));
    if (!option.required) schema["default"] = default_of(option);
  }
  return schema;
}

}  // namespace

std::string json_schema() {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "wiretally configuration"}};
  schema.update(section_of(key_tree().children, false));
  schema["required"] = {"capture"};
  return schema.dump(2) + "\n";
}

}  // namespace wiretally
