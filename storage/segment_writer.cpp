#include "storage/segment_writer.hpp"

#include "storage/failpoint.hpp"
#include "storage/key_filter.hpp"
#include "storage/segment_key.hpp"
#include "storage/segment_trailer.hpp"
#include "storage/segment_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace ebb {

namespace {

constexpr const char* database_name = "entries";

} // namespace

segment_writer::segment_writer(std::string path, segment_identity identity, owned_file file)
    : path_(std::move(path)), identity_(std::move(identity)),
      file_(std::make_unique<owned_file>(std::move(file))),
      bytes_(std::make_unique<hashed_file>(*file_)) {
  // LMDB's own limit.
  constexpr long page_max = 32768;
  pages_.emplace(*bytes_, static_cast<std::size_t>(std::min(::sysconf(_SC_PAGESIZE), page_max)));
}

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
  return segment_writer{path, std::move(identity), std::move(file)};
}

void segment_writer::abandon() noexcept {
  if (!file_)
    return;
  static_cast<void>(remove_file(file_->path()));
  file_.reset();
}

result<void> segment_writer::append(std::string_view stored, const segment_entry& entry,
                                    bool is_long) {
  stored_value value;
  value.kind = entry.kind;
  value.version = entry.version;
  value.value = entry.value;
  if (is_long)
    value.long_key = entry.key;
  value.write_head(head_);
  EBB_TRY(pages_->append(stored, head_, entry.value));
  payload_bytes_ += stored.size() + value.bytes();
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

// Filter and trailer.
result<void> segment_writer::write_end(segment_trailer& trailer) {
  const auto filter = build_filter(hashes_);
  trailer.filter_bytes = filter.size();
  trailer.body_offset = trailer.page_area_bytes + filter.size();
  EBB_TRY(bytes_->put(filter));
  trailer.block_hashes = bytes_->end_blocks();
  const auto blocks = trailer.block_hashes.size();
  trailer.block_contents.resize(blocks);
  for (auto block = trailer.page_area_bytes / segment_block_bytes; block < blocks; ++block)
    trailer.block_contents[block] =
        static_cast<std::uint8_t>(trailer.block_contents[block] | block_has_filter);
  EBB_TRY(bytes_->put(encode_trailer(trailer)));
  return bytes_->flush();
}

result<void> segment_writer::publish() {
  failpoint("segment.sync", failpoint_side::before);
  EBB_TRY(file_->sync());
  failpoint("segment.sync", failpoint_side::after);
  failpoint("segment.rename", failpoint_side::before);
  EBB_TRY(rename_without_replacing(file_->path(), path_));
  failpoint("segment.rename", failpoint_side::after);
  failpoint("segment.folder_sync", failpoint_side::before);
  EBB_TRY(sync_folder(folder_of(path_)));
  failpoint("segment.folder_sync", failpoint_side::after);
  return {};
}

result<segment_info> segment_writer::finish() {
  EBB_TRY(flush_long());
  EBB_TRY(append_prefixes());

  segment_trailer trailer;
  trailer.identity = identity_;
  trailer.puts = puts_;
  trailer.erases = erases_;
  trailer.erased_prefixes = prefixes_.size();
  EBB_TRY(pages_->finish(database_name, trailer));
  EBB_TRY(write_end(trailer));
  const auto bytes = bytes_->size();
  EBB_TRY(publish());

  file_.reset(); // nothing left to abandon
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
