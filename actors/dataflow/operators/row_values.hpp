/// What a row is called in a message where no source's record is known, behind a window, a join or a
/// group: by its values.
#pragma once

#include "actors/dataflow/expr.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace ebb {

/// `g = 2, max(v) = 1` for row i: values of columns that the expressions read by name, first of
/// those that are results themselves (keys, bounds of a window), then of what the others are made
/// of. Some values, each cut where it is long; empty where none has a name.
[[nodiscard]] std::string row_values(const batch& rows, std::uint32_t i,
                                     std::span<const expr_ptr> reads);

/// Adds them to the message of an error of a row whose source is not known.
[[nodiscard]] error name_values(error problem, const batch& rows, std::span<const expr_ptr> reads);

/// Adds the key of a group, `key (2, abc)`, in the same bounds; nothing where it has none.
void name_key(error& problem, std::span<const column> keys, std::uint32_t i);
/// The same with the bounds of its window, rows i of two columns of timestamps.
void name_key(error& problem, std::span<const column> keys, std::uint32_t i, const column& start,
              const column& end);

} // namespace ebb
