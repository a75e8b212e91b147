/// One LMDB file of a topic's log, and the names of files. For the log and its readers.
///
/// Tables: `rows` (partition, offset -> stored batch), `requests` (number -> logged_group),
/// `memory` (number -> topic_memory_chunk, what was remembered before those requests), `meta`
/// (`header`, `catalog`, `summary`). Values of the latter three stand behind the XXH3-128 of table,
/// key and value.
#pragma once

#include "schemas/topic_records.hpp"
#include "storage/lmdb.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

inline constexpr std::uint32_t topic_format = 1;

/// No file is larger; address space for who follows one without knowing its writer's options.
inline constexpr std::uint64_t topic_map_max = std::uint64_t{16} << 30;

enum class topic_table : std::uint8_t { rows, requests, memory, meta };

inline constexpr std::size_t topic_tables = 4;

enum class topic_file_use : std::uint8_t {
  write,  ///< the newest, by its writer
  follow, ///< the newest, in another process, while there is a writer or none
  sealed, ///< nobody writes it
};

/// 20 digits and `.mdb`, in the topic's folder.
[[nodiscard]] std::string topic_file_path(const std::string& folder, std::uint64_t number);
/// Numbers of the files in the folder, rising.
[[nodiscard]] result<std::vector<std::uint64_t>> topic_file_numbers(const std::string& folder);
[[nodiscard]] result<std::uint64_t> file_bytes(const std::string& path);
/// Files that were being made begin so.
[[nodiscard]] std::string topic_temporary_prefix(const std::string& folder);

/// What a commit of a file is noted as: a later one is greater.
[[nodiscard]] std::uint64_t topic_note(std::uint64_t number, std::uint64_t transaction) noexcept;

/// Number of the file of a note, and its transaction.
[[nodiscard]] std::uint64_t noted_file(std::uint64_t note) noexcept;
[[nodiscard]] std::uint64_t noted_transaction(std::uint64_t note) noexcept;

class topic_file {
public:
  /// Checks that LMDB can be given the file: that no commit since `least_transaction` is lost, its
  /// pages hold together, and its header is sound. `bytes` is what the file needs to have.
  struct expectation {
    std::uint64_t number = 0;
    std::uint64_t least_transaction = 0;
    std::uint64_t bytes = 0;
    bool check = true; ///< false: somebody writes it
  };

  [[nodiscard]] static result<std::shared_ptr<topic_file>> open(const std::string& folder,
                                                                topic_file_use use,
                                                                std::uint64_t map_bytes,
                                                                const expectation& expected);

  /// Makes the first state of a file durable under a temporary name, then under its own.
  /// `published` becomes true once it may exist under its own name.
  [[nodiscard]] static result<void> create(const std::string& folder, std::uint64_t map_bytes,
                                           const topic_file_header& header,
                                           const topic_catalog& catalog, topic_summary summary,
                                           const std::vector<topic_memory_chunk>& memory,
                                           bool& published);

  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

  [[nodiscard]] const topic_file_header& header() const noexcept {
    return header_;
  }

  // Any thread.
  [[nodiscard]] result<lmdb_transaction> begin_read();
  [[nodiscard]] result<topic_summary> summary(const lmdb_transaction& in) const;
  [[nodiscard]] result<topic_catalog> catalog(const lmdb_transaction& in) const;
  [[nodiscard]] result<logged_group> group(const lmdb_transaction& in, std::uint64_t number) const;
  [[nodiscard]] result<topic_memory_chunk> chunk(const lmdb_transaction& in,
                                                 std::uint64_t number) const;

  /// Stored batches of a partition from the one that holds `offset` on, as long as `visit` says
  /// true. The caller has made sure that the file holds it.
  [[nodiscard]] result<void> scan(
      const lmdb_transaction& in, std::uint32_t partition, std::uint64_t offset,
      const std::function<result<bool>(std::string_view key, std::string_view value)>& visit) const;

  /// Pages in use, in bytes.
  [[nodiscard]] std::uint64_t bytes() const;

  // The writer's thread.
  [[nodiscard]] result<lmdb_transaction> begin_write();
  [[nodiscard]] result<void> put(lmdb_transaction& in, topic_table table, std::string_view key,
                                 std::string_view value) const;
  [[nodiscard]] result<void> erase(lmdb_transaction& in, topic_table table,
                                   std::string_view key) const;
  [[nodiscard]] result<std::span<char>> reserve_rows(lmdb_transaction& in, std::string_view key,
                                                     std::size_t bytes) const;

  [[nodiscard]] error damaged(const std::string& what) const;

private:
  topic_file(std::string path, lmdb_environment environment);

  result<void> open_tables(lmdb_transaction& in, bool create);
  result<std::string_view> get(const lmdb_transaction& in, topic_table table,
                               std::string_view key) const;

  std::string path_;
  lmdb_environment environment_;
  lmdb_database tables_[topic_tables] = {};
  topic_file_header header_;
};

/// Keys of the meta table.
inline constexpr const char* topic_header_key = "header";
inline constexpr const char* topic_catalog_key = "catalog";
inline constexpr const char* topic_summary_key = "summary";

/// u64, big-endian.
[[nodiscard]] std::string topic_number_key(std::uint64_t number);

} // namespace ebb
