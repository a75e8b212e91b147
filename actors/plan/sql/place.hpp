/// The text of a query and where it stands in a manifest, so that errors point at the right place.
#pragma once

#include "actors/plan/manifest.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb::sql {

/// A piece of SQL. Offsets are bytes into `parsed()`, the text that the parser sees: the written
/// text with a frame around it (`CREATE TABLE t (` … `)`) where it is not a statement by itself.
class sql_text {
public:
  /// `where` gives the place in the manifest; null = lines and columns count from the text's start.
  explicit sql_text(std::string_view written, const operator_definition* where = nullptr,
                    std::string_view before = {}, std::string_view after = {});

  [[nodiscard]] const std::string& parsed() const noexcept {
    return parsed_;
  }

  [[nodiscard]] std::string_view written() const noexcept {
    return std::string_view{parsed_}.substr(before_, written_);
  }

  /// Offset of a character position as PostgreSQL counts it (from 1).
  [[nodiscard]] std::int32_t offset_of_character(std::int32_t position) const noexcept;

  /// Offset of the last `word` (a keyword in capitals) before `end`, or -1. Clauses have no place
  /// in PostgreSQL's parse tree.
  [[nodiscard]] std::int32_t keyword_before(std::string_view word, std::int32_t end) const noexcept;

  /// An error at an offset; -1 = the whole text, without excerpt.
  [[nodiscard]] error fail(ec code, std::int32_t offset, std::string message,
                           std::string hint = {}) const;
  /// Gives an error that has no place yet the place of an offset.
  [[nodiscard]] error locate(error problem, std::int32_t offset) const;

private:
  std::string parsed_;
  std::size_t before_ = 0;
  std::size_t written_ = 0;
  error_place start_; ///< of the first character
  bool mapped_ = false;
  bool is_block_ = false;
  std::uint32_t indent_ = 0;
};

} // namespace ebb::sql
