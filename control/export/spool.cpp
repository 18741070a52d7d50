// SPDX-License-Identifier: Apache-2.0
// See spool.hpp.
#include "control/export/spool.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "control/export/spool_entry.hpp"

namespace wiretally {
namespace {

using spool::Header;
using spool::kFormat;
using spool::kFullEntry;
using spool::kHeaderOctets;
using spool::kPlainEntry;

constexpr std::uint64_t kSegmentMax = 16ull << 20;
constexpr std::uint64_t kSegmentMin = 64ull << 10;

// All of it, or false.
bool read_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset) {
  while (!out.empty()) {
    const ssize_t n = pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

// How many octets went out; errno is set if not all.
std::size_t write_at(int fd, std::span<const std::uint8_t> octets, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < octets.size()) {
    const ssize_t n =
        pwrite(fd, octets.data() + done, octets.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void close_descriptor(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

Spool::Spool(std::string folder, std::uint64_t octets_max)
    : folder_(std::move(folder)),
      octets_max_(octets_max),
      segment_octets_(std::clamp(octets_max / 16, kSegmentMin, kSegmentMax)) {}

Spool::~Spool() {
  close();
}

std::string Spool::path_of(std::uint64_t number) const {
  return fmt::format("{}/{:08}.spool", folder_, number);
}

bool Spool::fail(const std::string& what) {
  trouble_ = fmt::format("spool {}: {}: {}", folder_, what, std::strerror(errno));
  return false;
}

bool Spool::open() {
  if (mkdir(folder_.c_str(), 0750) != 0 && errno != EEXIST) return fail("cannot be made");
  const std::string lock = folder_ + "/lock";
  lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (lock_ < 0) return fail("cannot be opened");
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    fail("is in use");
    close_descriptor(lock_);
    return false;
  }
  const std::string position = folder_ + "/position";
  position_ = ::open(position.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (position_ < 0) {
    fail("cannot be opened");
    close_descriptor(lock_);
    return false;
  }
  trouble_.clear();
  lost_ = 0;
  recover();
  return true;
}

void Spool::close() {
  if (is_open()) save_position();
  close_descriptor(writer_);
  close_descriptor(reader_);
  close_descriptor(position_);
  close_descriptor(lock_);
  segments_.clear();
  unread_ = read_ = {};
  handed_out_.clear();
  octets_ = 0;
  next_read_ = {};
}

// Segments in order; those before the position are done with.
void Spool::recover() {
  std::array<std::uint64_t, 2> position{};  // segment, settled entries of it
  read_at(position_, {reinterpret_cast<std::uint8_t*>(position.data()), sizeof position}, 0);
  std::vector<std::uint64_t> numbers;
  if (DIR* folder = opendir(folder_.c_str())) {
    while (const dirent* entry = readdir(folder)) {
      const std::string name = entry->d_name;
      const std::size_t digits = name.find_first_not_of("0123456789");
      if (digits == 0 || digits > 18 || name.substr(digits) != ".spool") continue;
      numbers.push_back(std::stoull(name.substr(0, digits)));
    }
    closedir(folder);
  }
  std::ranges::sort(numbers);
  if (!numbers.empty() && position[0] > numbers.back() + 1) {
    position = {};
    complain("its file `position` is damaged; what is there is sent, maybe again");
  }
  for (const std::uint64_t number : numbers) {
    next_number_ = std::max(next_number_, number + 1);
    if (number < position[0]) {
      unlink(path_of(number).c_str());
    } else {
      recover_segment(number, number == position[0] ? position[1] : 0, number == numbers.back());
    }
  }
}

// As many entries as are whole. Behind a damaged one nothing is guessed at: it is counted as lost
// and the file kept. The last segment may end in a part of an entry: a killed process leaves that.
void Spool::recover_segment(std::uint64_t number, std::uint64_t settled, bool last) {
  const int fd = ::open(path_of(number).c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts {};
  Header header;
  const bool readable = fd >= 0 && fstat(fd, &facts) == 0 &&
                        read_at(fd, {reinterpret_cast<std::uint8_t*>(&header), sizeof header}, 0) &&
                        header.magic == Header{}.magic && header.format == kFormat &&
                        (header.entry_octets == kPlainEntry || header.entry_octets == kFullEntry);
  if (!readable) {
    if (fd >= 0) ::close(fd);
    return set_aside(number);
  }
  Segment segment{number, header.entry_octets, 0, 0};
  const std::uint64_t octets = static_cast<std::uint64_t>(facts.st_size);
  const std::uint64_t most =
      octets < kHeaderOctets ? 0 : (octets - kHeaderOctets) / segment.entry_octets;
  if (settled > most) {
    complain("its file `position` is damaged; what is there is sent, maybe again");
    settled = 0;
  }
  std::vector<std::uint8_t> entry(segment.entry_octets);
  while (segment.entries < most &&
         read_at(fd, entry, kHeaderOctets + segment.entries * segment.entry_octets) &&
         spool::is_whole(entry)) {
    if (segment.entries >= settled) unread_.add(spool::record_of(entry));
    ++segment.entries;
  }
  ::close(fd);
  segment.settled = std::min(settled, segment.entries);
  const std::uint64_t lost = most - std::max(segment.entries, settled);
  const bool cut = octets > kHeaderOctets && (octets - kHeaderOctets) % segment.entry_octets != 0;
  if (lost > 0 || (cut && !last)) keep_damaged(number, lost);
  if (segment.settled == segment.entries) {
    unlink(path_of(number).c_str());
    return;
  }
  octets_ += kHeaderOctets + segment.entries * segment.entry_octets;
  if (segments_.empty()) next_read_ = {0, segment.settled};
  segments_.push_back(segment);
}

void Spool::complain(const std::string& what) {
  trouble_ += fmt::format("{}spool {}: {}", trouble_.empty() ? "" : "; ", folder_, what);
}

// What cannot be read stays for a person to look at, and is not ours any more.
void Spool::set_aside(std::uint64_t number) {
  const std::string path = path_of(number);
  rename(path.c_str(), (path + ".unreadable").c_str());
  complain(
      fmt::format("{:08}.spool is of another version or damaged; it is now {:08}.spool.unreadable",
                  number, number));
}

// The file goes when its good records are sent; a second name for it stays.
void Spool::keep_damaged(std::uint64_t number, std::uint64_t lost) {
  const std::string path = path_of(number);
  const bool kept = link(path.c_str(), (path + ".unreadable").c_str()) == 0 || errno == EEXIST;
  lost_ += lost;
  complain(fmt::format("{:08}.spool is damaged: {} records cannot be read back{}", number,
                       lost == 0 ? "its last" : std::to_string(lost),
                       kept ? "; it stays as .spool.unreadable" : ""));
}

bool Spool::begin_segment(std::size_t entry_octets) {
  close_descriptor(writer_);
  writer_ = ::open(path_of(next_number_).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (writer_ < 0) return fail("cannot make a segment");
  std::array<std::uint8_t, kHeaderOctets> octets{};
  Header header;
  header.entry_octets = static_cast<std::uint32_t>(entry_octets);
  std::memcpy(octets.data(), &header, sizeof header);
  if (write_at(writer_, octets, 0) != octets.size()) {
    fail("cannot be written");
    close_descriptor(writer_);
    unlink(path_of(next_number_).c_str());
    return false;
  }
  if (segments_.empty()) next_read_ = {};
  segments_.push_back({next_number_++, entry_octets, 0, 0});
  octets_ += kHeaderOctets;
  return true;
}

std::size_t Spool::append(std::span<const FlowRecord> records) {
  std::size_t done = 0;
  full_ = false;
  while (done < records.size() && !full_) {
    const auto entry_octets = [](const FlowRecord& record) {
      return record.attributes == nullptr ? kPlainEntry : kFullEntry;
    };
    // A segment with room for attributes takes records without them, too.
    const std::size_t first = entry_octets(records[done]);
    const bool open = writer_ >= 0 && segments_.back().entry_octets >= first;
    const std::size_t size = open ? segments_.back().entry_octets : first;
    std::size_t end = done;
    while (end < records.size() && entry_octets(records[end]) <= size) ++end;
    done += append_run(records.subspan(done, end - done), size);
  }
  return done;
}

// Records into the last segment or a new one, as far as they fit there; sets full_ if they do not
// fit at all.
std::size_t Spool::append_run(std::span<const FlowRecord> records, std::size_t entry_octets) {
  const auto filled = [&] {
    return kHeaderOctets + segments_.back().entries * segments_.back().entry_octets;
  };
  const bool usable = writer_ >= 0 && segments_.back().entry_octets == entry_octets &&
                      filled() + entry_octets <= segment_octets_;
  const std::uint64_t left = octets_max_ - std::min(octets_max_, octets_);
  const std::uint64_t header = usable ? 0 : kHeaderOctets;
  if (left < header + entry_octets || (!usable && !begin_segment(entry_octets))) {
    full_ = true;
    return 0;
  }
  Segment& segment = segments_.back();
  const std::uint64_t room = std::min((left - header), segment_octets_ - filled()) / entry_octets;
  const std::size_t count = std::min<std::uint64_t>(records.size(), room);
  std::vector<std::uint8_t> octets(count * entry_octets);
  for (std::size_t i = 0; i < count; ++i) {
    spool::write_entry(records[i], std::span(octets).subspan(i * entry_octets, entry_octets));
  }
  const std::size_t done = write_at(writer_, octets, filled()) / entry_octets;
  segment.entries += done;
  unread_ += sum_of(records.first(done));
  octets_ += done * entry_octets;
  if (done < count) {
    fail("cannot be written");
    full_ = true;
  }
  return done;
}

bool Spool::open_for_reading(std::uint64_t number) {
  if (reader_ >= 0 && reader_number_ == number) return true;
  close_descriptor(reader_);
  reader_ = ::open(path_of(number).c_str(), O_RDONLY | O_CLOEXEC);
  reader_number_ = number;
  return reader_ >= 0 || fail("cannot be read");
}

RecordBatchPtr Spool::read(std::size_t max) {
  if (unread() == 0 || max == 0) return nullptr;
  while (next_read_.entry == segments_[next_read_.segment].entries) {
    next_read_ = {next_read_.segment + 1, 0};
  }
  const Segment& segment = segments_[next_read_.segment];
  if (!open_for_reading(segment.number)) return nullptr;
  const std::size_t count = std::min<std::uint64_t>(max, segment.entries - next_read_.entry);
  std::vector<std::uint8_t> octets(count * segment.entry_octets);
  if (!read_at(reader_, octets, kHeaderOctets + next_read_.entry * segment.entry_octets)) {
    fail("cannot be read");
    return nullptr;
  }
  auto batch = std::make_shared<RecordBatch>();
  batch->reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    spool::read_entry(std::span(octets).subspan(i * segment.entry_octets, segment.entry_octets),
                      *batch);
  }
  next_read_.entry += count;
  const RecordSum sum = sum_of(*batch);
  unread_ -= sum;
  read_ += sum;
  handed_out_.push_back({batch, 0, count});
  return batch;
}

void Spool::settle(std::uint64_t records) {
  if (records == 0) return;
  read_ -= remove_oldest(handed_out_, records);
  while (records != 0) {
    Segment& first = segments_.front();
    const std::uint64_t here = std::min(records, first.entries - first.settled);
    first.settled += here;
    records -= here;
    if (first.settled < first.entries) break;
    remove_first_segment();
  }
  save_position();
}

void Spool::remove_first_segment() {
  const Segment& first = segments_.front();
  if (reader_number_ == first.number) close_descriptor(reader_);
  if (segments_.size() == 1) close_descriptor(writer_);
  unlink(path_of(first.number).c_str());
  octets_ -= kHeaderOctets + first.entries * first.entry_octets;
  segments_.pop_front();
  if (next_read_.segment != 0) {
    --next_read_.segment;
  } else {
    next_read_ = {};
  }
}

void Spool::save_position() {
  std::array<std::uint64_t, 2> position = {next_number_, 0};
  if (!segments_.empty()) position = {segments_.front().number, segments_.front().settled};
  const auto* octets = reinterpret_cast<const std::uint8_t*>(position.data());
  if (write_at(position_, {octets, sizeof position}, 0) != sizeof position) {
    fail("cannot be written");
  }
}

void Spool::rewind() {
  if (segments_.empty()) return;
  next_read_ = {0, segments_.front().settled};
  unread_ += read_;
  read_ = {};
  handed_out_.clear();
}

}  // namespace wiretally
