#include "storage/control_store.hpp"

#include "storage/bytes.hpp"
#include "storage/failpoint.hpp"
#include "storage/files.hpp"
#include "storage/lmdb_check.hpp"

#include <filesystem>

namespace ebb {

namespace {

constexpr std::array table_names{"streams", "names", "records", "savepoints", "tokens",
                                 "topics",  "lives", "traits",  "events"};
constexpr const char* meta_name = "meta";
constexpr const char* summary_key = "summary";
constexpr std::size_t hash_bytes_stored = 16;

// Address space; records are a few KB each.
constexpr std::size_t map_bytes = std::size_t{4} << 30;

digest128 hash_of(control_table table, std::string_view key, std::string_view value) {
  byte_writer bytes;
  bytes.number(static_cast<std::uint8_t>(table));
  bytes.text(key);
  bytes.raw(value);
  return hash_bytes(bytes.bytes());
}

digest128 plus(const digest128& a, const digest128& b) noexcept {
  const auto low = a.low + b.low;
  return {a.high + b.high + (low < a.low ? 1 : 0), low};
}

digest128 minus(const digest128& a, const digest128& b) noexcept {
  return {a.high - b.high - (a.low < b.low ? 1 : 0), a.low - b.low};
}

std::string with_hash(const digest128& hash, std::string_view value) {
  byte_writer bytes;
  bytes.number(hash.high);
  bytes.number(hash.low);
  bytes.raw(value);
  return bytes.bytes();
}

digest128 stored_hash(std::string_view stored) {
  byte_reader bytes{stored};
  digest128 hash;
  hash.high = bytes.number<std::uint64_t>();
  hash.low = bytes.number<std::uint64_t>();
  return hash;
}

std::string encode_summary(const control_summary& x) {
  byte_writer bytes;
  bytes.number(x.version);
  bytes.number(x.transaction);
  bytes.number(x.entries);
  bytes.number(x.sum.high);
  bytes.number(x.sum.low);
  return with_hash(hash_bytes(bytes.bytes()), bytes.bytes());
}

// For the check of the file; 0 where the value is none.
std::uint64_t transaction_of_summary(std::string_view stored) {
  byte_reader bytes{stored};
  static_cast<void>(bytes.raw(hash_bytes_stored + sizeof control_summary::version));
  return bytes.number<std::uint64_t>();
}

bool has_streams(const std::string& folder) {
  std::error_code problem;
  return !std::filesystem::is_empty(folder + "/streams", problem) && !problem;
}

constexpr const char* damaged_hint = "restore control.mdb from a copy of the data folder";

} // namespace

// --- transaction ---------------------------------------------------------------------------------

control_transaction::control_transaction(control_store& store, lmdb_transaction transaction)
    : store_(&store), transaction_(std::move(transaction)) {}

result<std::optional<std::string_view>> control_transaction::get(control_table table,
                                                                 std::string_view key) const {
  const auto database = store_->tables_[static_cast<std::size_t>(table)];
  EBB_ASSIGN(const auto stored, transaction_.get(database, key));
  if (!stored)
    return std::optional<std::string_view>{};
  if (stored->size() < hash_bytes_stored)
    return store_->damaged("an entry is too short");
  const auto value = stored->substr(hash_bytes_stored);
  if (stored_hash(*stored) != hash_of(table, key, value))
    return store_->damaged("the checksum of an entry differs");
  return std::optional{value};
}

result<std::vector<std::pair<std::string_view, std::string_view>>>
control_transaction::scan(control_table table, std::string_view prefix) const {
  std::vector<std::pair<std::string_view, std::string_view>> entries;
  EBB_ASSIGN(auto cursor, transaction_.cursor(store_->tables_[static_cast<std::size_t>(table)]));
  auto moved = prefix.empty() ? cursor.first() : cursor.seek(prefix);
  for (; moved && *moved && cursor.key().starts_with(prefix); moved = cursor.next()) {
    const auto stored = cursor.value();
    if (stored.size() < hash_bytes_stored
        || stored_hash(stored) != hash_of(table, cursor.key(), stored.substr(hash_bytes_stored)))
      return store_->damaged("the checksum of an entry differs");
    entries.emplace_back(cursor.key(), stored.substr(hash_bytes_stored));
  }
  if (!moved)
    return std::move(moved).error();
  return entries;
}

result<void> control_transaction::erase(control_table table, std::string_view key) {
  EBB_ASSIGN(const auto value, get(table, key));
  if (!value)
    return {};
  summary_.sum = minus(summary_.sum, hash_of(table, key, *value));
  --summary_.entries;
  EBB_TRY(transaction_.erase(store_->tables_[static_cast<std::size_t>(table)], key));
  return {};
}

result<void> control_transaction::put(control_table table, std::string_view key,
                                      std::string_view value) {
  if (key.empty() || key.size() > lmdb_key_max)
    return make_error(ec::invalid_argument, "a name is too long to be stored");
  EBB_TRY(erase(table, key));
  const auto hash = hash_of(table, key, value);
  summary_.sum = plus(summary_.sum, hash);
  ++summary_.entries;
  return transaction_.put(store_->tables_[static_cast<std::size_t>(table)], key,
                          with_hash(hash, value));
}

result<void> control_transaction::commit(const char* failpoint_name) {
  store_->failed_ = true; // until it has gone well
  summary_.transaction = transaction_.id();
  EBB_TRY(transaction_.put(store_->meta_, summary_key, encode_summary(summary_)));
  failpoint(failpoint_name, failpoint_side::before);
  EBB_TRY(transaction_.commit());
  failpoint(failpoint_name, failpoint_side::after);
  store_->failed_ = false;
  // Only a hint for the next one who opens the file.
  static_cast<void>(store_->lock_->note(summary_.transaction));
  return {};
}

// --- store ---------------------------------------------------------------------------------------

control_store::control_store(std::string path, std::optional<folder_lock> lock,
                             lmdb_environment environment)
    : path_(std::move(path)), lock_(std::move(lock)), environment_(std::move(environment)) {}

error control_store::damaged(const std::string& what) const {
  return make_error(ec::corrupt, path_ + ": control database is damaged: " + what, damaged_hint);
}

result<std::unique_ptr<control_store>> control_store::open(const std::string& folder,
                                                           folder_lock lock) {
  return open(folder, std::optional{std::move(lock)}, true);
}

result<std::unique_ptr<control_store>> control_store::open_read_only(const std::string& folder) {
  EBB_ASSIGN(const auto writer, folder_lock::holder(folder));
  return open(folder, std::nullopt, !writer);
}

result<std::unique_ptr<control_store>>
control_store::open(const std::string& folder, std::optional<folder_lock> lock, bool check) {
  const auto path = folder + "/control.mdb";
  const bool read_only = !lock;
  EBB_ASSIGN(const auto noted, folder_lock::noted(folder));
  std::uint64_t bytes = 0;
  if (auto file = owned_file::open_to_read(path); file) {
    EBB_ASSIGN(bytes, file->size());
  } else if (file.error().code != ec::not_found || (read_only && !noted)) {
    return std::move(file).error();
  }
  // A folder that has had a database does not silently begin anew. Without a note, an empty file
  // is one that a crash has left before LMDB wrote its first page: no stream has files then.
  if (bytes == 0 && (noted || has_streams(folder)))
    return make_error(ec::corrupt, folder + ": its control database is missing or empty",
                      "restore control.mdb from a copy, or remove the whole folder to begin anew");
  if (bytes != 0 && check)
    EBB_TRY(check_lmdb_file(
        {path, map_bytes, noted.value_or(0), meta_name, summary_key, transaction_of_summary}));
  EBB_ASSIGN(auto environment, lmdb_environment::open(path, {.read_only = read_only,
                                                             .map_bytes = map_bytes,
                                                             .databases = control_tables + 1}));
  std::unique_ptr<control_store> store{
      new control_store{path, std::move(lock), std::move(environment)}};
  EBB_TRY(store->open_tables());
  EBB_TRY(store->verify());
  return store;
}

// Databases are opened once, in the first transaction; a new file is made whole by the same one.
result<void> control_store::open_tables() {
  auto transaction = read_only() ? environment_.begin_read() : environment_.begin_write();
  if (!transaction)
    return std::move(transaction).error();
  for (std::size_t i = 0; i < control_tables; ++i) {
    EBB_ASSIGN(tables_[i], transaction->open(table_names[i], !read_only()));
  }
  EBB_ASSIGN(meta_, transaction->open(meta_name, !read_only()));
  if (read_only())
    return transaction->commit();
  EBB_ASSIGN(const auto summary, transaction->get(meta_, summary_key));
  if (summary)
    return transaction->commit();
  // Only a new file has no summary: one that lost it has entries, and `verify` will see that.
  control_summary of_new;
  of_new.transaction = transaction->id();
  EBB_TRY(transaction->put(meta_, summary_key, encode_summary(of_new)));
  EBB_TRY(transaction->commit());
  EBB_TRY(sync_folder(folder_of(path_)));
  EBB_TRY(lock_->note(of_new.transaction));
  return lock_->sync();
}

result<control_summary> control_store::read_summary(const lmdb_transaction& from) const {
  EBB_ASSIGN(const auto stored, from.get(meta_, summary_key));
  if (!stored || stored->size() < hash_bytes_stored)
    return damaged("its summary is missing");
  const auto value = stored->substr(hash_bytes_stored);
  if (stored_hash(*stored) != hash_bytes(value))
    return damaged("the checksum of its summary differs");
  byte_reader bytes{value};
  control_summary x;
  x.version = bytes.number<std::uint32_t>();
  x.transaction = bytes.number<std::uint64_t>();
  x.entries = bytes.number<std::uint64_t>();
  x.sum.high = bytes.number<std::uint64_t>();
  x.sum.low = bytes.number<std::uint64_t>();
  if (x.version > control_version)
    return make_error(ec::unsupported,
                      path_ + ": control database has format version " + std::to_string(x.version)
                          + ", this program reads up to " + std::to_string(control_version),
                      "it was written by a newer ebb: run that one");
  if (x.transaction != from.id() && x.transaction + 1 != from.id())
    return damaged("its summary is not that of its last commit");
  return x;
}

result<control_transaction> control_store::begin_read() {
  EBB_ASSIGN(auto transaction, environment_.begin_read());
  return control_transaction{*this, std::move(transaction)};
}

result<control_transaction> control_store::begin_write() {
  if (failed_)
    return make_error(ec::io, path_ + ": a write to the control database has failed before",
                      "what is in it is found out by opening it again: restart");
  environment_.forget_dead_readers();
  EBB_ASSIGN(auto transaction, environment_.begin_write());
  EBB_ASSIGN(auto summary, read_summary(transaction));
  control_transaction begun{*this, std::move(transaction)};
  begun.summary_ = summary;
  return begun;
}

result<void> control_store::verify() {
  EBB_ASSIGN(const auto transaction, begin_read());
  EBB_ASSIGN(auto expected, read_summary(transaction.transaction_));
  control_summary found;
  found.version = expected.version;
  found.transaction = expected.transaction;
  for (std::size_t i = 0; i < control_tables; ++i) {
    const auto table = static_cast<control_table>(i);
    EBB_ASSIGN(const auto entries, transaction.scan(table, {}));
    found.entries += entries.size();
    for (const auto& [key, value] : entries)
      found.sum = plus(found.sum, hash_of(table, key, value));
  }
  if (!(found == expected))
    return damaged("its entries do not add up to its summary");
  return {};
}

} // namespace ebb
