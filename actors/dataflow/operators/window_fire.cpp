#include "actors/dataflow/operators/window_fire.hpp"

#include <algorithm>
#include <bit>

namespace ebb {

namespace {

// Rows built into the hash table, or looked at in vain, for one row of the budget.
constexpr std::uint32_t cheap_rows = 4;

void spend(step_budget& budget, std::size_t rows) {
  budget.rows -= static_cast<std::uint32_t>(std::min<std::size_t>(budget.rows, rows));
}

} // namespace

std::size_t fire_progress::done(std::size_t side, bool lone, std::size_t count) const noexcept {
  auto own = side == probing_ ? phase::probe : phase::unmatched;
  if (lone)
    own = side == 0 ? phase::left_lone : phase::right_lone;
  return phase_ > own ? count : phase_ == own ? std::min(at_, count) : 0;
}

void window_fire::start(join_window& window) {
  window_ = &window;
  for (std::size_t s = 0; s < 2; ++s)
    if (keeps_unmatched(spec_.type, s))
      window.sides[s].matched.grow(window.sides[s].rows, 0);
  const auto left = window.sides[0].joinable.size();
  const auto right = window.sides[1].joinable.size();
  // The hash table is made of the smaller side. Without keys, one row of the smaller side meets
  // whole chunks of the larger one.
  if (spec_.left_keys.empty())
    probing_ = left <= right ? 0 : 1;
  else
    probing_ = left >= right ? 0 : 1;
  probing_ = window.probing.value_or(probing_);
  // Beside a spread side, what remains of the other must not depend on the instance: its rows
  // probe, or they meet the one row that there is.
  if (spec_.spread >= 0) {
    const auto spread = static_cast<std::uint8_t>(spec_.spread);
    const bool one = spec_.left_keys.empty() && window.sides[spread].joinable.size() == 1;
    probing_ = one ? spread : static_cast<std::uint8_t>(1 - spread);
  }
  met_ = 0;
  next_ = 0;
  resumed_ = false;
  at_ = 0;
  links_.clear();
  heads_.clear();
  phase_ = spec_.left_keys.empty() || left == 0 || right == 0 ? phase::probe : phase::build;
}

result<bool> window_fire::step(step_budget& budget, change_mark now, output& out,
                               std::uint64_t& rows_out) {
  now_ = now;
  rows_out_ = 0;
  if (phase_ == phase::build)
    build(budget);
  if (phase_ == phase::probe) {
    if (spec_.left_keys.empty())
      EBB_TRY(probe_all(budget, out));
    else
      EBB_TRY(probe_keys(budget, out));
    if (at_ == window_->sides[probing_].joinable.size()) {
      phase_ = phase::unmatched;
      at_ = 0;
    }
  }
  const bool complete = phase_ > phase::probe && emit_rest(budget, out);
  rows_out += rows_out_;
  if (complete)
    window_ = nullptr;
  return complete;
}

// Chains the building side's rows by hash, last row first, so that chains are in order.
void window_fire::build(step_budget& budget) {
  const auto& side = window_->sides[1 - probing_];
  const auto count = side.hashes.size();
  if (links_.empty()) {
    heads_.assign(std::bit_ceil(count), 0);
    links_.resize(count);
  }
  const auto mask = heads_.size() - 1;
  const auto todo = std::min<std::size_t>(count - at_, std::size_t{budget.rows} * cheap_rows);
  for (std::size_t i = 0; i < todo; ++i) {
    const auto place = count - 1 - at_ - i;
    auto& head = heads_[side.hashes[place] & mask];
    links_[place] = head;
    head = static_cast<std::uint32_t>(place + 1);
  }
  at_ += todo;
  spend(budget, (todo + cheap_rows - 1) / cheap_rows);
  if (at_ < count)
    return;
  at_ = 0;
  phase_ = phase::probe;
}

result<void> window_fire::probe_keys(step_budget& budget, output& out) {
  const auto& probe = window_->sides[probing_];
  const auto& built = window_->sides[1 - probing_];
  auto& own = probing_ == 0 ? found_.left : found_.right;
  auto& other = probing_ == 0 ? found_.right : found_.left;
  const auto count = probe.joinable.size();
  const auto mask = heads_.size() - 1;
  while (at_ < count && budget.rows > 0) {
    const auto room = std::min(budget.rows, row_store::chunk_rows);
    const auto most = keeps_unmatched(spec_.type, probing_) ? room : room * cheap_rows;
    std::uint32_t work = 0;
    while (at_ < count && own.size() < room && work < most) {
      ++work;
      const auto hash = probe.hashes[at_];
      const auto row = probe.joinable[at_];
      if (!resumed_) {
        met_ = window_->met_before(row);
        next_ = heads_.empty() ? 0 : heads_[hash & mask];
        // Rows met before the state was saved are passed over.
        for (std::uint64_t skipped = 0; next_ != 0 && skipped < met_; next_ = links_[next_ - 1])
          skipped += built.hashes[next_ - 1] == hash ? 1 : 0;
        resumed_ = true;
      }
      for (; next_ != 0 && own.size() < room; next_ = links_[next_ - 1]) {
        if (built.hashes[next_ - 1] != hash)
          continue;
        own.push_back(row);
        other.push_back(built.joinable[next_ - 1]);
        ++met_;
      }
      if (next_ != 0)
        break;
      finish_row(row);
    }
    spend(budget, std::max<std::size_t>(found_.size(), (work + cheap_rows - 1) / cheap_rows));
    pairs_.keep_equal(window_->sides[0].rows, window_->sides[1].rows, found_);
    EBB_TRY(pairs_.keep_matching(window_->sides[0].rows, window_->sides[1].rows, found_));
    EBB_TRY(flush(out));
  }
  return {};
}

// No keys: each probing row meets the chunks of the other side.
result<void> window_fire::probe_all(step_budget& budget, output& out) {
  const auto& probe = window_->sides[probing_];
  const auto& other = window_->sides[1 - probing_].rows;
  auto& own_rows = probing_ == 0 ? found_.left : found_.right;
  auto& other_rows = probing_ == 0 ? found_.right : found_.left;
  places_.resize(row_store::chunk_rows);
  while (at_ < probe.joinable.size() && budget.rows > 0) {
    const auto row = probe.joinable[at_];
    if (!resumed_)
      met_ = window_->met_before(row);
    resumed_ = true;
    // The chunk where the row goes on: `met_` counts rows of the other side.
    std::uint32_t chunk = 0;
    std::uint64_t before = 0;
    while (chunk < other.chunk_count() && before + other.rows_in(chunk) <= met_)
      before += other.rows_in(chunk++);
    if (chunk < other.chunk_count()) {
      EBB_ASSIGN(const auto count,
                 pairs_.match_chunk(other, chunk, probe.rows, row, probing_ == 1, places_.data()));
      for (std::uint32_t i = 0; i < count; ++i)
        if (before + places_[i] >= met_) {
          own_rows.push_back(row);
          other_rows.push_back(other.row_at(chunk, places_[i]));
        }
      met_ = before + other.rows_in(chunk);
      spend(budget, other.rows_in(chunk));
      ++chunk;
    } else {
      spend(budget, 1);
    }
    if (chunk >= other.chunk_count())
      finish_row(row);
    if (found_.size() >= row_store::chunk_rows)
      EBB_TRY(flush(out));
  }
  return flush(out);
}

void window_fire::finish_row(std::uint32_t row) {
  if (keeps_unmatched(spec_.type, probing_))
    finished_.push_back(row);
  ++at_;
  met_ = 0;
  next_ = 0;
  resumed_ = false;
}

// Emits the pairs, notes who is matched, and pads finished probing rows that never were.
result<void> window_fire::flush(output& out) {
  for (std::size_t s = 0; s < 2; ++s) {
    if (!keeps_unmatched(spec_.type, s))
      continue;
    auto& side = window_->sides[s];
    for (const auto row : s == 0 ? found_.left : found_.right)
      if (auto& matched = side.matched.at(side.rows, row); matched == 0)
        matched = now_;
  }
  // Several probing rows may meet one chunk each, so pairs may exceed a batch.
  for (std::size_t done = 0; done < found_.size();) {
    const auto count = std::min<std::size_t>(found_.size() - done, row_store::chunk_rows);
    const auto part = [&](const std::vector<std::uint32_t>& rows) {
      return std::span(rows).subspan(done, count);
    };
    out.emit(pairs_.make(window_->sides[0].rows, window_->sides[1].rows, part(found_.left),
                         part(found_.right)));
    rows_out_ += count;
    done += count;
  }
  found_.clear();
  auto& side = window_->sides[probing_];
  std::erase_if(finished_, [&](std::uint32_t row) { return side.matched.at(side.rows, row) != 0; });
  emit_lone(probing_, finished_, out);
  finished_.clear();
  return {};
}

// The other side's unmatched rows, then rows with NULL keys. Returns true at the end.
bool window_fire::emit_rest(step_budget& budget, output& out) {
  std::vector<std::uint32_t> rows;
  while (budget.rows > 0) {
    const bool lone = phase_ != phase::unmatched;
    const std::size_t s =
        !lone ? 1U - probing_ : (phase_ == phase::left_lone ? std::size_t{0} : std::size_t{1});
    const auto& side = window_->sides[s];
    const auto& list = lone ? side.lone : side.joinable;
    const auto end = keeps_unmatched(spec_.type, s) ? list.size() : 0;
    const auto todo = end > at_ ? std::min<std::size_t>(end - at_, budget.rows) : 0;
    rows.clear();
    for (std::size_t i = at_; i < at_ + todo; ++i)
      if (lone || side.matched.at(side.rows, list[i]) == 0)
        rows.push_back(list[i]);
    emit_lone(s, rows, out);
    spend(budget, todo);
    at_ += todo;
    if (at_ < end)
      return false;
    if (phase_ == phase::right_lone)
      return true;
    phase_ = phase_ == phase::unmatched ? phase::left_lone : phase::right_lone;
    at_ = 0;
  }
  return false;
}

void window_fire::emit_lone(std::size_t side, const std::vector<std::uint32_t>& rows, output& out) {
  if (rows.empty())
    return;
  const auto& from = window_->sides[side].rows;
  out.emit(side == 0 ? pairs_.make_left_only(from, rows) : pairs_.make_right_only(from, rows));
  rows_out_ += rows.size();
}

} // namespace ebb
