#include "storage/segment_reader.hpp"

#include "storage/key_filter.hpp"
#include "storage/segment_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ebb {

namespace {

constexpr const char* database_name = "entries";
constexpr const char* damaged_hint = "restore the file from a copy, or start from an older "
                                     "checkpoint; `ebb verify` lists all damage";
constexpr std::size_t first_read_bytes = 64 * 1024;

result<owned_file> open_to_fill(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0)
    return system_error(path, "open");
  return owned_file{descriptor, path};
}

} // namespace

segment_reader::segment_reader(owned_file file, segment_trailer trailer, segment_fetch fetch)
    : file_(std::move(file)), trailer_(std::move(trailer)), fetch_(std::move(fetch)),
      verified_(trailer_.block_hashes.size()), unverified_(trailer_.block_hashes.size()) {}

segment_reader::~segment_reader() {
  if (filter_ != nullptr)
    ::munmap(const_cast<char*>(filter_), filter_map_bytes_);
}

error segment_reader::damaged(const std::string& what) const {
  return make_error(ec::corrupt, file_.path() + ": segment is damaged: " + what, damaged_hint);
}

error segment_reader::damaged(std::uint32_t block) const {
  const auto offset = std::uint64_t{block} * segment_block_bytes;
  const auto end = std::min<std::uint64_t>(offset + segment_block_bytes, trailer_.body_offset);
  return damaged(
      fmt::format("the checksum of block {} (bytes {} to {}) differs", block, offset, end - 1));
}

result<std::unique_ptr<segment_reader>> segment_reader::open(const std::string& path) {
  EBB_ASSIGN(auto file, owned_file::open_to_read(path));
  EBB_ASSIGN(const auto bytes, file.size());
  EBB_ASSIGN(auto reader, open(std::move(file), bytes, nullptr));
  EBB_TRY(reader->open_pages());
  return reader;
}

result<std::unique_ptr<segment_reader>> segment_reader::open(const std::string& path,
                                                             const segment_expectation& expected,
                                                             segment_fetch fetch) {
  auto file = fetch ? open_to_fill(path) : owned_file::open_to_read(path);
  if (!file) {
    auto problem = std::move(file).error();
    if (problem.code == ec::not_found) {
      problem.message = path + ": segment is missing";
      problem.hint = "restore the file from a copy, or start from an older checkpoint";
    }
    return problem;
  }
  EBB_ASSIGN(const auto bytes, file->size());
  if (bytes != expected.info.bytes)
    return make_error(ec::corrupt,
                      fmt::format("{}: segment has {} bytes, its checkpoint record says {}", path,
                                  bytes, expected.info.bytes),
                      damaged_hint);
  EBB_ASSIGN(auto reader, open(*std::move(file), bytes, std::move(fetch)));
  // Before any block is fetched: what another file lacks is not looked for under this one's name.
  EBB_TRY(reader->check(expected));
  EBB_TRY(reader->open_pages());
  return reader;
}

result<std::unique_ptr<segment_reader>> segment_reader::open(owned_file file, std::uint64_t bytes,
                                                             segment_fetch fetch) {
  if (bytes < segment_tail_bytes)
    return make_error(
        ec::corrupt,
        fmt::format("{}: segment is damaged: it has only {} bytes", file.path(), bytes),
        damaged_hint);
  std::string end(std::min<std::uint64_t>(bytes, first_read_bytes), '\0');
  EBB_TRY(file.read_at(bytes - end.size(), end.data(), end.size()));
  EBB_ASSIGN(
      const auto tail,
      read_tail(std::string_view{end}.substr(end.size() - segment_tail_bytes), bytes, file.path()));
  const auto wanted = static_cast<std::size_t>(bytes - tail.body_offset);
  if (wanted > end.size()) {
    end.resize(wanted);
    EBB_TRY(file.read_at(tail.body_offset, end.data(), wanted));
  } else {
    end.erase(0, end.size() - wanted);
  }
  EBB_ASSIGN(auto trailer, read_trailer(std::move(end), file.path()));
  std::unique_ptr<segment_reader> reader{
      new segment_reader{std::move(file), std::move(trailer), std::move(fetch)}};
  const auto& x = reader->trailer_;
  reader->info_ = {.id = file_name_of(reader->file_.path()),
                   .kind = x.identity.kind,
                   .epoch = x.identity.epoch,
                   .bytes = bytes,
                   .digest = x.digest,
                   .entries = x.puts + x.erases + x.erased_prefixes,
                   .first_key_group = x.identity.first_key_group,
                   .last_key_group = x.identity.last_key_group};
  return reader;
}

