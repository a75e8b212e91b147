/// LMDB with owners and errors as values. The only header through which ebb uses LMDB.
///
/// Every error names the file, the operation and LMDB's text. A transaction or cursor belongs to
/// one thread at a time and may not outlive its environment; after a failed commit or sync the
/// environment is closed and not used again (the kernel may have dropped the pages that it could
/// not write). One process opens a locked environment once.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace ebb {

/// LMDB's own limit, by Debian's build; segments use `stored_key_max`.
inline constexpr std::size_t lmdb_key_max = 511;

struct lmdb_options {
  bool read_only = false;
  bool locked = true;        ///< false: no lock file and no reader table; the file may not change
  std::size_t map_bytes = 0; ///< most bytes that the file may have
  unsigned databases = 8;    ///< most named databases
};

/// Where a file ends: pages 0 … last_page are in use.
struct lmdb_extent {
  std::size_t page_bytes = 0;
  std::size_t last_page = 0;
};

/// Handle of a named database; valid as long as its environment.
enum class lmdb_database : unsigned {};

class lmdb_cursor;

/// A transaction; aborted unless committed. Views that it returns live as long as it does, or until
/// its next write.
class lmdb_transaction {
public:
  lmdb_transaction(lmdb_transaction&& other) noexcept;
  lmdb_transaction& operator=(lmdb_transaction&& other) noexcept;
  ~lmdb_transaction();

  /// Opens (and in a write transaction with `create`, makes) a named database.
  [[nodiscard]] result<lmdb_database> open(const char* name, bool create);

  [[nodiscard]] result<std::optional<std::string_view>> get(lmdb_database database,
                                                            std::string_view key) const;
  [[nodiscard]] result<void> put(lmdb_database database, std::string_view key,
                                 std::string_view value);

  /// Puts a value of that size and returns its place, to be filled before the next call.
  [[nodiscard]] result<std::span<char>> reserve(lmdb_database database, std::string_view key,
                                                std::size_t value_bytes);

  /// False when there was nothing.
  [[nodiscard]] result<bool> erase(lmdb_database database, std::string_view key);

  /// Number of the commit that a write transaction will be, or that a read transaction sees.
  [[nodiscard]] std::uint64_t id() const noexcept;

  [[nodiscard]] result<lmdb_cursor> cursor(lmdb_database database) const;

  /// Ends the transaction, in either case.
  [[nodiscard]] result<void> commit();
  void abort() noexcept;

private:
  friend class lmdb_environment;

  lmdb_transaction(MDB_txn* txn, const std::string& path) : txn_(txn), path_(&path) {}

  MDB_txn* txn_ = nullptr;
  const std::string* path_ = nullptr; ///< of the environment
};

/// A place in a database. Positioning functions return false where there is no such entry.
class lmdb_cursor {
public:
  lmdb_cursor(lmdb_cursor&& other) noexcept;
  lmdb_cursor& operator=(lmdb_cursor&& other) noexcept;
  ~lmdb_cursor();

  [[nodiscard]] result<bool> first();
  [[nodiscard]] result<bool> next();
  [[nodiscard]] result<bool> last();

  /// Also from behind the last entry.
  [[nodiscard]] result<bool> previous();

  /// To this key exactly.
  [[nodiscard]] result<bool> find(std::string_view key);

  /// To the first key that is not less.
  [[nodiscard]] result<bool> seek(std::string_view key);

  /// Appends an entry after all others and returns the place of its value, to be filled before the
  /// next call. The key must be greater than every other (else ec::internal).
  [[nodiscard]] result<std::span<char>> append(std::string_view key, std::size_t value_bytes);

  /// Of the entry last positioned on; they point into the file.
  [[nodiscard]] std::string_view key() const noexcept {
    return key_;
  }

  [[nodiscard]] std::string_view value() const noexcept {
    return value_;
  }

private:
  friend class lmdb_transaction;

  lmdb_cursor(MDB_cursor* cursor, const std::string& path) : cursor_(cursor), path_(&path) {}

  result<bool> move(int operation, std::string_view key);

  MDB_cursor* cursor_ = nullptr;
  const std::string* path_ = nullptr;
  std::string_view key_;
  std::string_view value_;
};

/// One LMDB file (no folder of its own). Movable; transactions must have ended before it goes.
class lmdb_environment {
public:
  [[nodiscard]] static result<lmdb_environment> open(const std::string& path,
                                                     const lmdb_options& options);

  lmdb_environment(lmdb_environment&& other) noexcept;
  lmdb_environment& operator=(lmdb_environment&& other) noexcept;
  ~lmdb_environment();

  [[nodiscard]] result<lmdb_transaction> begin_write();
  [[nodiscard]] result<lmdb_transaction> begin_read();
  [[nodiscard]] lmdb_extent extent() const;

  /// Pages that a killed process was reading can be used again.
  void forget_dead_readers() noexcept;

  /// Unmaps what was read. It stays in the system's cache of the file, and is mapped again where it
  /// is touched.
  void let_go_of_pages() noexcept;

private:
  lmdb_environment(MDB_env* env, std::string path);

  MDB_env* env_ = nullptr;
  std::unique_ptr<std::string> path_; ///< keeps its address when the environment moves
};

} // namespace ebb
