#include "actors/dataflow/operators/over_changes.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/net_changes.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

std::vector<column> gather_all(const std::vector<column>& from,
                               const std::vector<std::uint32_t>& places) {
  std::vector<column> result;
  result.reserve(from.size());
  for (const auto& x : from)
    result.push_back(gather(x, places.data(), static_cast<std::uint32_t>(places.size())));
  return result;
}

// The wanted places of a partition's runs, one after the other.
class wanted_places {
public:
  wanted_places(const over_rows& of, std::size_t run) : of_(of), run_(run) {
    if (!done())
      at_ = of_.wanted[run_].first;
    skip();
  }

  [[nodiscard]] bool done() const {
    return run_ == of_.wanted.size();
  }

  [[nodiscard]] std::uint32_t place() const {
    return at_;
  }

  [[nodiscard]] placed_row row() const {
    return {of_.prefixes[at_], of_.block.rows[at_]};
  }

  void next() {
    ++at_;
    skip();
  }

private:
  void skip() {
    while (!done() && at_ == of_.wanted[run_].last)
      if (++run_ != of_.wanted.size())
        at_ = of_.wanted[run_].first;
  }

  const over_rows& of_;
  std::size_t run_;
  std::uint32_t at_ = 0;
};

} // namespace

void over_rows::clear() {
  block.rows.clear();
  block.runs.clear();
  block.group_first.clear();
  block.group_last.clear();
  prefixes.clear();
  wanted.clear();
  results.clear();
}

void over_changes::compare(const over_rows& before, std::size_t before_run, const over_rows& after,
                           std::size_t after_run, std::span<const placed_row> gone,
                           std::span<const placed_row> fresh) {
  wanted_places b(before, before_run);
  wanted_places a(after, after_run);
  while (!b.done() || !a.done()) {
    if (!b.done() && !gone.empty() && b.row().row == gone.front().row) {
      changes_.push_back({b.place(), over_change::none});
      gone = gone.subspan(1);
      b.next();
    } else if (!a.done() && !fresh.empty() && a.row().row == fresh.front().row) {
      changes_.push_back({over_change::none, a.place()});
      fresh = fresh.subspan(1);
      a.next();
    } else if (b.done()) {
      a.next();
    } else if (a.done()) {
      b.next();
    } else if (b.row().row == a.row().row) {
      kept_.push_back({b.place(), a.place()});
      b.next();
      a.next();
    } else if (placed_less{order_, rows_}(b.row(), a.row())) {
      b.next(); // looked at on one side alone: it is the same on both
    } else {
      a.next();
    }
  }
  EBB_ASSERT(gone.empty() && fresh.empty());
}

std::vector<over_change> over_changes::finish(const over_rows& before, const over_rows& after,
                                              std::size_t& direct) {
  std::vector<std::uint32_t> old_places;
  std::vector<std::uint32_t> new_places;
  for (const auto& x : kept_) {
    old_places.push_back(x.before);
    new_places.push_back(x.after);
  }
  std::vector<std::uint8_t> differs(kept_.size(), 1);
  if (!kept_.empty())
    keep_different(gather_all(before.results, old_places), gather_all(after.results, new_places),
                   differs);
  direct = changes_.size();
  for (std::size_t i = 0; i < kept_.size(); ++i)
    if (differs[i] != 0)
      changes_.push_back(kept_[i]);
  cancel(before, after);
  const auto empty = [](const over_change& x) {
    return x.before == over_change::none && x.after == over_change::none;
  };
  direct -= static_cast<std::size_t>(std::count_if(
      changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(direct), empty));
  std::erase_if(changes_, empty);
  return std::move(changes_);
}

// Whether an equal row may be beside it.
bool over_changes::may_repeat(const over_rows& x, std::size_t run, std::uint32_t place) const {
  const auto equal = [&](std::uint32_t other) {
    return x.prefixes[place] == x.prefixes[other]
           && order_.compare(rows_, x.block.rows[place], rows_, x.block.rows[other]) == 0;
  };
  const auto& in = x.block.runs[run];
  const bool first = place == in.first;
  const bool last = place + 1 == in.first + in.count;
  return ((first || last) && x.wanted[run].cut) || (!first && equal(place - 1))
         || (!last && equal(place + 1));
}

