// SPDX-License-Identifier: Apache-2.0
// See spool_entry.hpp.
#include "control/export/spool_entry.hpp"

#include <zlib.h>

#include <cstring>

namespace wiretally::spool {
namespace {

std::uint32_t checksum_of(std::span<const std::uint8_t> entry) {
  const auto rest = entry.subspan(sizeof(Mark::checksum));
  return static_cast<std::uint32_t>(crc32(0, rest.data(), static_cast<uInt>(rest.size())));
}

}  // namespace

void write_entry(const FlowRecord& record, std::span<std::uint8_t> entry) {
  FlowRecord kept = record;
  kept.attributes = nullptr;
  Mark mark;
  mark.has_attributes = record.attributes != nullptr ? 1 : 0;
  std::memcpy(entry.data(), &mark, sizeof mark);
  std::memcpy(entry.data() + sizeof mark, &kept, sizeof kept);
  if (entry.size() == kFullEntry) {
    const FlowAttributes attributes =
        record.attributes == nullptr ? FlowAttributes{} : *record.attributes;
    std::memcpy(entry.data() + kPlainEntry, &attributes, sizeof attributes);
  }
  mark.checksum = checksum_of(entry);
  std::memcpy(entry.data(), &mark.checksum, sizeof mark.checksum);
}

bool is_whole(std::span<const std::uint8_t> entry) {
  std::uint32_t checksum = 0;
  std::memcpy(&checksum, entry.data(), sizeof checksum);
  return checksum == checksum_of(entry);
}

FlowRecord record_of(std::span<const std::uint8_t> entry) {
  FlowRecord record;
  std::memcpy(static_cast<void*>(&record), entry.data() + sizeof(Mark), sizeof record);
  return record;
}

void read_entry(std::span<const std::uint8_t> entry, RecordBatch& out) {
  Mark mark;
  std::memcpy(&mark, entry.data(), sizeof mark);
  FlowRecord record = record_of(entry);
  if (mark.has_attributes != 0 && entry.size() == kFullEntry) {
    FlowAttributes& attributes = out.attributes.emplace_back();
    std::memcpy(static_cast<void*>(&attributes), entry.data() + kPlainEntry, sizeof attributes);
    record.attributes = &attributes;
  }
  out.push_back(record);
}

}  // namespace wiretally::spool
