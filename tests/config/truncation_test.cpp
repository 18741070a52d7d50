// SPDX-License-Identifier: Apache-2.0
// Broken input of every length and kind: the loader answers with a StartupError or a Config,
// nothing else. Run with ASan and UBSan this is a small fuzzer.
#include <random>

#include "tests/config/support.hpp"

namespace wiretally {
namespace {

// Any other exception than StartupError ends the test; returns whether the text loaded.
bool loads(const std::string& text) {
  try {
    (void)load_config_text(text, "f.yaml");
    return true;
  } catch (const StartupError& error) {
    EXPECT_STRNE(error.what(), "");
    return false;
  }
}

TEST(BrokenInput, every_truncation_of_the_reference_page_is_answered) {
  const std::string text = source_file("config/reference.yaml");
  std::size_t loaded = 0;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    loaded += loads(text.substr(0, size)) ? 1 : 0;
  }
  EXPECT_GT(loaded, 0u);
  EXPECT_LT(loaded, text.size());
  EXPECT_TRUE(loads(text));
}

TEST(BrokenInput, every_truncation_of_the_contract_is_answered) {
  const std::string text = source_file("tests/config/contract.yaml");
  std::size_t refused = 0;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    refused += loads(text.substr(0, size)) ? 0 : 1;
  }
  EXPECT_GT(refused, text.size() / 4);
  EXPECT_TRUE(loads(text));
}

// Octets changed, removed and doubled at random, with a preference for what YAML gives a meaning.
TEST(BrokenInput, random_damage_to_the_contract_is_answered) {
  const std::string good = source_file("tests/config/contract.yaml");
  const std::string signs = "{}[]:,-\"'&*!|>%@`# \n\t?~0";
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  std::size_t refused = 0;
  constexpr int kRounds = 2000;
  for (int round = 0; round < kRounds; ++round) {
    std::string text = good;
    for (int change = 0; change < 1 + round % 5; ++change) {
      const std::size_t at = random() % text.size();
      const std::string sign(
          1, random() % 8 == 0 ? static_cast<char>(random()) : signs[random() % signs.size()]);
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 4);
      } else if (random() % 2 == 0) {
        text.insert(at, sign);
      } else {
        text[at] = sign[0];
      }
    }
    refused += loads(text) ? 0 : 1;
  }
  EXPECT_GT(refused, kRounds / 4u) << "seed " << seed;
  EXPECT_LT(refused, static_cast<std::size_t>(kRounds)) << "seed " << seed;
}

TEST(BrokenInput, random_octets_are_refused) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    std::string text(1 + random() % 600, '\0');
    for (char& c : text) c = static_cast<char>(random());
    EXPECT_FALSE(loads(text)) << "seed " << seed;
  }
}

TEST(BrokenInput, deep_nesting_is_refused_in_time) {
  for (const char* opener : {"[", "{", "- ", "a: {", "? ", "[{a: "}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += opener;
    EXPECT_FALSE(loads(text)) << opener;
  }
  std::string indented;
  for (int i = 0; i < 500; ++i) indented += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_EQ(load_error(indented).rfind("f.yaml:33:33: nested deeper than 32 levels", 0), 0u)
      << load_error(indented);
}

TEST(BrokenInput, aliases_cannot_multiply_without_bound) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string n = std::to_string(i);
    const std::string alias = "*a" + std::to_string(i - 1);
    text += "a" + n + ": &a" + n + " [" + alias;
    for (int j = 0; j < 8; ++j) text += ", " + alias;
    text += "]\n";
  }
  EXPECT_NE(load_error(text).find("more than 200000 values, aliases included"), std::string::npos)
      << load_error(text);
}

}  // namespace
}  // namespace wiretally