// Marks changes of rows that may have an equal one, before or after.
void over_changes::mark_repeated(const over_rows& x, bool inserted,
                                 std::vector<std::uint8_t>& marked) const {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> places; // with their changes
  for (std::uint32_t i = 0; i < changes_.size(); ++i)
    if (const auto place = inserted ? changes_[i].after : changes_[i].before;
        place != over_change::none)
      places.emplace_back(place, i);
  std::sort(places.begin(), places.end());
  std::size_t run = 0;
  for (const auto& [place, change] : places) {
    while (place >= x.block.runs[run].first + x.block.runs[run].count)
      ++run;
    if (marked[change] == 0 && may_repeat(x, run, place))
      marked[change] = 1;
  }
}

void over_changes::add_repeated(const over_rows& x, bool inserted,
                                const std::vector<std::uint8_t>& marked,
                                std::vector<repeated_row>& to) const {
  std::vector<std::uint32_t> places;
  const auto first = to.size();
  for (std::uint32_t i = 0; i < changes_.size(); ++i) {
    const auto place = inserted ? changes_[i].after : changes_[i].before;
    if (marked[i] == 0 || place == over_change::none)
      continue;
    places.push_back(place);
    to.push_back({x.prefixes[place], 0, x.block.rows[place], i, inserted});
  }
  if (places.empty())
    return;
  const auto results = gather_all(x.results, places);
  std::vector<const column*> keys;
  for (const auto& k : results)
    keys.push_back(&k);
  std::vector<std::uint64_t> hashes(places.size());
  hash_keys(keys, static_cast<std::uint32_t>(places.size()), hashes.data());
  for (std::size_t i = 0; i < hashes.size(); ++i)
    to[first + i].results = hashes[i];
}

// Of rows that are equal in all columns, one may have now what another one had.
void over_changes::cancel(const over_rows& before, const over_rows& after) {
  std::vector<std::uint8_t> marked(changes_.size(), 0);
  mark_repeated(before, false, marked);
  mark_repeated(after, true, marked);
  std::vector<repeated_row> rows;
  add_repeated(before, false, marked, rows);
  const auto deleted = rows.size();
  add_repeated(after, true, marked, rows);
  if (deleted == 0 || rows.size() == deleted)
    return;
  const auto compare = [&](const repeated_row& a, const repeated_row& b) {
    if (a.prefix != b.prefix)
      return a.prefix < b.prefix ? -1 : 1;
    if (const int order = order_.compare(rows_, a.row, rows_, b.row); order != 0)
      return order;
    return a.results != b.results ? (a.results < b.results ? -1 : 1) : 0;
  };
  std::sort(rows.begin(), rows.end(), [&](const repeated_row& a, const repeated_row& b) {
    const int order = compare(a, b);
    return order != 0 ? order < 0 : !a.inserted && b.inserted;
  });
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  std::vector<std::uint32_t> old_places;
  std::vector<std::uint32_t> new_places;
  for (std::size_t first = 0; first < rows.size();) {
    auto last = first;
    while (last < rows.size() && compare(rows[first], rows[last]) == 0)
      ++last;
    auto insertion = first;
    while (insertion < last && !rows[insertion].inserted)
      ++insertion;
    for (auto d = first, i = insertion; d < insertion && i < last; ++d, ++i) {
      pairs.emplace_back(rows[d].change, rows[i].change);
      old_places.push_back(changes_[rows[d].change].before);
      new_places.push_back(changes_[rows[i].change].after);
    }
    first = last;
  }
  if (pairs.empty())
    return;
  std::vector<std::uint8_t> differs(pairs.size(), 1);
  keep_different(gather_all(before.results, old_places), gather_all(after.results, new_places),
                 differs);
  for (std::size_t i = 0; i < pairs.size(); ++i)
    if (differs[i] == 0) {
      changes_[pairs[i].first].before = over_change::none;
      changes_[pairs[i].second].after = over_change::none;
    }
}

} // namespace ebb
