/// Changes as Debezium records: `{"op":"c|u|d","before":…,"after":…}`, one a line.
#pragma once

#include "actors/connectors/file_format.hpp"
#include "actors/connectors/json_objects.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace ebb {

/// `before` and `after` are whole rows. What a batch says twice is said once: of rows that have a
/// unique key the change from the first row to the last (`u` where there are both), of others the
/// sum of their weights. Deletions come first.
[[nodiscard]] std::unique_ptr<record_writer>
make_debezium_writer(const schema& columns, std::optional<std::vector<std::uint32_t>> key);

/// A row, or none, of a batch.
struct change_side {
  const batch* rows = nullptr;
  std::uint32_t row = UINT32_MAX; ///< UINT32_MAX = there is none
};

/// Appends one record, with its line end.
void write_change(json_objects& objects, std::string_view op, const change_side& before,
                  const change_side& after, output_buffer& out);

/// Another writer's rows with a first column `op`: `+` for a row that comes, `-` for one that goes.
/// `make` gets the schema with that column.
[[nodiscard]] std::unique_ptr<record_writer>
make_signed_writer(const schema& columns,
                   std::unique_ptr<record_writer> (*make)(const schema& columns));

} // namespace ebb
