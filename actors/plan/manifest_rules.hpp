/// What the manifest's reader asks of each field, noted while it reads: schemas for others are made
/// from these notes, so that they cannot say anything else than the reader.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

enum class field_kind : std::uint8_t {
  object,     ///< with the keys `words`; `low` 1: may be empty (null)
  required,   ///< must be there
  choice,     ///< of an object: exactly one of the keys `words`
  list,       ///< of at most `high` items
  text,       ///< any
  boolean,    ///<
  integer,    ///< from `low` to `high`
  duration,   ///< of at least `low` microseconds, or one of `words`
  size,       ///< in bytes
  word,       ///< one of `words`
  label,      ///< RFC 1123
  identifier, ///< of SQL
  texts,      ///< an object of names and texts
  quantities, ///< an object of names and amounts
  any         ///< an object that is not looked into
};

struct field_rule {
  std::string path; ///< from the document on: `spec.sources[0].name`
  field_kind kind = field_kind::any;
  std::vector<std::string> words;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// Reads the documents like parse_documents, and appends what was asked of their fields, one after
/// the other; also when the result is an error.
[[nodiscard]] result<void> read_rules(std::string_view text, const std::string& file,
                                      std::vector<field_rule>& rules);

} // namespace ebb
