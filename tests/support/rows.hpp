/// Small batches for tests.
#pragma once

#include "schemas/batch.hpp"

#include <initializer_list>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace ebb::test {

inline column bigints(const std::vector<std::int64_t>& values) {
  auto result = make_column(sql_type{type_kind::bigint}, static_cast<std::uint32_t>(values.size()));
  std::copy(values.begin(), values.end(), result.mutable_data<std::int64_t>());
  return result;
}

inline column texts(const std::vector<std::string>& values) {
  text_builder builder(sql_type{type_kind::text}, static_cast<std::uint32_t>(values.size()));
  for (const auto& x : values)
    builder.append(x);
  return builder.take();
}

/// A batch of one BIGINT column.
inline batch_ptr rows_of(const std::vector<std::int64_t>& values) {
  auto result = std::make_shared<batch>();
  result->rows = static_cast<std::uint32_t>(values.size());
  result->columns.push_back(bigints(values));
  return result;
}

/// `count` rows from `first`.
inline batch_ptr row_range(std::int64_t first, std::uint32_t count) {
  std::vector<std::int64_t> values(count);
  std::iota(values.begin(), values.end(), first);
  return rows_of(values);
}

inline std::vector<std::int64_t> values_of(const batch& x, std::size_t column = 0) {
  const auto* data = x.columns[column].data<std::int64_t>();
  return {data, data + x.rows};
}

inline batch_ptr with_watermarks(const batch_ptr& rows, const std::vector<micros>& watermarks) {
  auto result = std::make_shared<batch>(*rows);
  result->watermarks = buffer_ptr::of<micros>(watermarks.size());
  std::copy(watermarks.begin(), watermarks.end(), result->watermarks.as<micros>());
  return result;
}

} // namespace ebb::test
