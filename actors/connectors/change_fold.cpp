#include "actors/connectors/change_fold.hpp"

#include "actors/dataflow/key_encoding.hpp"

namespace ebb {

namespace {

constexpr auto no_row = row_change::no_row;

std::int32_t weight_of(const batch& rows, std::uint32_t i) {
  return rows.weights.as<const std::int32_t>()[i];
}

} // namespace

const std::vector<row_change>& change_fold::of(const batch& rows) {
  changes_.clear();
  places_.clear();
  sums_.clear();
  if (!rows.weights)
    for (std::uint32_t i = 0; i < rows.rows; ++i)
      changes_.push_back({no_row, i});
  else if (key_)
    fold_keyed(rows);
  else
    fold_counted(rows);
  return changes_;
}

void change_fold::encode_all(const batch& rows, std::uint32_t i, std::string& to) const {
  to.clear();
  for (std::size_t c = 0; c < width_; ++c)
    encode_key_value(rows.columns[c], i, to);
}

bool change_fold::same_row(const batch& rows, std::uint32_t a, std::uint32_t b) {
  encode_all(rows, a, encoded_);
  encode_all(rows, b, other_);
  return encoded_ == other_;
}

change_fold::sum& change_fold::find(const std::string& encoded) {
  const auto [at, fresh] = places_.try_emplace(encoded, sums_.size());
  if (fresh)
    sums_.emplace_back();
  return sums_[at->second];
}

void change_fold::fold_keyed(const batch& rows) {
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    encoded_.clear();
    for (const auto column : *key_)
      encode_key_value(rows.columns[column], i, encoded_);
    auto& at = find(encoded_).what;
    if (weight_of(rows, i) > 0)
      at.after = i;
    else if (at.after != no_row)
      at.after = no_row; // the row that came a moment ago
    else
      at.before = i;
  }
  for (const auto& x : sums_)
    if (x.what.before != no_row && x.what.after == no_row)
      changes_.push_back(x.what);
  for (const auto& [x, weight] : sums_)
    if (x.after != no_row && (x.before == no_row || !same_row(rows, x.before, x.after)))
      changes_.push_back(x);
}

void change_fold::fold_counted(const batch& rows) {
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    encode_all(rows, i, encoded_);
    auto& at = find(encoded_);
    at.weight += weight_of(rows, i);
    // Rows that compare equal may be written differently (1.0, 1.00): each sign has its own.
    (weight_of(rows, i) > 0 ? at.what.after : at.what.before) = i;
  }
  for (const auto& x : sums_)
    for (auto k = x.weight; k < 0; ++k)
      changes_.push_back({x.what.before, no_row});
  for (const auto& x : sums_)
    for (auto k = x.weight; k > 0; --k)
      changes_.push_back({no_row, x.what.after});
}

} // namespace ebb
