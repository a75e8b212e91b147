#include "actors/service/topics/topic_cursor.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// What a reader holds of all partitions together, about: each gives one stored batch at least.
constexpr std::size_t held_bytes = std::size_t{1} << 20;
constexpr std::size_t slice_bytes_min = std::size_t{16} << 10;

batch_ptr cut(const batch& rows, std::uint32_t from, std::uint32_t count) {
  std::vector<std::uint32_t> picks(count);
  std::iota(picks.begin(), picks.end(), from);
  return std::make_shared<const batch>(gather(rows, picks.data(), count));
}

} // namespace

topic_cursor::topic_cursor(std::vector<position> from) {
  for (const auto& x : from)
    parts_.push_back({x.partition, x.next, x.next, {}});
}

void topic_cursor::extend(const std::vector<topic_bounds>& bounds) {
  for (auto& x : parts_)
    x.end = std::max(x.end, bounds[x.partition].end);
}

std::vector<topic_cursor::position> topic_cursor::positions() const {
  std::vector<position> out;
  out.reserve(parts_.size());
  for (const auto& x : parts_)
    out.push_back({x.partition, x.next});
  return out;
}

void topic_cursor::rewind(const std::vector<position>& to) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    parts_[i].next = to[i].next;
    parts_[i].held = {};
  }
}

bool topic_cursor::at_end() const noexcept {
  return std::all_of(parts_.begin(), parts_.end(), [](const auto& x) { return x.next >= x.end; });
}

std::uint64_t topic_cursor::rows_left() const noexcept {
  std::uint64_t rows = 0;
  for (const auto& x : parts_)
    rows += x.end - std::min(x.next, x.end);
  return rows;
}

result<void> topic_cursor::fill(part& x, const read_function& read, std::uint64_t rows_max) const {
  const topic_read_limits limits{std::max(slice_bytes_min, held_bytes / parts_.size()),
                                 std::min({rows_max, x.end - x.next, std::uint64_t{4096}})};
  auto slice = read(x.partition, x.next, limits);
  if (!slice)
    return std::move(slice).error();
  x.held = std::move(slice->batches);
  std::reverse(x.held.begin(), x.held.end());
  if (!x.held.empty() && x.held.back().first >= x.end)
    x.held.clear();
  // What it was to read may be gone.
  x.next = x.held.empty() ? x.end : x.held.back().first;
  return {};
}

result<std::optional<topic_cursor::unit>> topic_cursor::next(const read_function& read,
                                                             std::uint64_t rows_max) {
  part* first = nullptr;
  for (auto& x : parts_) {
    if (x.held.empty() && x.next < x.end)
      EBB_TRY(fill(x, read, rows_max));
    if (!x.held.empty() && (first == nullptr || x.held.back().time < first->held.back().time))
      first = &x;
  }
  if (first == nullptr)
    return std::optional<unit>{};
  auto& rows = first->held.back();
  unit out{first->partition, rows};
  if (rows.rows->rows > rows_max) {
    const auto count = static_cast<std::uint32_t>(rows_max);
    out.rows.rows = cut(*rows.rows, 0, count);
    rows.rows = cut(*rows.rows, count, rows.rows->rows - count);
    rows.first += count;
  } else {
    first->held.pop_back();
  }
  first->next = out.rows.first + out.rows.rows->rows;
  return std::optional<unit>(std::move(out));
}

} // namespace ebb
