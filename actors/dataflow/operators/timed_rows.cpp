#include "actors/dataflow/operators/timed_rows.hpp"

#include "actors/dataflow/key_encoding.hpp"

#include <algorithm>

namespace ebb {

void timed_rows::grow() {
  hashes_.grow(rows(), 0);
  times_.grow(rows(), max_time);
  there_.grow(rows(), 0);
}

void timed_rows::wait(std::uint32_t row, micros time) {
  times_.at(rows(), row) = time;
  there_.at(rows(), row) = 1;
  if (time == max_time)
    return;
  queue_.add({time, row, 0});
  earliest_ = std::min(earliest_, time);
}

result<void> timed_rows::add(const batch& from, const std::vector<std::uint32_t>& picks,
                             const std::vector<micros>& times,
                             const std::vector<std::uint64_t>& hashes) {
  if (picks.empty())
    return {};
  const auto count = static_cast<std::uint32_t>(picks.size());
  numbers_.resize(count);
  EBB_TRY(kept_.append(from, picks.data(), count, numbers_.data()));
  grow();
  for (std::uint32_t j = 0; j < count; ++j) {
    const auto hash = static_cast<std::uint32_t>(hashes[picks[j]]);
    hashes_.at(rows(), numbers_[j]) = hash;
    finder_.insert(hash, numbers_[j]);
    wait(numbers_[j], times[j]);
  }
  return {};
}

std::uint32_t timed_rows::find(const batch& from, std::uint32_t i, std::uint64_t hash,
                               const net_batch& net) const {
  return finder_.find(static_cast<std::uint32_t>(hash),
                      [&](std::uint32_t row) { return net.equal(from, i, rows(), row); });
}

void timed_rows::remove(std::uint32_t row) {
  finder_.erase(hashes_.at(rows(), row), row);
  there_.at(rows(), row) = 0;
  kept_.remove({&row, 1});
}

void timed_rows::take_due(micros now, std::vector<std::uint32_t>& out) {
  if (earliest_ > now || now == max_time)
    return;
  taken_.clear();
  queue_.take_before(now + 1, taken_);
  for (const auto& x : taken_)
    if (there_.has(rows(), x.row) && there_.at(rows(), x.row) != 0
        && times_.at(rows(), x.row) == x.time)
      out.push_back(x.row);
  earliest_ = queue_.earliest();
}

result<void> timed_rows::make_room() {
  if (!kept_.wants_move())
    return {};
  EBB_TRY(kept_.move_oldest(from_, to_));
  grow();
  for (std::size_t i = 0; i < from_.size(); ++i) {
    const auto hash = hashes_.at(rows(), from_[i]);
    hashes_.at(rows(), to_[i]) = hash;
    finder_.renumber(hash, from_[i], to_[i]);
    wait(to_[i], times_.at(rows(), from_[i]));
  }
  kept_.drop_moved();
  hashes_.drop_oldest();
  times_.drop_oldest();
  there_.drop_oldest();
  return {};
}

result<void> timed_rows::load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                              std::string_view value) {
  numbers_.clear();
  return kept_.load(key_group, state, key, value, numbers_);
}

void timed_rows::finish_load(const std::function<micros(std::uint32_t)>& time_of) {
  grow();
  for (std::uint32_t chunk = 0; chunk < rows().chunk_count(); ++chunk) {
    const auto hashes = hash_chunk(rows(), chunk);
    for (std::uint32_t i = 0; i < hashes.size(); ++i) {
      const auto row = rows().row_at(chunk, i);
      hashes_.at(rows(), row) = static_cast<std::uint32_t>(hashes[i]);
      finder_.insert(static_cast<std::uint32_t>(hashes[i]), row);
      wait(row, time_of(row));
    }
  }
}

} // namespace ebb
