#include "actors/dataflow/operators/join_pairs.hpp"

#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/operators/row_compare.hpp"
#include "actors/dataflow/operators/row_values.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

template <class Equal>
void keep_pairs(row_pairs& pairs, Equal equal) {
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < pairs.size(); ++i) {
    const auto l = pairs.left[i];
    const auto r = pairs.right[i];
    pairs.left[kept] = l;
    pairs.right[kept] = r;
    kept += equal(l, r) ? 1 : 0;
  }
  pairs.left.resize(kept);
  pairs.right.resize(kept);
}

template <class T>
void keep_equal_words(const row_store& left, std::size_t l, const row_store& right, std::size_t r,
                      row_pairs& pairs) {
  keep_pairs(pairs, [&](std::uint32_t a, std::uint32_t b) {
    return left.value<T>(l, a) == right.value<T>(r, b);
  });
}

column one_constant(const row_store& from, std::size_t k, std::uint32_t row, std::uint32_t rows) {
  auto result = from.gather(k, &row, 1);
  result.constant = true;
  result.rows = rows;
  return result;
}

} // namespace

join_pairs::join_pairs(std::vector<sql_type> left_types, std::vector<sql_type> right_types,
                       std::span<const std::uint32_t> left_keys,
                       std::span<const std::uint32_t> right_keys, expr_ptr residual,
                       std::string name)
    : left_types_(std::move(left_types)), right_types_(std::move(right_types)),
      left_keys_(left_keys.begin(), left_keys.end()),
      right_keys_(right_keys.begin(), right_keys.end()), name_(std::move(name)) {
  if (!residual)
    return;
  collect_columns(*residual, needed_);
  std::sort(needed_.begin(), needed_.end());
  needed_.erase(std::unique(needed_.begin(), needed_.end()), needed_.end());
  std::vector<std::uint32_t> mapping(left_types_.size() + right_types_.size(), 0);
  for (std::uint32_t i = 0; i < needed_.size(); ++i)
    mapping[needed_[i]] = i;
  residual_ = remap_columns(residual, mapping);
}

void join_pairs::keep_equal(const row_store& left, const row_store& right, row_pairs& pairs) const {
  for (std::size_t k = 0; k < left_keys_.size(); ++k) {
    const auto l = left_keys_[k];
    const auto r = right_keys_[k];
    switch (left_types_[l].kind) {
    case type_kind::boolean:
      keep_equal_words<std::uint8_t>(left, l, right, r, pairs);
      break;
    case type_kind::smallint:
      keep_equal_words<std::int16_t>(left, l, right, r, pairs);
      break;
    case type_kind::integer:
    case type_kind::date:
      keep_equal_words<std::int32_t>(left, l, right, r, pairs);
      break;
    case type_kind::bigint:
    case type_kind::timestamp:
    case type_kind::timestamptz:
      keep_equal_words<std::int64_t>(left, l, right, r, pairs);
      break;
    case type_kind::array:
      keep_pairs(pairs, [&](std::uint32_t a, std::uint32_t b) {
        return compare_values(left.gather(l, &a, 1), 0, right.gather(r, &b, 1), 0) == 0;
      });
      break;
    default:
      keep_pairs(pairs, [&](std::uint32_t a, std::uint32_t b) {
        return compare_values(left.stored(l, a), row_store::place_of(a), right.stored(r, b),
                              row_store::place_of(b))
               == 0;
      });
      break;
    }
  }
}

result<void> join_pairs::keep_matching(const row_store& left, const row_store& right,
                                       row_pairs& pairs) {
  if (!residual_ || pairs.size() == 0)
    return {};
  batch candidates;
  candidates.rows = pairs.size();
  for (const auto k : needed_)
    candidates.columns.push_back(
        k < left_types_.size()
            ? left.gather(k, pairs.left.data(), pairs.size())
            : right.gather(k - left_types_.size(), pairs.right.data(), pairs.size()));
  picks_.resize(pairs.size());
  auto count = filter_rows(*residual_, candidates, selection::all(candidates), picks_.data());
  if (!count)
    return name_row(name_values(std::move(count).error(), candidates, {&residual_, 1}), candidates,
                    name_);
  if (*count == pairs.size())
    return {};
  for (std::uint32_t i = 0; i < *count; ++i) {
    pairs.left[i] = pairs.left[picks_[i]];
    pairs.right[i] = pairs.right[picks_[i]];
  }
  pairs.left.resize(*count);
  pairs.right.resize(*count);
  return {};
}

result<std::uint32_t> join_pairs::match_chunk(const row_store& chunk_side, std::uint32_t chunk,
                                              const row_store& row_side, std::uint32_t row,
                                              bool chunk_is_left, std::uint32_t* places) {
  const auto rows = chunk_side.rows_in(chunk);
  if (!residual_) {
    std::iota(places, places + rows, 0U);
    return rows;
  }
  batch candidates;
  candidates.rows = rows;
  for (const auto k : needed_) {
    const bool of_left = k < left_types_.size();
    const auto own = of_left ? k : k - left_types_.size();
    candidates.columns.push_back(of_left == chunk_is_left ? chunk_side.chunk_column(chunk, own)
                                                          : one_constant(row_side, own, row, rows));
  }
  auto count = filter_rows(*residual_, candidates, selection::all(candidates), places);
  if (!count)
    return name_row(name_values(std::move(count).error(), candidates, {&residual_, 1}), candidates,
                    name_);
  return *count;
}

batch_ptr join_pairs::make(const row_store& left, const row_store& right,
                           std::span<const std::uint32_t> left_rows,
                           std::span<const std::uint32_t> right_rows) const {
  const auto count = static_cast<std::uint32_t>(left_rows.size());
  auto joined = std::make_shared<batch>();
  joined->rows = count;
  joined->columns.reserve(left_types_.size() + right_types_.size());
  left.gather_all(left_rows.data(), count, joined->columns);
  right.gather_all(right_rows.data(), count, joined->columns);
  return joined;
}

batch_ptr join_pairs::make_left_only(const row_store& left,
                                     std::span<const std::uint32_t> rows) const {
  const auto count = static_cast<std::uint32_t>(rows.size());
  auto joined = std::make_shared<batch>();
  joined->rows = count;
  left.gather_all(rows.data(), count, joined->columns);
  for (const auto& type : right_types_)
    joined->columns.push_back(make_null_column(type, count));
  return joined;
}

batch_ptr join_pairs::make_right_only(const row_store& right,
                                      std::span<const std::uint32_t> rows) const {
  const auto count = static_cast<std::uint32_t>(rows.size());
  auto joined = std::make_shared<batch>();
  joined->rows = count;
  for (const auto& type : left_types_)
    joined->columns.push_back(make_null_column(type, count));
  right.gather_all(rows.data(), count, joined->columns);
  return joined;
}

batch_ptr join_pairs::pad(const batch& rows, std::span<const std::uint32_t> picks,
                          bool rows_are_left) const {
  const auto count = static_cast<std::uint32_t>(picks.size());
  auto joined = std::make_shared<batch>();
  joined->rows = count;
  if (!rows_are_left)
    for (const auto& type : left_types_)
      joined->columns.push_back(make_null_column(type, count));
  for (const auto& x : rows.columns)
    joined->columns.push_back(gather(x, picks.data(), count));
  if (rows_are_left)
    for (const auto& type : right_types_)
      joined->columns.push_back(make_null_column(type, count));
  return joined;
}

} // namespace ebb
