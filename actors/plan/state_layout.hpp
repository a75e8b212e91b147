/// What the entries of an operator's states look like, for people who look into them.
#pragma once

#include "actors/plan/stateful_steps.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// One value in the bytes of an entry.
struct state_part {
  enum class form : std::uint8_t {
    time,   ///< eight bytes that sort as the time does
    key,    ///< canonical (key_encoding.hpp)
    value,  ///< exact (value_builder.hpp)
    number, ///< eight bytes, high ones first
    group,  ///< two bytes, the same way
    flag,   ///< one byte, 0 or 1
    side,   ///< one byte: left, right
    hidden, ///< one byte that is not shown
    met,    ///< one byte of a windowed join's flags, and the number of partners where one says so
    ends,   ///< one byte of a window aggregate's flags, and times until the bytes end
    set,    ///< values of a call with DISTINCT, exact, in one stored BYTEA
    ordered ///< the same of a call with ORDER BY, each behind what it is sorted by
  };
  std::string name;
  form as = form::key;
  sql_type type;
};

struct state_layout {
  std::string identity;    ///< of the operator
  std::uint16_t state = 0; ///< number within the operator
  std::string name;        ///< `panes`, `open sessions`
  std::vector<state_part> key;
  std::vector<state_part> value; ///< repeated until the bytes end
};

/// Of the states whose entries can be told; others are shown as bytes.
[[nodiscard]] std::vector<state_layout> state_layouts(const stage_plan& plan);

/// A line a layout, and back; lines that are not understood are left out.
[[nodiscard]] std::string to_text(const std::vector<state_layout>& layouts);
[[nodiscard]] std::vector<state_layout> state_layouts_from(std::string_view text);

/// `name=value` for each part. Bytes that do not fit the parts are shown in hexadecimal.
[[nodiscard]] std::string show_parts(const std::vector<state_part>& parts, std::string_view bytes,
                                     bool repeated);

} // namespace ebb
