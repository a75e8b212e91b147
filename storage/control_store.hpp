/// The control database's tables: small values with checksums, in one fully synced LMDB file.
///
/// LMDB does not notice damage. So each value is stored behind its XXH3-128 (over table, key and
/// value), and one summary entry holds the number and the sum of all of them: an entry that has
/// vanished, or an old page that has come back, is found when the file is opened. Before LMDB sees
/// the file, `check_lmdb_file` has.
#pragma once

#include "schemas/error.hpp"
#include "storage/folder_lock.hpp"
#include "storage/lmdb.hpp"
#include "storage/segment_trailer.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

enum class control_table : std::uint8_t {
  streams,
  names,
  records,
  savepoints,
  tokens,
  topics,
  lives,
  traits,
  events,
};

inline constexpr std::size_t control_tables = 9;
inline constexpr std::uint32_t control_version = 1;

/// What the summary entry says.
struct control_summary {
  std::uint32_t version = control_version;
  std::uint64_t transaction = 0; ///< LMDB's number of the commit that wrote it
  std::uint64_t entries = 0;
  digest128 sum; ///< of the hashes of all entries, modulo 2^128

  bool operator==(const control_summary&) const = default;
};

class control_store;

/// All or nothing. A read sees the state of its begin; views live as long as it does, or until its
/// next write.
class control_transaction {
public:
  [[nodiscard]] result<std::optional<std::string_view>> get(control_table table,
                                                            std::string_view key) const;

  /// Entries whose key begins so, in order.
  [[nodiscard]] result<std::vector<std::pair<std::string_view, std::string_view>>>
  scan(control_table table, std::string_view prefix) const;

  [[nodiscard]] result<void> put(control_table table, std::string_view key, std::string_view value);
  [[nodiscard]] result<void> erase(control_table table, std::string_view key);

  /// Durable when it returns without an error. After an error nobody knows: the store is not to be
  /// used any more, and what was written is found out by opening it again.
  [[nodiscard]] result<void> commit(const char* failpoint_name);

private:
  friend class control_store;

  control_transaction(control_store& store, lmdb_transaction transaction);

  control_store* store_;
  lmdb_transaction transaction_;
  control_summary summary_;
};

/// One thread at a time.
class control_store {
public:
  /// FOLDER/control.mdb, made where there is none.
  [[nodiscard]] static result<std::unique_ptr<control_store>> open(const std::string& folder,
                                                                   folder_lock lock);

  /// ec::not_found where there is none. While another process writes, the file's structure is
  /// trusted.
  [[nodiscard]] static result<std::unique_ptr<control_store>>
  open_read_only(const std::string& folder);

  [[nodiscard]] bool read_only() const noexcept {
    return !lock_;
  }

  [[nodiscard]] result<control_transaction> begin_read();
  [[nodiscard]] result<control_transaction> begin_write();

  void let_go_of_pages() noexcept {
    environment_.let_go_of_pages();
  }

  /// Reads all entries and compares them with the summary.
  [[nodiscard]] result<void> verify();

private:
  friend class control_transaction;

  control_store(std::string path, std::optional<folder_lock> lock, lmdb_environment environment);

  static result<std::unique_ptr<control_store>> open(const std::string& folder,
                                                     std::optional<folder_lock> lock, bool check);

  result<void> open_tables();
  result<control_summary> read_summary(const lmdb_transaction& from) const;
  [[nodiscard]] error damaged(const std::string& what) const;

  std::string path_;
  std::optional<folder_lock> lock_; ///< nothing: read-only
  lmdb_environment environment_;
  std::array<lmdb_database, control_tables> tables_{};
  lmdb_database meta_{};
  bool failed_ = false;
};

} // namespace ebb
