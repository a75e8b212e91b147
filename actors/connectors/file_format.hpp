/// Rows to text: what the writers of JSON, CSV and tables share. Pure.
#pragma once

#include "actors/connectors/file_text.hpp"
#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace ebb {

/// Formats the rows of one sink. Used by one thread.
class record_writer {
public:
  virtual ~record_writer() = default;
  record_writer() = default;
  record_writer(const record_writer&) = delete;
  record_writer& operator=(const record_writer&) = delete;

  /// Appends the text of all rows. A row of weight n stands there n times; a row of negative weight
  /// is an error, unless the format can take rows back.
  [[nodiscard]] virtual result<void> write(const batch& rows, output_buffer& out);

  /// What stands before the first row. Called once, first.
  virtual void begin(output_buffer& out) {
    static_cast<void>(out);
  }

  /// What stands behind the last row.
  virtual void end(output_buffer& out) {
    static_cast<void>(out);
  }

  /// Whether rows were taken whose text has not been appended.
  [[nodiscard]] virtual bool holds_rows() const {
    return false;
  }

  /// Appends the text of rows held back.
  virtual void release(output_buffer& out) {
    static_cast<void>(out);
  }

  /// Rows taken.
  [[nodiscard]] std::uint64_t rows() const noexcept {
    return rows_;
  }

protected:
  virtual void write_row(const batch& rows, std::uint32_t i, output_buffer& out) = 0;

  void count_rows(std::uint64_t count) noexcept {
    rows_ += count;
  }

private:
  std::uint64_t rows_ = 0;
};

/// One object a line (INTERFACES: Writing JSON).
[[nodiscard]] std::unique_ptr<record_writer> make_json_writer(const schema& columns);

/// A header row, then RFC 4180 records with line feeds: NULL is empty, empty text `""`.
[[nodiscard]] std::unique_ptr<record_writer> make_csv_writer(const schema& columns, char delimiter);

} // namespace ebb
