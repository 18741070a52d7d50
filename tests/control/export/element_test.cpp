// SPDX-License-Identifier: Apache-2.0
// The element table, the layouts made of it, and what identifies the exporter.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <set>

#include "control/export/record_layout.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

TEST(InformationElements, are_found_by_number_and_by_iana_name) {
  ASSERT_NE(find_element(152), nullptr);
  EXPECT_EQ(find_element(152)->name, "flowStartMilliseconds");
  ASSERT_NE(find_element("octetDeltaCount"), nullptr);
  EXPECT_EQ(find_element("octetDeltaCount")->number, Element::kOctetDeltaCount);
  EXPECT_EQ(find_element(std::uint16_t{9999}), nullptr);
  EXPECT_EQ(find_element("bytes"), nullptr);
}

TEST(InformationElements, have_the_length_of_their_type) {
  constexpr std::uint16_t kLength[] = {1, 2, 4, 8, 65535, 4, 16,
                                       6, 1, 3, 4, 8,     8, 8};  // by ElementType; octets: labels
  for (const InformationElement& element : information_elements()) {
    EXPECT_EQ(element.length, kLength[static_cast<std::size_t>(element.type)]) << element.name;
  }
}

TEST(InformationElements, of_the_exporter_itself_have_no_reverse) {
  for (const std::uint16_t number : {34, 40, 41, 42, 149, 163, 164, 165, 166, 167, 168, 173}) {
    EXPECT_FALSE(find_element(number)->reversible) << number;
  }
  for (const std::uint16_t number : {1, 2, 6, 136, 152, 153, 352}) {
    EXPECT_TRUE(find_element(number)->reversible) << number;
  }
}

TEST(RecordLayout, ids_are_fixed_and_distinct) {
  std::set<std::uint16_t> ids;
  std::uint16_t expected = 256;
  for (const RecordTemplate& description : make_layout({})) {
    EXPECT_EQ(description.id(), expected++);
    ids.insert(description.id());
  }
  EXPECT_EQ(ids.size(), kRecordKinds);
}

TEST(RecordLayout, every_ip_template_says_protocol_and_ip_version) {
  for (const RecordTemplate& description : make_layout({})) {
    std::set<Element> elements;
    for (const FieldSpecifier& field : description.fields()) elements.insert(field.element);
    if (elements.count(Element::kEthernetType) != 0) continue;
    EXPECT_EQ(elements.count(Element::kProtocolIdentifier), 1u) << description.id();
    EXPECT_EQ(elements.count(Element::kIpVersion), 1u) << description.id();
  }
}

// The n-th bit stands for the n-th element of the Template (IANA 173).
TEST(RecordLayout, flow_key_indicator_names_what_a_coarse_record_still_holds) {
  const auto layout = make_layout({});
  const RecordTemplate& description = layout[static_cast<std::size_t>(RecordKind::kCoarseIpv4)];
  const auto indicated = [&](CoarseLevel level) {
    const FlowRecord record = coarse(level);
    const FlowRecord* const one = &record;
    std::vector<std::uint8_t> wire(description.record_octets());
    description.write_records({&one, 1}, wire.data());
    std::uint64_t bits = 0;
    for (std::size_t i = wire.size() - 8; i < wire.size(); ++i) bits = bits << 8 | wire[i];
    std::set<unsigned> numbers;
    for (std::size_t i = 0; i < description.fields().size(); ++i) {
      if (bits >> i & 1) numbers.insert(static_cast<unsigned>(description.fields()[i].element));
    }
    return numbers;
  };
  EXPECT_EQ(indicated(CoarseLevel::kNoPorts), (std::set<unsigned>{4, 8, 12, 60}));
  EXPECT_EQ(indicated(CoarseLevel::kDestinationHost), (std::set<unsigned>{12, 60}));
  EXPECT_EQ(indicated(CoarseLevel::kSourceHost), (std::set<unsigned>{8, 60}));
  EXPECT_EQ(indicated(CoarseLevel::kProtocol), (std::set<unsigned>{4, 10, 60}));
}

TEST(ObservationDomainId, is_the_configured_one_or_stable_and_never_zero) {
  EXPECT_EQ(observation_domain_id(77), 77u);
  const std::string path = testing::TempDir() + "machine-id-" + std::to_string(getpid());
  std::ofstream(path) << "0123456789abcdef0123456789abcdef\n";
  const std::uint32_t id = observation_domain_id(0, path);
  EXPECT_NE(id, 0u);
  EXPECT_EQ(observation_domain_id(0, path), id);
  std::ofstream(path) << "ffffffffffffffffffffffffffffffff\n";
  EXPECT_NE(observation_domain_id(0, path), id);
  std::remove(path.c_str());
  EXPECT_NE(observation_domain_id(0, path), 0u) << "falls back to the host name";
}

}  // namespace
}  // namespace wiretally::test
