/// Reads CSV (RFC 4180): a header row, quotes, doubled quotes, line feeds inside quotes, LF or
/// CRLF.
#pragma once

#include "actors/connectors/file_parser.hpp"
#include "actors/connectors/file_scan.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Bad records: a quote inside an unquoted field, text behind a closing quote, another number of
/// fields than the header has, NUL, and what is not UTF-8. Blank lines are no records, but where
/// the header has one column only. Record numbers do not count the header.
///
/// A stray quote must not take what follows with it. A quoted field that is not closed before the
/// end of the file, or within the bytes that a record may have, or whose closing quote has text
/// behind it, is bad up to the end of the line on which it was opened; the next line is a record of
/// its own again. So is what follows the line on which a record becomes too long.
class csv_reader final : public record_parser {
public:
  explicit csv_reader(parse_options options);

protected:
  progress parse(std::uint32_t rows) override;
  const char* find_end(const char* from, const char* to, bool restart) override;
  result<void> reread_header() override;

private:
  enum class outcome : std::uint8_t { done, incomplete, bad };
  /// Where the search for a record's end stands.
  enum class place : std::uint8_t { field_start, unquoted, quoted, quote };

  /// A field, and the byte behind it (the delimiter or a line feed).
  struct raw_field {
    const char* text = nullptr;
    std::size_t size = 0;
    char* next = nullptr;
    char last = 0;
  };

  progress read_header();
  outcome read_record();
  outcome read_quoted(char* p, raw_field& out);
  outcome read_plain(char* p, raw_field& out);
  outcome finish_record(char* next, std::size_t fields);
  outcome store(std::size_t index, const raw_field& x, bool quoted);
  outcome bad(std::string message, std::string field = {});
  outcome bad(value_problem problem);
  outcome bad_quoted(std::string message, const char* open, const char* where);
  progress leave_out(outcome read);
  [[nodiscard]] std::uint64_t lines_before(const char* p) const noexcept;
  bool skip_blank_line();
  bool reject_at(const char* end);
  [[nodiscard]] bool is_null(const raw_field& x) const noexcept;

  scan::csv_scanner scanner_;
  std::vector<std::int32_t> meaning_; ///< column of each header field, or -1
  std::vector<std::string> nulls_;    ///< spellings but the empty one
  std::size_t null_size_max_ = 0;
  value_problem problem_;
  std::uint64_t inner_lines_ = 0; ///< line feeds inside quotes of the record being read
  place place_ = place::field_start;
  const char* opened_ = nullptr;    ///< by find_end: the quote that place_ is behind
  const char* bad_quote_ = nullptr; ///< opened the field that problem_ is about; null = none did
  const char* bad_place_ = nullptr; ///< of that problem
  bool empty_is_null_ = false;
  bool high_ = false; ///< a quoted field of the record holds a byte above 127
  bool have_header_ = false;
  bool to_line_end_ = false; ///< find_end looks for the end of a line only
};

} // namespace ebb
