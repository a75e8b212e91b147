#include "actors/dataflow/operators/interval_side.hpp"

#include "actors/dataflow/operators/state_keys.hpp"

#include <algorithm>
#include <bit>

namespace ebb {

namespace {

// A scan costs a quarter of a nanosecond a row, an insertion some ten: after this many searches of
// a chunk the table has paid.
constexpr std::uint64_t searches_before_index = 48;
constexpr std::uint32_t block = 16;
// More rows than this are not looked at one by one to see whether few are in time.
constexpr std::uint32_t most_times_scanned = 16'384;

// Whether any of `block` tags is the one: compiles to a handful of vector compares.
bool any_equal(const std::uint32_t* tags, std::uint32_t tag) noexcept {
  std::uint32_t any = 0;
  for (std::uint32_t i = 0; i < block; ++i)
    any |= tags[i] == tag ? 1U : 0U;
  return any != 0;
}

} // namespace

result<void> interval_side::append(const batch& from, const std::uint32_t* picks,
                                   std::uint32_t count, const std::uint64_t* hashes,
                                   std::uint32_t* numbers) {
  EBB_TRY(rows_.append(from, picks, count, numbers));
  chunks_.resize(rows_.chunk_count());
  const auto* times = from.columns[time_].data<micros>();
  for (std::uint32_t done = 0; done < count;) {
    // Numbers are consecutive within a chunk.
    auto& facts = chunks_[rows_.chunk_of(numbers[done])];
    const auto first = row_store::place_of(numbers[done]);
    const auto piece = std::min(count - done, rows_.rows_in(rows_.chunk_of(numbers[done])) - first);
    facts.tags.resize(first + piece);
    auto* tags = facts.tags.data() + first;
    auto oldest = facts.oldest;
    auto newest = facts.newest;
    for (std::uint32_t i = 0; i < piece; ++i) {
      const auto row = picks == nullptr ? done + i : picks[done + i];
      tags[i] = static_cast<std::uint32_t>(hashes[row]);
      oldest = std::min(oldest, times[row]);
      newest = std::max(newest, times[row]);
    }
    facts.oldest = oldest;
    facts.newest = newest;
    done += piece;
  }
  return {};
}

result<std::uint32_t> interval_side::append_encoded(std::string_view value, std::uint64_t sequence,
                                                    std::span<const std::uint32_t> keys) {
  EBB_ASSIGN(const auto row, rows_.append_encoded(value, sequence));
  chunks_.resize(rows_.chunk_count());
  auto& facts = chunks_[rows_.chunk_of(row)];
  std::uint64_t hash = 0;
  hash_stored(rows_, keys, {&row, 1}, &hash);
  facts.tags.push_back(static_cast<std::uint32_t>(hash));
  facts.oldest = std::min(facts.oldest, time_of(row));
  facts.newest = std::max(facts.newest, time_of(row));
  return row;
}

const micros* interval_side::times(std::uint32_t chunk) const noexcept {
  return rows_.stored(time_, rows_.row_at(chunk, 0)).data<micros>();
}

bool interval_side::few_rows(micros from, micros to, std::uint32_t most,
                             std::vector<std::uint32_t>& out) const {
  std::uint32_t looked_at = 0;
  for (auto c = rows_.chunk_count(); c-- > 0;) {
    const auto& facts = chunks_[c];
    if (facts.newest < from || facts.oldest > to)
      continue;
    const auto rows = rows_.rows_in(c);
    looked_at += rows;
    if (looked_at > most_times_scanned)
      return false;
    const auto* time = times(c);
    for (auto place = rows; place-- > 0;)
      if (time[place] >= from && time[place] <= to) {
        if (out.size() == most)
          return false;
        out.push_back(rows_.row_at(c, place));
      }
  }
  return true;
}

void interval_side::scan_rows(std::span<const std::uint32_t> rows, std::uint32_t tag, micros from,
                              micros to, std::vector<std::uint32_t>& out) const {
  for (std::size_t done = 0; done < rows.size();) {
    const auto c = rows_.chunk_of(rows[done]);
    const auto first = row_store::place_of(rows[done]);
    const auto stop = static_cast<std::uint32_t>(
        std::min<std::size_t>(rows_.rows_in(c), first + (rows.size() - done)));
    const auto& facts = chunks_[c];
    const auto* tags = facts.tags.data();
    const auto* time = times(c);
    const auto check = [&](std::uint32_t place) {
      if (tags[place] == tag && time[place] >= from && time[place] <= to)
        out.push_back(rows_.row_at(c, place));
    };
    std::uint32_t place = first;
    for (; place + block <= stop; place += block)
      if (any_equal(tags + place, tag))
        for (std::uint32_t i = 0; i < block; ++i)
          check(place + i);
    for (; place < stop; ++place)
      check(place);
    done += stop - first;
  }
}

void interval_side::expect(micros from, micros to, std::uint32_t searches) {
  if (!may_index_)
    return;
  for (auto c = rows_.chunk_count(); c-- > indexed_chunk_;) {
    auto& facts = chunks_[c];
    if (facts.newest < from || facts.oldest > to)
      continue;
    facts.searches += searches;
    if (facts.searches < searches_before_index)
      continue;
    index_through(c);
    return;
  }
}

// Puts all rows up to the end of a chunk into the table.
void interval_side::index_through(std::uint32_t chunk) {
  links_.grow(rows_, link{});
  std::uint64_t more = 0;
  for (auto c = indexed_chunk_; c <= chunk; ++c)
    more += rows_.rows_in(c) - (c == indexed_chunk_ ? indexed_place_ : 0);
  if (inserted_ + more > heads_.size())
    rebuild(more);
  for (; indexed_chunk_ <= chunk; ++indexed_chunk_, indexed_place_ = 0) {
    const auto rows = rows_.rows_in(indexed_chunk_);
    const auto& tags = chunks_[indexed_chunk_].tags;
    for (; indexed_place_ < rows; ++indexed_place_)
      insert(rows_.row_at(indexed_chunk_, indexed_place_), tags[indexed_place_]);
    if (indexed_chunk_ == chunk)
      break; // the last chunk may grow
  }
}

void interval_side::insert(std::uint32_t row, std::uint32_t tag) {
  auto& head = heads_[tag & (heads_.size() - 1)];
  links_.at(rows_, row) = {head, tag};
  head = row;
  ++inserted_;
}

// A table with room for the indexed rows and `more`, without rows that have gone.
void interval_side::rebuild(std::uint64_t more) {
  std::uint64_t rows = more + indexed_place_;
  for (std::uint32_t c = 0; c < indexed_chunk_; ++c)
    rows += rows_.rows_in(c);
  heads_.assign(std::bit_ceil(std::max<std::uint64_t>(rows * 2, 64)), row_store::no_row);
  inserted_ = 0;
  for (std::uint32_t c = 0; c <= indexed_chunk_ && c < rows_.chunk_count(); ++c) {
    const auto stop = c < indexed_chunk_ ? rows_.rows_in(c) : indexed_place_;
    for (std::uint32_t place = 0; place < stop; ++place)
      insert(rows_.row_at(c, place), chunks_[c].tags[place]);
  }
}

bool interval_side::find(std::uint32_t tag, micros from, micros to, search& at, std::size_t most,
                         std::vector<std::uint32_t>& out) const {
  if (!at.started) {
    at.started = true;
    at.chunk = rows_.chunk_count();
    at.left = 0;
  }
  while (!at.chained) {
    const auto stop = at.chunk == indexed_chunk_ ? indexed_place_ : 0;
    if (at.left > stop) {
      scan_back(at, stop, tag, from, to, most, out);
      if (out.size() >= most)
        return false;
      continue;
    }
    // On to the next older chunk that is not in the table and overlaps in time.
    do {
      if (at.chunk <= indexed_chunk_ || at.chunk == 0) {
        at.chained = true;
        at.row = heads_.empty() ? row_store::no_row : heads_[tag & (heads_.size() - 1)];
        break;
      }
      --at.chunk;
      at.left = rows_.rows_in(at.chunk);
    } while (chunks_[at.chunk].newest < from || chunks_[at.chunk].oldest > to);
  }
  // Rows in the table are chained newest first, and the oldest go away first: a row that has gone
  // ends the chain.
  while (at.row != row_store::no_row && rows_.chunk_of(at.row) < rows_.chunk_count()) {
    const auto row = at.row;
    const auto& linked = links_.at(rows_, row);
    at.row = linked.older;
    if (linked.tag != tag || time_of(row) < from || time_of(row) > to)
      continue;
    out.push_back(row);
    if (out.size() >= most)
      return false;
  }
  at.row = row_store::no_row;
  return true;
}

void interval_side::scan_back(search& at, std::uint32_t stop, std::uint32_t tag, micros from,
                              micros to, std::size_t most, std::vector<std::uint32_t>& out) const {
  const auto* tags = chunks_[at.chunk].tags.data();
  const auto* time = times(at.chunk);
  while (at.left > stop) {
    if (at.left - stop >= block && !any_equal(tags + at.left - block, tag)) {
      at.left -= block;
      continue;
    }
    const auto last = at.left - stop >= block ? at.left - block : stop;
    while (at.left > last) {
      const auto place = --at.left;
      if (tags[place] != tag || time[place] < from || time[place] > to)
        continue;
      out.push_back(rows_.row_at(at.chunk, place));
      if (out.size() >= most)
        return;
    }
  }
}

std::uint64_t interval_side::unseen_below(const search& at) const noexcept {
  if (!at.started)
    return rows_.next_sequence();
  if (!at.chained) {
    if (at.left != 0)
      return rows_.sequence_of(rows_.row_at(at.chunk, at.left - 1)) + 1;
    return rows_.sequence_of(rows_.row_at(at.chunk, 0));
  }
  if (at.row == row_store::no_row || rows_.chunk_of(at.row) >= rows_.chunk_count())
    return 0;
  return rows_.sequence_of(at.row) + 1;
}

void interval_side::drop_oldest() {
  rows_.drop_oldest();
  links_.drop_oldest();
  chunks_.erase(chunks_.begin());
  if (indexed_chunk_ == 0)
    indexed_place_ = 0;
  else
    --indexed_chunk_;
}

} // namespace ebb
