// SPDX-License-Identifier: Apache-2.0
// The keys as the text below `wiretally run --help`: one paragraph a key, sections as headings.
#include <fmt/format.h>

#include "config/describe.hpp"
#include "config/field_codec.hpp"
#include "config/options.hpp"
#include "config/yaml_writer.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kWidth = 100;

std::string paragraph(const Option& option, Config& sample) {
  std::string text = fmt::format("  {}", option.path);
  if (option.value.kind != ValueKind::kSection) {
    text += fmt::format("  ({})", describe_rule(option.value, option.field(sample, 0)));
    const std::string shown = default_text(option);
    if (option.required) text += "  [required]";
    if (!shown.empty()) text += fmt::format("  [{}]", shown);
  }
  return text + '\n' + wrapped(std::string(option.help), "      ", kWidth);
}

}  // namespace

std::string option_help() {
  std::string text =
      "Keys of the configuration, for --config FILE and --set KEY=VALUE (type) [default]:\n";
  Config sample = example_config();
  for (const Option& option : options()) text += paragraph(option, sample);
  return text;
}

}  // namespace wiretally
