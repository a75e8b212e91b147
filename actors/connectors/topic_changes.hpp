/// Topics of changes (format debezium): how their logs hold messages.
///
/// A message is one row: `op` (TEXT: c, r, u or d), then the columns of the row before, then those
/// of the row after. All columns of a side that a message lacks are NULL.
#pragma once

#include "actors/connectors/change_fold.hpp"
#include "actors/connectors/file_format.hpp"
#include "actors/plan/manifest.hpp"
#include "actors/runtime/topic_access.hpp"
#include "schemas/batch.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace ebb {

/// Messages from changes of `rows`. `ops`: of each change; empty = what the sides tell.
[[nodiscard]] batch_ptr messages_of(const batch& rows, const std::vector<row_change>& changes,
                                    std::string_view ops = {});

/// What a message has.
struct message_sides {
  bool before = false;
  bool after = false;
};

/// `keys`: columns that a row never has NULL in, by which a `u` without a row before is known;
/// empty = none comes without.
[[nodiscard]] message_sides sides_of(const batch& messages, std::uint32_t i, std::size_t width,
                                     const std::vector<std::uint32_t>& keys);

/// The rows of messages of a topic whose rows have `width` columns, in order, with weights where
/// any goes: a `u` gives the row before and the row after. `columns`: which, in what order.
[[nodiscard]] batch rows_of_messages(const batch& messages, std::size_t width,
                                     const std::vector<std::uint32_t>& keys,
                                     const std::vector<std::uint32_t>& columns);

/// Of column `number` of the rows: of the row after, or, where there is none, of the row before.
[[nodiscard]] column newest_values(const batch& messages, std::size_t width, std::uint32_t number);

/// Numbers of these columns.
[[nodiscard]] std::vector<std::uint32_t> numbers_of(const std::vector<std::string>& names,
                                                    const schema& columns);

/// Messages as Debezium records, one a line.
[[nodiscard]] std::unique_ptr<record_writer>
make_change_message_writer(const schema& columns, const std::vector<std::string>& primary_key);

} // namespace ebb