result<void> segment_reader::check(const segment_expectation& expected) const {
  const auto& identity = trailer_.identity;
  const auto refuse = [&](ec code, const std::string& what, const char* hint) {
    return make_error(code, file_.path() + ": " + what, hint);
  };
  if (identity.stream_uid != expected.stream_uid)
    return refuse(ec::conflict,
                  "segment belongs to stream " + identity.stream_uid + ", not to "
                      + expected.stream_uid,
                  "the file was put here from another data folder: restore the right one");
  if (identity.key_groups != expected.key_groups)
    return refuse(ec::conflict,
                  fmt::format("segment has {} key groups, the stream has {}", identity.key_groups,
                              expected.key_groups),
                  "maxParallelism is fixed for the life of the state: set it back, or start fresh");
  if (info_.digest != expected.info.digest)
    return refuse(ec::conflict, "segment is not the file that its checkpoint record names",
                  "its digest differs: restore the right file from a copy");
  if (info_.entries != expected.info.entries || info_.epoch != expected.info.epoch
      || info_.kind != expected.info.kind || info_.first_key_group != expected.info.first_key_group
      || info_.last_key_group != expected.info.last_key_group)
    return refuse(ec::corrupt, "checkpoint record and segment contradict each other", damaged_hint);
  return {};
}

result<void> segment_reader::open_pages() {
  if (static_cast<long>(trailer_.page_bytes) != ::sysconf(_SC_PAGESIZE))
    return make_error(ec::unsupported,
                      fmt::format("{}: segment has pages of {} bytes, this machine of {}",
                                  file_.path(), trailer_.page_bytes, ::sysconf(_SC_PAGESIZE)),
                      "open it on a machine like the one that wrote it");
  for (const auto block : trailer_.open_blocks)
    EBB_TRY(verify(block));
  EBB_ASSIGN(environment_,
             lmdb_environment::open(file_.path(), {.read_only = true,
                                                   .locked = false,
                                                   .map_bytes = trailer_.page_area_bytes,
                                                   .databases = 1}));
  EBB_ASSIGN(transaction_, environment_->begin_read());
  EBB_ASSIGN(database_, transaction_->open(database_name, false));
  EBB_ASSIGN(point_, transaction_->cursor(database_));
  return trailer_.erased_prefixes == 0 ? result<void>{} : read_hidden();
}

result<void> segment_reader::read_hidden() {
  std::vector<erased_prefix> prefixes;
  const stored_key start{segment_area::erased_prefixes, 0, 0, {}};
  auto run = run_of(start.view());
  EBB_TRY(verify_run(run));
  EBB_TRY(verify_run(run + 1));
  EBB_ASSIGN(auto found, point_->seek(start.view()));
  while (found) {
    while (run + 1 < trailer_.runs.size() && point_->key() >= trailer_.runs[run + 1].first_key)
      EBB_TRY(verify_run(++run + 1));
    EBB_ASSIGN(const auto entry, entry_at(*point_));
    prefixes.push_back({entry.key_group, entry.state, std::string{entry.key}});
    EBB_ASSIGN(found, point_->next());
  }
  if (prefixes.size() != trailer_.erased_prefixes)
    return damaged("erased prefixes are missing");
  hidden_ = erased_prefixes{std::move(prefixes)};
  return {};
}

result<void> segment_reader::verify(std::uint32_t block) {
  if (verified_[block])
    return {};
  const auto offset = std::uint64_t{block} * segment_block_bytes;
  const auto size = static_cast<std::size_t>(
      std::min<std::uint64_t>(segment_block_bytes, trailer_.body_offset - offset));
  block_.resize(segment_block_bytes);
  // Read, not mapped: a device error is then an error and no signal.
  EBB_TRY(file_.read_at(offset, block_.data(), size));
  if (hash_bytes({block_.data(), size}) != trailer_.block_hashes[block]) {
    if (!fetch_)
      return damaged(block);
    EBB_ASSIGN(const auto bytes, fetch_(offset, size, trailer_.body_offset - offset));
    EBB_TRY(file_.write_at(offset, bytes));
    if (hash_bytes(std::string_view{bytes}.substr(0, size)) != trailer_.block_hashes[block])
      return damaged(block);
  }
  verified_[block] = true;
  --unverified_;
  return {};
}

result<void> segment_reader::verify_run(std::size_t run) {
  if (unverified_ == 0 || run >= trailer_.runs.size())
    return {};
  const auto first = trailer_.runs[run].first_block;
  for (std::size_t level = 0; level < trailer_.depth; ++level)
    EBB_TRY(verify(trailer_.run_blocks[first + level]));
  return {};
}

// `bytes` lie in LMDB's map.
result<void> segment_reader::verify_bytes(const char* bytes, std::size_t size) {
  if (unverified_ == 0 || size == 0)
    return {};
  const auto offset = static_cast<std::uint64_t>(bytes - pages_);
  if (offset + size > trailer_.page_area_bytes)
    return damaged("a value lies outside the pages");
  for (auto block = offset / segment_block_bytes;
       block <= (offset + size - 1) / segment_block_bytes; ++block)
    EBB_TRY(verify(static_cast<std::uint32_t>(block)));
  return {};
}

std::size_t segment_reader::run_of(std::string_view stored) const noexcept {
  const auto after =
      std::upper_bound(trailer_.runs.begin(), trailer_.runs.end(), stored,
                       [](std::string_view a, const leaf_run& b) { return a < b.first_key; });
  return after == trailer_.runs.begin()
             ? 0
             : static_cast<std::size_t>(after - trailer_.runs.begin()) - 1;
}

