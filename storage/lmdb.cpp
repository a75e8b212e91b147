#include "storage/lmdb.hpp"

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <lmdb.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

namespace ebb {

namespace {

/// Whatever the folder's mode: tokens, state and messages are nobody else's business.
constexpr mdb_mode_t owner_only = 0600;

ec code_of(int status) {
  switch (status) {
  case MDB_MAP_FULL:
  case MDB_DBS_FULL:
  case MDB_READERS_FULL:
  case MDB_TXN_FULL:
  case ENOSPC:
  case EDQUOT:
  case ENOMEM:
    return ec::resource;
  case MDB_CORRUPTED:
  case MDB_PAGE_NOTFOUND:
  case MDB_INVALID:
  case MDB_VERSION_MISMATCH:
    return ec::corrupt;
  case ENOENT:
    return ec::not_found;
  case MDB_KEYEXIST:
  case MDB_BAD_VALSIZE:
  case MDB_BAD_TXN:
  case MDB_BAD_DBI:
    return ec::internal;
  default:
    return ec::io;
  }
}

const char* hint_of(int status) {
  switch (status) {
  case ENOSPC:
  case EDQUOT:
    return "make room on the volume";
  case MDB_MAP_FULL:
    return "the file has reached its largest allowed size";
  case MDB_CORRUPTED:
  case MDB_PAGE_NOTFOUND:
  case MDB_INVALID:
    return "the file is damaged: restore it from a copy";
  case MDB_VERSION_MISMATCH:
    return "the file was written by another version of LMDB";
  case EACCES:
  case EROFS:
    return "check the owner and the mode of the folder, and that it is mounted for writing";
  default:
    return "";
  }
}

// LMDB calls half a write EIO, and that is how a disk without room ends one.
int cause_of(const std::string& path, int status) {
  constexpr std::uint64_t little = std::uint64_t{1} << 20;

  struct statvfs volume {};

  const bool full = status == EIO && ::statvfs(path.c_str(), &volume) == 0
                    && volume.f_bavail * volume.f_frsize < little;
  return full ? ENOSPC : status;
}

error failure(const std::string& path, const char* operation, int status) {
  status = cause_of(path, status);
  return make_error(code_of(status), path + ": " + operation + ": " + mdb_strerror(status),
                    hint_of(status));
}

MDB_val val(std::string_view bytes) noexcept {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

std::string_view view(const MDB_val& bytes) noexcept {
  return {static_cast<const char*>(bytes.mv_data), bytes.mv_size};
}

} // namespace

// --- transaction ---------------------------------------------------------------------------------

lmdb_transaction::lmdb_transaction(lmdb_transaction&& other) noexcept
    : txn_(std::exchange(other.txn_, nullptr)), path_(other.path_) {}

lmdb_transaction& lmdb_transaction::operator=(lmdb_transaction&& other) noexcept {
  std::swap(txn_, other.txn_);
  std::swap(path_, other.path_);
  return *this;
}

lmdb_transaction::~lmdb_transaction() {
  abort();
}

result<lmdb_database> lmdb_transaction::open(const char* name, bool create) {
  MDB_dbi database = 0;
  if (const auto rc = mdb_dbi_open(txn_, name, create ? MDB_CREATE : 0U, &database); rc != 0) {
    if (rc == MDB_NOTFOUND)
      return make_error(ec::corrupt, *path_ + ": it has no database named " + name,
                        "the file was not written by ebb, or never finished");
    return failure(*path_, "open database", rc);
  }
  return static_cast<lmdb_database>(database);
}

result<std::optional<std::string_view>> lmdb_transaction::get(lmdb_database database,
                                                              std::string_view key) const {
  auto k = val(key);
  MDB_val v{};
  const auto rc = mdb_get(txn_, static_cast<MDB_dbi>(database), &k, &v);
  if (rc == MDB_NOTFOUND)
    return std::optional<std::string_view>{};
  if (rc != 0)
    return failure(*path_, "read", rc);
  return std::optional{view(v)};
}

result<void> lmdb_transaction::put(lmdb_database database, std::string_view key,
                                   std::string_view value) {
  auto k = val(key);
  auto v = val(value);
  if (const auto rc = mdb_put(txn_, static_cast<MDB_dbi>(database), &k, &v, 0); rc != 0)
    return failure(*path_, "write", rc);
  return {};
}

result<std::span<char>> lmdb_transaction::reserve(lmdb_database database, std::string_view key,
                                                  std::size_t value_bytes) {
  auto k = val(key);
  MDB_val v{value_bytes, nullptr};
  if (const auto rc = mdb_put(txn_, static_cast<MDB_dbi>(database), &k, &v, MDB_RESERVE); rc != 0)
    return failure(*path_, "write", rc);
  return std::span<char>{static_cast<char*>(v.mv_data), value_bytes};
}

result<bool> lmdb_transaction::erase(lmdb_database database, std::string_view key) {
  auto k = val(key);
  const auto rc = mdb_del(txn_, static_cast<MDB_dbi>(database), &k, nullptr);
  if (rc != 0 && rc != MDB_NOTFOUND)
    return failure(*path_, "erase", rc);
  return rc == 0;
}

std::uint64_t lmdb_transaction::id() const noexcept {
  return mdb_txn_id(txn_);
}

result<lmdb_cursor> lmdb_transaction::cursor(lmdb_database database) const {
  MDB_cursor* cursor = nullptr;
  if (const auto rc = mdb_cursor_open(txn_, static_cast<MDB_dbi>(database), &cursor); rc != 0)
    return failure(*path_, "open cursor", rc);
  return lmdb_cursor{cursor, *path_};
}

result<void> lmdb_transaction::commit() {
  if (const auto rc = mdb_txn_commit(std::exchange(txn_, nullptr)); rc != 0)
    return failure(*path_, "commit", rc);
  return {};
}

void lmdb_transaction::abort() noexcept {
  if (txn_ != nullptr)
    mdb_txn_abort(std::exchange(txn_, nullptr));
}

// --- cursor --------------------------------------------------------------------------------------

lmdb_cursor::lmdb_cursor(lmdb_cursor&& other) noexcept
    : cursor_(std::exchange(other.cursor_, nullptr)), path_(other.path_), key_(other.key_),
      value_(other.value_) {}

lmdb_cursor& lmdb_cursor::operator=(lmdb_cursor&& other) noexcept {
  std::swap(cursor_, other.cursor_);
  std::swap(path_, other.path_);
  key_ = other.key_;
  value_ = other.value_;
  return *this;
}

lmdb_cursor::~lmdb_cursor() {
  if (cursor_ != nullptr)
    mdb_cursor_close(cursor_);
}

result<bool> lmdb_cursor::move(int operation, std::string_view key) {
  auto k = val(key);
  MDB_val v{};
  const auto rc = mdb_cursor_get(cursor_, &k, &v, static_cast<MDB_cursor_op>(operation));
  if (rc == MDB_NOTFOUND)
    return false;
  if (rc != 0)
    return failure(*path_, "read", rc);
  key_ = view(k);
  value_ = view(v);
  return true;
}

result<bool> lmdb_cursor::first() {
  return move(MDB_FIRST, {});
}

result<bool> lmdb_cursor::next() {
  return move(MDB_NEXT, {});
}

result<bool> lmdb_cursor::last() {
  return move(MDB_LAST, {});
}

result<bool> lmdb_cursor::previous() {
  return move(MDB_PREV, {});
}

result<bool> lmdb_cursor::find(std::string_view key) {
  return move(MDB_SET_KEY, key);
}

result<bool> lmdb_cursor::seek(std::string_view key) {
  return move(MDB_SET_RANGE, key);
}

result<std::span<char>> lmdb_cursor::append(std::string_view key, std::size_t value_bytes) {
  auto k = val(key);
  MDB_val v{value_bytes, nullptr};
  const auto rc = mdb_cursor_put(cursor_, &k, &v, MDB_APPEND | MDB_RESERVE);
  if (rc != 0)
    return failure(*path_, rc == MDB_KEYEXIST ? "append out of order" : "append", rc);
  return std::span<char>{static_cast<char*>(v.mv_data), value_bytes};
}

// --- environment ---------------------------------------------------------------------------------

lmdb_environment::lmdb_environment(MDB_env* env, std::string path)
    : env_(env), path_(std::make_unique<std::string>(std::move(path))) {}

lmdb_environment::lmdb_environment(lmdb_environment&& other) noexcept
    : env_(std::exchange(other.env_, nullptr)), path_(std::move(other.path_)) {}

lmdb_environment& lmdb_environment::operator=(lmdb_environment&& other) noexcept {
  std::swap(env_, other.env_);
  std::swap(path_, other.path_);
  return *this;
}

lmdb_environment::~lmdb_environment() {
  if (env_ != nullptr)
    mdb_env_close(env_);
}

result<lmdb_environment> lmdb_environment::open(const std::string& path,
                                                const lmdb_options& options) {
  MDB_env* env = nullptr;
  if (const auto rc = mdb_env_create(&env); rc != 0)
    return failure(path, "open", rc);
  lmdb_environment opened{env, path};
  // NORDAHEAD: cold state is read key by key. NOTLS: a transaction belongs to an object, not to a
  // thread. Never WRITEMAP: a full disk would be a SIGBUS.
  unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
  flags |= options.read_only ? MDB_RDONLY : 0U;
  flags |= options.locked ? 0U : MDB_NOLOCK;
  int rc = mdb_env_set_maxdbs(env, options.databases);
  if (rc == 0 && options.map_bytes != 0)
    rc = mdb_env_set_mapsize(env, options.map_bytes);
  if (rc == 0)
    rc = mdb_env_open(env, path.c_str(), flags, owner_only);
  if (rc != 0)
    return failure(path, "open", rc);
  // A writer that was killed between its last commit and its note of it in the lock file, which others
  // kept open, leaves a note of the commit before. Readers go by the note; who writes next puts it
  // right. What is read before that, to be written upon, would lack the last commit.
  if (!options.read_only && options.locked)
    EBB_TRY(opened.begin_write());
  return opened;
}

result<lmdb_transaction> lmdb_environment::begin_write() {
  MDB_txn* txn = nullptr;
  if (const auto rc = mdb_txn_begin(env_, nullptr, 0, &txn); rc != 0)
    return failure(*path_, "begin writing", rc);
  return lmdb_transaction{txn, *path_};
}

result<lmdb_transaction> lmdb_environment::begin_read() {
  MDB_txn* txn = nullptr;
  if (const auto rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn); rc != 0)
    return failure(*path_, "begin reading", rc);
  return lmdb_transaction{txn, *path_};
}

void lmdb_environment::forget_dead_readers() noexcept {
  int dead = 0;
  mdb_reader_check(env_, &dead);
}

void lmdb_environment::let_go_of_pages() noexcept {
  // LMDB does not say where its map is, but what is read lies in it.
  auto reading = begin_read();
  if (!reading)
    return;
  MDB_dbi main = 0;
  MDB_cursor* cursor = nullptr;
  if (mdb_dbi_open(reading->txn_, nullptr, 0, &main) != 0
      || mdb_cursor_open(reading->txn_, main, &cursor) != 0)
    return;
  MDB_val key{};
  MDB_val value{};
  const auto rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
  mdb_cursor_close(cursor);
  if (rc != 0)
    return;
  const auto place = reinterpret_cast<std::uintptr_t>(key.mv_data); // NOLINT
  std::FILE* maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr)
    return;
  std::array<char, 4096> line{};
  while (std::fgets(line.data(), line.size(), maps) != nullptr) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    if (std::sscanf(line.data(), "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2 && from <= place
        && place < to) {
      static_cast<void>(madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED)); // NOLINT
      break;
    }
  }
  std::fclose(maps);
}

lmdb_extent lmdb_environment::extent() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat);
  return {stat.ms_psize, info.me_last_pgno};
}

} // namespace ebb
