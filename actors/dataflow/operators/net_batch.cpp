#include "actors/dataflow/operators/net_batch.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"

#include <algorithm>
#include <bit>

namespace ebb {

namespace {

std::vector<sort_key> every_column(std::size_t count) {
  std::vector<sort_key> keys;
  for (std::uint32_t k = 0; k < count; ++k)
    keys.push_back({k, false, false});
  return keys;
}

constexpr std::uint32_t none = UINT32_MAX;

} // namespace

net_batch::net_batch(const std::vector<sql_type>& types)
    : order_(every_column(types.size()), types) {}

void net_batch::hash_rows(const batch& rows) {
  hashes_.resize(rows.rows);
  hash_keys(pointers_to(rows.columns), rows.rows, hashes_.data());
}

void net_batch::take(const batch& rows, const std::vector<std::uint32_t>* picks) {
  deleted_.clear();
  inserted_.clear();
  const auto* weights = rows.weights ? rows.weights.as<const std::int32_t>() : nullptr;
  const auto add = [&](std::uint32_t i) {
    const auto weight = weights == nullptr ? 1 : weights[i];
    for (auto w = weight; w > 0; --w)
      inserted_.push_back(i);
    for (auto w = weight; w < 0; ++w)
      deleted_.push_back(i);
  };
  if (picks == nullptr)
    for (std::uint32_t i = 0; i < rows.rows; ++i)
      add(i);
  else
    for (const auto i : *picks)
      add(i);
  if (deleted_.empty())
    return;
  hash_rows(rows);
  if (!inserted_.empty())
    cancel(rows);
}

// Looks up each insertion among the deletions.
void net_batch::cancel(const batch& rows) {
  const auto mask = static_cast<std::uint32_t>(std::bit_ceil(deleted_.size() * 2) - 1);
  heads_.assign(mask + std::size_t{1}, none);
  next_.resize(deleted_.size());
  for (std::uint32_t d = 0; d < deleted_.size(); ++d) {
    auto& head = heads_[hashes_[deleted_[d]] & mask];
    next_[d] = head;
    head = d;
  }
  gone_.assign(deleted_.size(), 0);
  std::size_t kept = 0;
  bool any = false;
  for (const auto i : inserted_) {
    auto d = heads_[hashes_[i] & mask];
    while (d != none
           && (gone_[d] != 0 || hashes_[deleted_[d]] != hashes_[i]
               || !equal_rows(rows, deleted_[d], i)))
      d = next_[d];
    if (d == none) {
      inserted_[kept++] = i;
      continue;
    }
    gone_[d] = 1;
    any = true;
  }
  if (!any)
    return;
  inserted_.resize(kept);
  kept = 0;
  for (std::size_t d = 0; d < gone_.size(); ++d)
    if (gone_[d] == 0)
      deleted_[kept++] = deleted_[d];
  deleted_.resize(kept);
}

bool net_batch::equal_rows(const batch& rows, std::uint32_t a, std::uint32_t b) const {
  for (const auto& x : rows.columns) {
    const bool null_a = x.is_null(a);
    if (null_a != x.is_null(b) || (!null_a && compare_values(x, a, x, b) != 0))
      return false;
  }
  return true;
}

} // namespace ebb