result<bool> segment_reader::may_contain(std::uint64_t hash) {
  if (filter_ == nullptr) {
    // A page boundary: the filter begins where LMDB's pages end.
    filter_map_bytes_ = trailer_.filter_bytes;
    auto* map = ::mmap(nullptr, filter_map_bytes_, PROT_READ, MAP_SHARED, file_.descriptor(),
                       static_cast<off_t>(trailer_.page_area_bytes));
    if (map == MAP_FAILED)
      return system_error(file_.path(), "map");
    filter_ = static_cast<const char*>(map);
  }
  const auto line = filter_line_of(hash, trailer_.filter_bytes);
  if (unverified_ != 0)
    EBB_TRY(verify(
        static_cast<std::uint32_t>((trailer_.page_area_bytes + line) / segment_block_bytes)));
  return filter_may_contain(filter_ + line, hash);
}

// Verifies the value; the leaf has been.
result<segment_entry> segment_reader::entry_at(const lmdb_cursor& cursor) {
  if (pages_ == nullptr) {
    // LMDB does not tell where its map begins, but every leaf begins with its own page number.
    const auto address = reinterpret_cast<std::uintptr_t>(cursor.key().data());
    const auto page = address & ~(std::uintptr_t{trailer_.page_bytes} - 1);
    std::uint64_t number = 0;
    std::memcpy(&number, reinterpret_cast<const void*>(page), sizeof number);
    pages_ = reinterpret_cast<const char*>(page - number * trailer_.page_bytes);
  }
  EBB_TRY(verify_bytes(cursor.value().data(), cursor.value().size()));
  const auto value = stored_value::read(cursor.value());
  if (!value || cursor.key().size() < stored_key::prefix_bytes)
    return damaged("an entry makes no sense");
  const auto parts = split_stored_key(cursor.key());
  if (parts.is_long != value->long_key.has_value())
    return damaged("an entry makes no sense");
  return segment_entry{parts.key_group, parts.state, parts.is_long ? *value->long_key : parts.key,
                       value->value,    value->kind, value->version};
}

result<std::optional<segment_entry>>
segment_reader::get(std::uint16_t key_group, std::uint16_t state, std::string_view key) {
  const stored_key stored{segment_area::entries, key_group, state, key};
  return get(stored, filter_hash(stored.view()), key);
}

result<std::optional<segment_entry>> segment_reader::get(const stored_key& stored,
                                                         std::uint64_t hash, std::string_view key) {
  if (trailer_.runs.empty())
    return std::optional<segment_entry>{};
  EBB_ASSIGN(const auto possible, may_contain(hash));
  if (!possible)
    return std::optional<segment_entry>{};
  if (unverified_ != 0)
    EBB_TRY(verify_run(run_of(stored.view())));
  EBB_ASSIGN(const auto found, point_->find(stored.view()));
  if (!found)
    return std::optional<segment_entry>{};
  EBB_ASSIGN(auto entry, entry_at(*point_));
  if (stored.is_long() && entry.key != key)
    return std::optional<segment_entry>{};
  return std::optional{entry};
}

result<segment_cursor> segment_reader::scan(std::uint16_t first_key_group,
                                            std::uint16_t last_key_group) {
  EBB_ASSIGN(auto cursor, transaction_->cursor(database_));
  segment_cursor scan{*this, std::move(cursor), last_key_group};
  scan.seek(first_key_group, 0, {});
  return scan;
}

result<void> segment_reader::verify_all() {
  for (std::uint32_t block = 0; block < verified_.size(); ++block)
    EBB_TRY(verify(block));
  return {};
}

void segment_cursor::seek(std::uint16_t key_group, std::uint16_t state, std::string_view key) {
  target_ = stored_key{segment_area::entries, key_group, state, key}.view();
}

result<bool> segment_cursor::next() {
  auto& reader = *reader_;
  if (!target_.empty()) {
    // The seek may step into the next run, so that is verified as well.
    run_ = reader.run_of(target_);
    EBB_TRY(reader.verify_run(run_));
    EBB_TRY(reader.verify_run(run_ + 1));
    EBB_ASSIGN(const auto found, cursor_.seek(target_));
    target_.clear();
    if (!found)
      return false;
  } else {
    EBB_ASSIGN(const auto found, cursor_.next());
    if (!found)
      return false;
  }
  if (reader.unverified_ != 0) {
    const auto& runs = reader.trailer_.runs;
    while (run_ + 1 < runs.size() && cursor_.key() >= runs[run_ + 1].first_key)
      EBB_TRY(reader.verify_run(++run_ + 1));
  }
  EBB_ASSIGN(entry_, reader.entry_at(cursor_));
  const auto area = static_cast<segment_area>(cursor_.key()[0]);
  return area == segment_area::entries && entry_.key_group <= last_key_group_;
}

} // namespace ebb
