/// What the targets of record readers share: the source's options from the first bytes, and a
/// parser that gets its text in pieces.
#pragma once

#include "actors/connectors/file_format.hpp"
#include "actors/connectors/file_parser.hpp"
#include "tests/fuzz/support.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::fuzz {

/// Five characters of the input say what the source is like (`0` is the usual): policy on bad
/// records, columns, greatest record, delimiter, and how the text is cut.
struct record_input {
  parse_options options;
  std::uint64_t seed = 0;
  std::string text; ///< what follows; `\x1b` and a character repeat the byte before, so that a
                    ///< small input makes a long record
};

[[nodiscard]] record_input read_record_input(input in);

/// Columns of sources and topics, 0 … record_columns_count - 1: every type is in one of them.
[[nodiscard]] schema record_columns(std::uint32_t which);
inline constexpr std::uint32_t record_columns_count = 5;

/// What a writer writes of the batches.
[[nodiscard]] std::string written(record_writer& writer, const std::vector<batch_ptr>& batches);

/// Everything that a parser says of a text.
struct reading {
  std::vector<batch_ptr> batches;
  std::vector<std::string> rows; ///< `-` in front of those that are taken back
  std::vector<std::string> origins;
  std::vector<std::string> quarantined;
  std::string error;
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
};

using parser_ptr = std::unique_ptr<record_parser>;
using parser_maker = std::function<parser_ptr(const parse_options&)>;

/// Feeds the text in pieces of random size (all of it at once for seed 0) and asks for random
/// numbers of rows.
[[nodiscard]] reading read_records(record_parser& parser, std::string_view text,
                                   std::uint64_t seed);

/// The result does not depend on where the text is cut; what is left out was counted; an error
/// names file and line and says what to do.
reading check_cuts(const record_input& x, const parser_maker& make);

/// Besides, rows keep NOT NULL, and written out by `writer` and read again they are equal.
reading check_reader(const record_input& x, const parser_maker& make,
                     const std::function<std::unique_ptr<record_writer>()>& writer);

} // namespace ebb::fuzz
