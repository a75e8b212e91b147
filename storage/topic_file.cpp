#include "storage/topic_file.hpp"

#include "schemas/topic_codec.hpp"
#include "storage/bytes.hpp"
#include "storage/failpoint.hpp"
#include "storage/files.hpp"
#include "storage/lmdb_check.hpp"
#include "storage/segment_trailer.hpp"
#include "storage/topic_batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ebb {

namespace {

constexpr const char* table_names[] = {"rows", "requests", "memory", "meta"};
constexpr const char* damaged_hint =
    "restore the topic's folder from a copy; what is in its other files can still be read";
constexpr std::string_view ending = ".mdb";
constexpr std::size_t digits = 20;
constexpr std::size_t digest_bytes = 16;
constexpr unsigned transaction_bits = 32;
constexpr std::uint64_t unwritten_max = std::uint64_t{1} << 30;

digest128 hash_of(topic_table table, std::string_view key, std::string_view value) {
  byte_writer bytes;
  bytes.number(static_cast<std::uint8_t>(table));
  bytes.text(key);
  bytes.raw(value);
  return hash_bytes(bytes.bytes());
}

std::string with_hash(topic_table table, std::string_view key, std::string_view value) {
  const auto hash = hash_of(table, key, value);
  byte_writer bytes;
  bytes.number(hash.high);
  bytes.number(hash.low);
  bytes.raw(value);
  return bytes.bytes();
}

std::optional<std::string_view> without_hash(topic_table table, std::string_view key,
                                             std::string_view stored) {
  byte_reader bytes{stored};
  digest128 hash;
  hash.high = bytes.number<std::uint64_t>();
  hash.low = bytes.number<std::uint64_t>();
  const auto value = bytes.raw(bytes.left());
  if (!bytes.sound() || hash != hash_of(table, key, value))
    return std::nullopt;
  return value;
}

// For the check of the file; 0 where the value is none.
std::uint64_t transaction_of_summary(std::string_view stored) {
  const auto value = without_hash(topic_table::meta, topic_summary_key, stored);
  if (!value)
    return 0;
  const auto summary = decode_topic_summary(*value);
  return summary ? summary->transaction : 0;
}

} // namespace

std::string topic_file_path(const std::string& folder, std::uint64_t number) {
  return fmt::format("{}/{:0{}}{}", folder, number, digits, ending);
}

std::string topic_temporary_prefix(const std::string& folder) {
  return folder + "/new-";
}

std::string topic_number_key(std::uint64_t number) {
  std::string key;
  for (int i = 7; i >= 0; --i)
    key.push_back(static_cast<char>(number >> (8 * i)));
  return key;
}

std::uint64_t topic_note(std::uint64_t number, std::uint64_t transaction) noexcept {
  return number << transaction_bits
         | std::min<std::uint64_t>(transaction, (std::uint64_t{1} << transaction_bits) - 1);
}

std::uint64_t noted_file(std::uint64_t note) noexcept {
  return note >> transaction_bits;
}

std::uint64_t noted_transaction(std::uint64_t note) noexcept {
  return note & ((std::uint64_t{1} << transaction_bits) - 1);
}

