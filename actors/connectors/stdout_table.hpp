/// Rows as an aligned table, for people.
#pragma once

#include "actors/connectors/file_format.hpp"

#include <memory>
#include <string_view>

namespace ebb {

/// Numbers are aligned to the right. NULL is shown as `NULL`; control characters as `\n`, `\x01`.
/// Columns are as wide as in the first 200 rows (at most 60), later rows may widen them; nothing is
/// cut off. Behind the last row stands how many there were.
[[nodiscard]] std::unique_ptr<record_writer> make_table_writer(const schema& columns);

/// Columns that UTF-8 text takes on a terminal.
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

} // namespace ebb
