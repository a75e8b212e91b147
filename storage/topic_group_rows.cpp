#include "storage/topic_logging.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

bool all_equal(const std::vector<std::uint32_t>& x) noexcept {
  return std::all_of(x.begin(), x.end(), [&](std::uint32_t y) { return y == x.front(); });
}

} // namespace

bool topic_group_rows::sound(const topic_append& x) const {
  return std::all_of(x.parts.begin(), x.parts.end(), [&](const topic_part& part) {
    const auto& numbers = part.partitions;
    return (numbers.size() <= 1 || numbers.size() == part.rows->rows)
           && std::all_of(numbers.begin(), numbers.end(),
                          [&](std::uint32_t p) { return p < ends_.size(); });
  });
}

void topic_group_rows::add_rows(std::uint32_t partition, batch_ptr rows,
                                std::vector<topic_range>& ranges) {
  const auto count = rows->rows;
  auto range = std::find_if(ranges.begin(), ranges.end(),
                            [&](const topic_range& x) { return x.partition == partition; });
  if (range == ranges.end())
    range = ranges.insert(ranges.end(), {partition, 0, ends_[partition]});
  range->rows += count;
  ends_[partition] += count;
  auto& parts = parts_[partition];
  if (parts.empty())
    touched_.push_back(partition);
  parts.push_back(std::move(rows));
}

std::optional<std::vector<topic_range>> topic_group_rows::add(const topic_append& x,
                                                              std::uint32_t chosen) {
  if (!sound(x))
    return std::nullopt;
  std::vector<topic_range> ranges;
  std::vector<std::uint32_t> starts; // of each partition's picks
  std::vector<std::uint32_t> picks;
  for (const auto& part : x.parts) {
    const auto& numbers = part.partitions;
    if (part.rows->rows == 0)
      continue;
    if (numbers.empty() || all_equal(numbers)) {
      add_rows(numbers.empty() ? chosen : numbers.front(), part.rows, ranges);
      continue;
    }
    starts.assign(ends_.size() + 1, 0);
    for (const auto p : numbers)
      ++starts[p + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    picks.resize(numbers.size());
    auto next = starts;
    for (std::uint32_t i = 0; i < numbers.size(); ++i)
      picks[next[numbers[i]]++] = i;
    batch plain = *part.rows; // its origin would be gathered as well
    plain.origin = {};
    for (std::uint32_t p = 0; p < ends_.size(); ++p)
      if (const auto count = starts[p + 1] - starts[p]; count != 0)
        add_rows(p, std::make_shared<const batch>(gather(plain, picks.data() + starts[p], count)),
                 ranges);
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const topic_range& a, const topic_range& b) { return a.partition < b.partition; });
  return ranges;
}

} // namespace ebb
