#include "actors/dataflow/operators/block_writer.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/state_keys.hpp"

#include <numeric>

namespace ebb {

namespace {

// A row's share of a column costs so much less than an entry.
void spend(std::size_t rows, std::uint32_t& left) {
  left -= std::min<std::uint32_t>(left, 1 + static_cast<std::uint32_t>(rows / 32));
}

std::vector<std::uint64_t> sequences_of(const row_store& rows,
                                        std::span<const std::uint32_t> numbers) {
  std::vector<std::uint64_t> result(numbers.size());
  std::transform(numbers.begin(), numbers.end(), result.begin(),
                 [&](std::uint32_t row) { return rows.sequence_of(row); });
  return result;
}

} // namespace

void block_writer::start(const row_store& rows, std::uint64_t first) {
  frozen_.start(rows, first);
  more_ = true;
  done_ = false;
  next_column_ = SIZE_MAX;
  next_group_ = 0;
  open_.resize(key_groups_);
  for (auto& x : open_)
    x = open_block{};
}

// Sorts the rows that were taken by key group and begins a pack for each.
void block_writer::begin_packs(const row_store& rows, std::uint32_t& left) {
  spend(taken_.size() * 2, left);
  window_.resize(taken_.size());
  runs_.clear();
  if (taken_.empty())
    return;
  hashes_.resize(taken_.size());
  hash_stored(rows, keys_, taken_, hashes_.data());
  std::vector<std::uint32_t> ends(key_groups_ + std::size_t{1}, 0);
  for (const auto hash : hashes_)
    ++ends[key_group_of(hash, key_groups_) + std::size_t{1}];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  for (std::uint16_t g = 0; g < key_groups_; ++g)
    if (ends[g] != ends[g + std::size_t{1}])
      runs_.push_back({g, ends[g], ends[g + std::size_t{1}]});
  for (std::size_t i = 0; i < taken_.size(); ++i)
    window_[ends[key_group_of(hashes_[i], key_groups_)]++] = taken_[i];
  const auto sequences = sequences_of(rows, window_);
  for (const auto& run : runs_) {
    auto& to = open_[run.group];
    if (to.rows == 0) {
      to.first = sequences[run.first];
      to.value.clear();
      to.value.append_raw(block_version);
    }
    to.rows += run.end - run.first;
    begin_pack(std::span(sequences).subspan(run.first, run.end - run.first), rows.types().size(),
               to.value);
  }
  next_column_ = 0;
}

void block_writer::add_column(const row_store& rows, std::uint32_t& left) {
  const auto values =
      rows.peek(next_column_, window_.data(), static_cast<std::uint32_t>(window_.size()));
  for (const auto& run : runs_)
    append_pack_column(values, run.first, run.end - run.first, open_[run.group].value);
  ++next_column_;
  spend(window_.size() * (holds_text(values.type.kind) ? 2 : 1), left);
}

void block_writer::close_full(state_sink& sink, const on_put& put) {
  for (const auto& run : runs_)
    if (open_[run.group].value.size() >= full_block)
      close(run.group, sink, put);
  runs_.clear();
}

void block_writer::close_all(std::uint32_t& left, state_sink& sink, const on_put& put) {
  for (; next_group_ < open_.size() && left != 0; ++next_group_)
    if (open_[next_group_].rows != 0) {
      spend(open_[next_group_].rows, left);
      close(static_cast<std::uint16_t>(next_group_), sink, put);
    }
  if (next_group_ < open_.size())
    return;
  done_ = true;
  std::vector<open_block>().swap(open_);
  std::vector<std::uint32_t>().swap(window_);
  std::vector<std::uint32_t>().swap(taken_);
  std::vector<std::uint64_t>().swap(hashes_);
}

void block_writer::close(std::uint16_t group, state_sink& sink, const on_put& put) {
  auto& x = open_[group];
  std::string key;
  put_sequence(x.first, key);
  sink.select_group(group);
  sink.put(state_, key, x.value.view());
  if (put)
    put(group, x.first, x.rows);
  x.rows = 0;
  x.value.clear();
}

void block_writer::put_rows(const row_store& rows, std::span<const std::uint32_t> numbers,
                            state_sink& sink, const on_put& put) const {
  for (std::size_t done = 0; done < numbers.size();) {
    const auto some = numbers.subspan(done, std::min<std::size_t>(256, numbers.size() - done));
    const auto count = static_cast<std::uint32_t>(some.size());
    const auto sequences = sequences_of(rows, some);
    std::string key;
    put_sequence(sequences.front(), key);
    pack_bytes value;
    value.append_raw(block_version);
    begin_pack(sequences, rows.types().size(), value);
    for (std::size_t k = 0; k < rows.types().size(); ++k)
      append_pack_column(rows.peek(k, some.data(), count), 0, count, value);
    sink.put(state_, key, value.view());
    if (put) {
      std::uint64_t hash = 0;
      hash_stored(rows, keys_, some.first(1), &hash);
      put(key_group_of(hash, key_groups_), sequences.front(), count);
    }
    done += some.size();
  }
}

} // namespace ebb