result<std::vector<std::uint64_t>> topic_file_numbers(const std::string& folder) {
  EBB_ASSIGN(const auto names, list_files(folder));
  std::vector<std::uint64_t> numbers;
  for (const auto& name : names) {
    std::uint64_t number = 0;
    const auto* end = name.data() + std::min(digits, name.size());
    const auto parsed = std::from_chars(name.data(), end, number);
    if (parsed.ec == std::errc{} && name == file_name_of(topic_file_path(folder, number)))
      numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

result<std::uint64_t> file_bytes(const std::string& path) {
  EBB_ASSIGN(const auto file, owned_file::open_to_read(path));
  return file.size();
}

topic_file::topic_file(std::string path, lmdb_environment environment)
    : path_(std::move(path)), environment_(std::move(environment)) {}

error topic_file::damaged(const std::string& what) const {
  return make_error(ec::corrupt, path_ + ": topic file is damaged: " + what, damaged_hint);
}

result<void> topic_file::open_tables(lmdb_transaction& in, bool create) {
  for (std::size_t i = 0; i < topic_tables; ++i) {
    EBB_ASSIGN(tables_[i], in.open(table_names[i], create));
  }
  return {};
}

result<std::shared_ptr<topic_file>> topic_file::open(const std::string& folder, topic_file_use use,
                                                     std::uint64_t map_bytes,
                                                     const expectation& expected) {
  const auto path = topic_file_path(folder, expected.number);
  EBB_ASSIGN(const auto size, file_bytes(path));
  if (size < expected.bytes)
    return make_error(ec::corrupt,
                      fmt::format("{}: topic file is damaged: it has {} bytes and should have {}",
                                  path, size, expected.bytes),
                      damaged_hint);
  if (expected.check) {
    // Pages beyond the file's end may have been given out, but none of them is in use.
    lmdb_check_request check{path,
                             std::max(map_bytes, size + unwritten_max),
                             expected.least_transaction,
                             table_names[static_cast<std::size_t>(topic_table::meta)],
                             topic_summary_key,
                             transaction_of_summary};
    check.what = "topic file";
    check.hint = damaged_hint;
    EBB_TRY(check_lmdb_file(check));
  }
  // What a killed process has written may be in memory alone; from now on it counts.
  if (use == topic_file_use::write) {
    EBB_ASSIGN(auto file, owned_file::open_to_read(path));
    EBB_TRY(file.sync());
  }
  // The map's size is never taken from the file: nothing guards it. What is followed may grow.
  EBB_ASSIGN(auto environment,
             lmdb_environment::open(path, {.read_only = use != topic_file_use::write,
                                           .locked = use != topic_file_use::sealed,
                                           .map_bytes = std::max(map_bytes, size),
                                           .databases = topic_tables}));
  std::shared_ptr<topic_file> opened{new topic_file{path, std::move(environment)}};
  // Handles of tables stay valid only where the transaction that opens them commits.
  EBB_ASSIGN(auto in, opened->environment_.begin_read());
  EBB_TRY(opened->open_tables(in, false));
  EBB_ASSIGN(const auto bytes, opened->get(in, topic_table::meta, topic_header_key));
  EBB_ASSIGN(opened->header_, decode_topic_header(bytes));
  EBB_ASSIGN(const auto summary, opened->summary(in));
  EBB_TRY(in.commit());
  if (opened->header_.number != expected.number)
    return opened->damaged("it is file " + std::to_string(opened->header_.number));
  if (use == topic_file_use::sealed && summary.transaction != expected.least_transaction)
    return opened->damaged("its last commit is another one than the list of files says");
  return opened;
}

result<void> topic_file::create(const std::string& folder, std::uint64_t map_bytes,
                                const topic_file_header& header, const topic_catalog& catalog,
                                topic_summary summary,
                                const std::vector<topic_memory_chunk>& memory, bool& published) {
  published = false;
  EBB_ASSIGN(auto temporary, owned_file::make_temporary(topic_temporary_prefix(folder)));
  const auto made = [&]() -> result<void> {
    EBB_ASSIGN(auto environment,
               lmdb_environment::open(
                   temporary.path(),
                   {.locked = false, .map_bytes = map_bytes, .databases = topic_tables}));
    topic_file file{temporary.path(), std::move(environment)};
    EBB_ASSIGN(auto in, file.environment_.begin_write());
    EBB_TRY(file.open_tables(in, true));
    EBB_TRY(file.put(in, topic_table::meta, topic_header_key, encode(header)));
    EBB_TRY(file.put(in, topic_table::meta, topic_catalog_key, encode(catalog)));
    for (std::uint64_t i = 0; i < memory.size(); ++i)
      EBB_TRY(file.put(in, topic_table::memory, topic_number_key(i), encode(memory[i])));
    summary.transaction = in.id();
    summary.catalog_version = catalog.version;
    summary.chunks = memory.size();
    EBB_TRY(file.put(in, topic_table::meta, topic_summary_key, encode(summary)));
    failpoint("topic.file_sync", failpoint_side::before);
    EBB_TRY(in.commit());
    EBB_TRY(temporary.sync()); // its size as well
    failpoint("topic.file_sync", failpoint_side::after);
    return {};
  }();
  const auto path = topic_file_path(folder, header.number);
  auto renamed = made;
  if (renamed) {
    failpoint("topic.file_rename", failpoint_side::before);
    renamed = rename_without_replacing(temporary.path(), path);
  }
  if (!renamed) {
    static_cast<void>(remove_file(temporary.path()));
    return renamed;
  }
  published = true;
  failpoint("topic.file_rename", failpoint_side::after);
  failpoint("topic.folder_sync", failpoint_side::before);
  EBB_TRY(sync_folder(folder));
  failpoint("topic.folder_sync", failpoint_side::after);
  return {};
}

result<lmdb_transaction> topic_file::begin_read() {
  return environment_.begin_read();
}

result<lmdb_transaction> topic_file::begin_write() {
  environment_.forget_dead_readers();
  return environment_.begin_write();
}

std::uint64_t topic_file::bytes() const {
  const auto extent = environment_.extent();
  return (extent.last_page + 1) * extent.page_bytes;
}

result<std::string_view> topic_file::get(const lmdb_transaction& in, topic_table table,
                                         std::string_view key) const {
  EBB_ASSIGN(const auto stored, in.get(tables_[static_cast<std::size_t>(table)], key));
  const auto name = table_names[static_cast<std::size_t>(table)];
  if (!stored)
    return damaged(fmt::format("an entry of {} is missing", name));
  const auto value = without_hash(table, key, *stored);
  if (!value)
    return damaged(fmt::format("the checksum of an entry of {} differs", name));
  return *value;
}

result<void> topic_file::put(lmdb_transaction& in, topic_table table, std::string_view key,
                             std::string_view value) const {
  return in.put(tables_[static_cast<std::size_t>(table)], key, with_hash(table, key, value));
}

result<void> topic_file::erase(lmdb_transaction& in, topic_table table,
                               std::string_view key) const {
  EBB_TRY(in.erase(tables_[static_cast<std::size_t>(table)], key));
  return {};
}

result<std::span<char>> topic_file::reserve_rows(lmdb_transaction& in, std::string_view key,
                                                 std::size_t bytes) const {
  return in.reserve(tables_[static_cast<std::size_t>(topic_table::rows)], key, bytes);
}

result<topic_summary> topic_file::summary(const lmdb_transaction& in) const {
  EBB_ASSIGN(const auto bytes, get(in, topic_table::meta, topic_summary_key));
  EBB_ASSIGN(auto x, decode_topic_summary(bytes));
  if (x.ends.size() != header_.begins.size())
    return damaged("its summary is that of another number of partitions");
  return x;
}

result<topic_catalog> topic_file::catalog(const lmdb_transaction& in) const {
  EBB_ASSIGN(const auto bytes, get(in, topic_table::meta, topic_catalog_key));
  EBB_ASSIGN(auto x, decode_topic_catalog(bytes));
  for (const auto& file : x.sealed)
    if (file.begins.size() != header_.begins.size())
      return damaged("its list of files is that of another number of partitions");
  return x;
}

result<logged_group> topic_file::group(const lmdb_transaction& in, std::uint64_t number) const {
  EBB_ASSIGN(const auto bytes, get(in, topic_table::requests, topic_number_key(number)));
  return decode_logged_group(bytes);
}

result<topic_memory_chunk> topic_file::chunk(const lmdb_transaction& in,
                                             std::uint64_t number) const {
  EBB_ASSIGN(const auto bytes, get(in, topic_table::memory, topic_number_key(number)));
  return decode_topic_memory(bytes);
}

result<void> topic_file::scan(
    const lmdb_transaction& in, std::uint32_t partition, std::uint64_t offset,
    const std::function<result<bool>(std::string_view key, std::string_view value)>& visit) const {
  EBB_ASSIGN(auto cursor, in.cursor(tables_[static_cast<std::size_t>(topic_table::rows)]));
  const auto key = rows_key(partition, offset);
  const auto prefix = std::string_view{key}.substr(0, sizeof partition);
  EBB_ASSIGN(bool there, cursor.seek(key));
  if (!there || cursor.key() != key) {
    // The batch begins before.
    auto before = there ? cursor.previous() : cursor.last();
    if (!before)
      return std::move(before).error();
    there = *before;
  }
  while (there && cursor.key().starts_with(prefix)) {
    EBB_ASSIGN(const bool more, visit(cursor.key(), cursor.value()));
    if (!more)
      break;
    EBB_ASSIGN(there, cursor.next());
  }
  return {};
}

} // namespace ebb
