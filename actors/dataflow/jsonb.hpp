/// JSONB: the canonical text that stands for a value, and walks over it. Pure.
///
/// Canonical text is what PostgreSQL 15 prints for a jsonb: `{"a": 1, "bb": [true, null]}`. An
/// object's keys are sorted by length, then bytes, each once (the last one wins); numbers are
/// NUMERICs with their scale; strings have only the escapes that they need. A column of type JSONB
/// holds nothing else, so that what walks over it checks no syntax.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebb::jsonb {

/// Arrays and objects within one another, at most.
inline constexpr std::uint32_t depth_max = 512;

/// Appends the canonical text of JSON text. Errors are PostgreSQL's; the hint says where.
[[nodiscard]] result<void> append_canonical(std::string_view json, std::string& out);

/// Appends the text as a JSON string, quotes included.
void append_string(std::string_view text, std::string& out);

/// Appends what a JSON string without its quotes says.
void append_unescaped(std::string_view raw, std::string& out);

/// Appends the text with each number as the shortest one of its value: equal values, and only
/// those, have equal texts then.
void append_normal(std::string_view canonical, std::string& out);

/// -1, 0 or 1, in PostgreSQL's order of jsonb.
[[nodiscard]] int compare(std::string_view a, std::string_view b);

enum class value_type : std::uint8_t { null, string, number, boolean, array, object };

[[nodiscard]] value_type type_of(std::string_view value) noexcept;

/// The text of a string as it is, of null nothing, of others their canonical text: what `->>` gives
/// of a value that is there. False for null.
[[nodiscard]] bool append_text(std::string_view value, std::string& out);

/// The elements of an array or the members of an object, one after the other; of another value
/// none.
class items {
public:
  explicit items(std::string_view container) noexcept;

  /// Goes to the next; false = there is none.
  [[nodiscard]] bool next() noexcept;

  /// As it is written between the quotes; of an array's element nothing.
  [[nodiscard]] std::string_view raw_key() const noexcept {
    return key_;
  }

  [[nodiscard]] std::string_view value() const noexcept {
    return value_;
  }

private:
  std::string_view left_;
  std::string_view key_;
  std::string_view value_;
  bool object_ = false;
};

[[nodiscard]] std::uint32_t count(std::string_view container) noexcept;

/// The member of an object; `raw_key` as append_string writes it, without quotes.
[[nodiscard]] std::optional<std::string_view> member(std::string_view object,
                                                     std::string_view raw_key) noexcept;

/// An array's element, counted from 0, from the end where negative.
[[nodiscard]] std::optional<std::string_view> element(std::string_view array,
                                                      std::int64_t index) noexcept;

/// `@>`: everything of `part` is in `whole`.
[[nodiscard]] bool contains(std::string_view whole, std::string_view part);

} // namespace ebb::jsonb
