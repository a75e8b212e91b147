/// Rows under construction: typed columns that a parser fills one value at a time.
#pragma once

#include "actors/connectors/file_values.hpp"
#include "actors/plan/manifest.hpp"
#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// One column under construction. The parsers write fixed-width values straight into `values`.
struct row_slot {
  field definition;
  type_kind kind = type_kind::text;
  void* values = nullptr; ///< of `target`
  column target;
  std::vector<column> arrays; ///< array columns: a column of one row each
  fast::date_cache dates;

  template <class T>
  void store(std::uint32_t row, T value) noexcept {
    static_cast<T*>(values)[row] = value;
  }
};

/// Why a value cannot be taken.
struct value_problem {
  std::string field; ///< column; empty = the record as a whole
  std::string message;
  std::uint64_t lines = 0; ///< of the record, before the one that it is on
};

/// Builds batches of up to `capacity` rows. Values of one row may be stored in any order and again;
/// `commit` makes the row count. Used by one thread.
class row_builder {
public:
  row_builder(const schema& columns, timestamp_unit unit, std::uint32_t capacity);

  [[nodiscard]] std::uint32_t rows() const noexcept {
    return rows_;
  }

  [[nodiscard]] bool full() const noexcept {
    return rows_ == capacity_;
  }

  [[nodiscard]] std::uint32_t width() const noexcept {
    return static_cast<std::uint32_t>(slots_.size());
  }

  [[nodiscard]] row_slot& slot(std::uint32_t index) noexcept {
    return slots_[index];
  }

  /// Forgets what was stored in the current row.
  void restart_row();

  /// False (and a problem) under NOT NULL.
  [[nodiscard]] bool store_null(row_slot& x);

  /// A value in the spelling of CSV: PostgreSQL's input text, ISO times with a zone applied,
  /// integers for times, base64 or `\x…` for bytes. `text` must stay readable for 64 bytes behind
  /// its end; text values keep pointing at it (see `keep`).
  [[nodiscard]] bool store_text(row_slot& x, const char* text, std::size_t size);

  /// A JSON string (unescaped; same rules for the memory as store_text).
  [[nodiscard]] bool store_json_string(row_slot& x, std::string_view text);
  /// A JSON number of correct grammar.
  [[nodiscard]] bool store_json_number(row_slot& x, std::string_view token);
  [[nodiscard]] bool store_boolean(row_slot& x, bool value);
  /// An array's elements as a column of the element type, all rows.
  void store_array(row_slot& x, column elements);
  /// An integer of the stream's unit as a time; false when it is out of range.
  [[nodiscard]] bool to_time(std::int64_t value, micros& out) const noexcept;

  /// A JSONB value, from JSON text.
  [[nodiscard]] bool store_json(row_slot& x, std::string_view json);

  /// Memory for `size` bytes of text made by the parser; lives as long as the batch.
  [[nodiscard]] char* scratch(std::size_t size);

  /// Which column `check_time` looks at.
  void watch_time(std::uint32_t column) noexcept {
    watched_ = column;
  }

  /// Times behind `latest` are bad from now on, but for infinity, which moves no watermark.
  void set_latest(micros latest) noexcept {
    latest_ = latest;
  }

  /// False (and a problem) where the current row's time is bad.
  [[nodiscard]] bool check_time() {
    return latest_ == max_time || time_passes();
  }

  /// The current row is complete; `number` is its record number, rising.
  void commit(std::uint64_t number);

  /// Takes the last committed row back.
  void uncommit();

  /// NULL whatever the column says: for a column that nobody reads.
  void leave_out(row_slot& x);

  /// Memory that text values of the batch may point into.
  void keep(const buffer_ptr& memory);

  /// The batch of the committed rows, and a fresh start. Needs at least one row.
  [[nodiscard]] std::shared_ptr<batch> take(std::shared_ptr<const std::string> source);

  /// What the last failed store has to say.
  [[nodiscard]] value_problem take_problem() {
    return std::exchange(problem_, {});
  }

  /// Always false, so that a store can return it.
  bool fail(const row_slot& x, std::string message);

private:
  void start(row_slot& x);
  [[nodiscard]] buffer_ptr values_for(std::size_t bytes);
  bool time_passes();
  bool store_parsed(row_slot& x, std::string_view text);
  bool store_time(row_slot& x, std::string_view text);
  bool store_bytes(row_slot& x, std::string_view text);
  bool store_string(row_slot& x, std::string_view text);
  bool store_varchar(row_slot& x, std::string_view text);
  bool store_integer(row_slot& x, std::int64_t value);

  std::vector<row_slot> slots_;
  timestamp_unit unit_;
  std::uint32_t capacity_;
  std::size_t shared_bytes_ = 0; ///< of the values of a batch's columns; 0 = a buffer each
  buffer_ptr shared_;            ///< of the batch that is being made
  std::size_t shared_used_ = 0;
  std::uint32_t rows_ = 0;
  std::uint32_t watched_ = 0;
  micros latest_ = max_time;
  std::uint64_t first_ = 0;
  std::vector<std::uint32_t> distances_; ///< of rows from first_, once they are not consecutive
  std::vector<buffer_ptr> heap_;
  std::vector<buffer_ptr> scratch_;
  char* scratch_next_ = nullptr;
  char* scratch_end_ = nullptr;
  value_problem problem_;
};

/// `text` as it may stand in an error message: at most 100 bytes of it, cut between characters, no
/// control characters and nothing that is not UTF-8.
[[nodiscard]] std::string shown(std::string_view text);

} // namespace ebb
