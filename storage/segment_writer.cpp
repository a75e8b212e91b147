#include "storage/segment_writer.hpp"

#include "storage/failpoint.hpp"
#include "storage/key_filter.hpp"
#include "storage/page_survey.hpp"
#include "storage/segment_key.hpp"
#include "storage/segment_trailer.hpp"
#include "storage/segment_value.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ebb {

namespace {

constexpr const char* database_name = "entries";

// Address space, not memory or disk.
constexpr std::size_t map_bytes = std::size_t{1} << 36;

// LMDB keeps the pages of a transaction in memory until it commits.
constexpr std::uint64_t commit_every_bytes = 16 << 20;

constexpr std::size_t read_ahead_blocks = 16;

} // namespace

segment_writer::segment_writer(std::string path, segment_identity identity, owned_file file,
                               lmdb_environment environment)
    : path_(std::move(path)), identity_(std::move(identity)), file_(std::move(file)),
      environment_(std::move(environment)) {}

segment_writer& segment_writer::operator=(segment_writer&& other) noexcept {
  if (this != &other) {
    this->~segment_writer();
    new (this) segment_writer(std::move(other));
  }
  return *this;
}

segment_writer::~segment_writer() {
  abandon();
}

result<segment_writer> segment_writer::create(const std::string& path, segment_identity identity) {
  EBB_ASSIGN(auto file, owned_file::make_temporary(path + segment_temporary_mark));
  // Not synced: nothing refers to the file before `finish` has synced it as a whole.
  auto environment = lmdb_environment::open(
      file.path(), {.locked = false, .synced = false, .map_bytes = map_bytes, .databases = 1});
  if (!environment) {
    static_cast<void>(remove_file(file.path()));
    return std::move(environment).error();
  }
  segment_writer writer{path, std::move(identity), std::move(file), *std::move(environment)};
  EBB_TRY(writer.begin());
  return writer;
}

void segment_writer::abandon() noexcept {
  cursor_.reset();
  transaction_.reset();
  environment_.reset();
  if (file_.descriptor() < 0)
    return;
  static_cast<void>(remove_file(file_.path()));
  file_ = owned_file{};
}

result<void> segment_writer::begin() {
  EBB_ASSIGN(transaction_, environment_->begin_write());
  EBB_ASSIGN(const auto database, transaction_->open(database_name, true));
  EBB_ASSIGN(cursor_, transaction_->cursor(database));
  uncommitted_bytes_ = 0;
  return {};
}

result<void> segment_writer::commit() {
  cursor_.reset();
  EBB_TRY(transaction_->commit());
  transaction_.reset();
  return {};
}

result<void> segment_writer::append(std::string_view stored, const segment_entry& entry,
                                    bool is_long) {
  stored_value value;
  value.kind = entry.kind;
  value.version = entry.version;
  value.value = entry.value;
  if (is_long)
    value.long_key = entry.key;
  if (uncommitted_bytes_ >= commit_every_bytes) {
    EBB_TRY(commit());
    EBB_TRY(begin());
  }
  EBB_ASSIGN(const auto place, cursor_->append(stored, value.bytes()));
  value.write(place);
  uncommitted_bytes_ += stored.size() + place.size();
  payload_bytes_ += stored.size() + place.size();
  return {};
}

result<void> segment_writer::add(const segment_entry& entry) {
  if (entry.key_group < identity_.first_key_group || entry.key_group > identity_.last_key_group)
    return make_error(ec::internal,
                      fmt::format("{}: key group {} lies outside {} to {}", path_, entry.key_group,
                                  identity_.first_key_group, identity_.last_key_group));
  if (entry.value.size() > segment_value_max || entry.key.size() > segment_value_max)
    return make_error(
        ec::invalid_argument,
        fmt::format("a value of {} bytes is too long to be stored", entry.value.size()),
        fmt::format("the limit is {} bytes", segment_value_max));
  if (entry.kind == entry_kind::erase_prefix) {
    prefixes_.push_back({entry.key_group, entry.state, std::string{entry.key}});
    payload_bytes_ += entry.key.size();
    return {};
  }
  const stored_key stored{segment_area::entries, entry.key_group, entry.state, entry.key};
  hashes_.push_back(filter_hash(stored.view()));
  ++(entry.kind == entry_kind::put ? puts_ : erases_);
  if (stored.is_long()) [[unlikely]]
    return add_long(stored.view(), entry);
  if (!long_entries_.empty()) [[unlikely]]
    EBB_TRY(flush_long());
  return append(stored.view(), entry, false);
}

result<void> segment_writer::add_long(std::string_view stored, const segment_entry& entry) {
  if (!long_entries_.empty()
      && std::string_view{long_entries_.back().stored_key}.substr(0, stored_key_max)
             != stored.substr(0, stored_key_max))
    EBB_TRY(flush_long());
  long_entries_.push_back({std::string{stored}, std::string{entry.key}, std::string{entry.value},
                           entry.kind, entry.version});
  return {};
}

result<void> segment_writer::flush_long() {
  std::sort(long_entries_.begin(), long_entries_.end(),
            [](const auto& a, const auto& b) { return a.stored_key < b.stored_key; });
  for (const auto& x : long_entries_) {
    segment_entry entry;
    entry.key = x.key;
    entry.value = x.value;
    entry.kind = x.kind;
    entry.version = x.version;
    EBB_TRY(append(x.stored_key, entry, true));
  }
  long_entries_.clear();
  return {};
}

result<void> segment_writer::append_prefixes() {
  const erased_prefixes reduced{std::move(prefixes_)};
  prefixes_ = reduced.list();
  std::vector<std::pair<stored_key, const erased_prefix*>> sorted;
  sorted.reserve(prefixes_.size());
  for (const auto& x : prefixes_)
    sorted.emplace_back(stored_key{segment_area::erased_prefixes, x.key_group, x.state, x.prefix},
                        &x);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first.view() < b.first.view(); });
  for (const auto& [stored, x] : sorted) {
    segment_entry entry;
    entry.key = x->prefix;
    entry.kind = entry_kind::erase_prefix;
    EBB_TRY(append(stored.view(), entry, stored.is_long()));
  }
  return {};
}

// Filter and trailer; every block is hashed as it lies in the file.
result<void> segment_writer::write_end(segment_trailer& trailer) {
  const auto filter = build_filter(hashes_);
  trailer.filter_bytes = filter.size();
  trailer.body_offset = trailer.page_area_bytes + filter.size();
  EBB_TRY(file_.write_at(trailer.page_area_bytes, filter));

  const auto blocks = (trailer.body_offset + segment_block_bytes - 1) / segment_block_bytes;
  trailer.block_contents.resize(blocks);
  trailer.block_hashes.reserve(blocks);
  page_survey survey{trailer.page_bytes};
  std::string buffer(
      std::min<std::uint64_t>(segment_block_bytes * read_ahead_blocks, trailer.body_offset), '\0');
  for (std::uint64_t offset = 0; offset < trailer.body_offset; offset += buffer.size()) {
    const auto got = static_cast<std::size_t>(
        std::min<std::uint64_t>(buffer.size(), trailer.body_offset - offset));
    EBB_TRY(file_.read_at(offset, buffer.data(), got));
    for (std::size_t at = 0; at < got; at += segment_block_bytes)
      trailer.block_hashes.push_back(
          hash_bytes({buffer.data() + at, std::min(segment_block_bytes, got - at)}));
    for (std::size_t at = 0; at < got && offset + at < trailer.page_area_bytes;
         at += trailer.page_bytes)
      survey.add(buffer.data() + at);
  }
  EBB_TRY(survey.finish(database_name, trailer));
  for (auto block = trailer.page_area_bytes / segment_block_bytes; block < blocks; ++block)
    trailer.block_contents[block] =
        static_cast<std::uint8_t>(trailer.block_contents[block] | block_has_filter);
  return file_.write_at(trailer.body_offset, encode_trailer(trailer));
}

result<void> segment_writer::publish() {
  failpoint("segment.sync", failpoint_side::before);
  EBB_TRY(file_.sync());
  failpoint("segment.sync", failpoint_side::after);
  failpoint("segment.rename", failpoint_side::before);
  EBB_TRY(rename_without_replacing(file_.path(), path_));
  failpoint("segment.rename", failpoint_side::after);
  failpoint("segment.folder_sync", failpoint_side::before);
  EBB_TRY(sync_folder(folder_of(path_)));
  failpoint("segment.folder_sync", failpoint_side::after);
  return {};
}

result<segment_info> segment_writer::finish() {
  EBB_TRY(flush_long());
  EBB_TRY(append_prefixes());
  EBB_TRY(commit());
  const auto extent = environment_->extent();
  environment_.reset();

  segment_trailer trailer;
  trailer.identity = identity_;
  trailer.puts = puts_;
  trailer.erases = erases_;
  trailer.erased_prefixes = prefixes_.size();
  trailer.page_bytes = static_cast<std::uint32_t>(extent.page_bytes);
  trailer.page_area_bytes = (extent.last_page + 1) * extent.page_bytes;
  EBB_TRY(write_end(trailer));
  EBB_ASSIGN(const auto bytes, file_.size());
  EBB_TRY(publish());

  file_ = owned_file{}; // nothing left to abandon
  segment_info info;
  info.id = file_name_of(path_);
  info.kind = identity_.kind;
  info.epoch = identity_.epoch;
  info.bytes = bytes;
  info.digest = trailer.digest;
  info.entries = puts_ + erases_ + prefixes_.size();
  info.first_key_group = identity_.first_key_group;
  info.last_key_group = identity_.last_key_group;
  return info;
}

} // namespace ebb
