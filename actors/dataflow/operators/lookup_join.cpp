#include "actors/dataflow/operators/lookup_join.hpp"

#include "actors/dataflow/operators/changelog_join_state.hpp"
#include "actors/dataflow/operators/held_batches.hpp"
#include "actors/dataflow/operators/row_values.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace ebb {

namespace {

constexpr auto no_row = row_store::no_row;
constexpr std::uint16_t held_state = 2; ///< 0 and 1 are the sides

changelog_join_spec spec_of_table(changelog_join_spec spec) {
  spec.residual = nullptr;
  return spec;
}

/// The table is the side that is loaded first; rows of the other one are held until it has ended.
/// Then each meets the table's rows of its key, and is not kept.
class lookup_join final : public stream_operator {
public:
  lookup_join(const changelog_join_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)), table_(static_cast<std::size_t>(spec_.lookup)),
        state_(spec_of_table(spec_), context_),
        held_(context_.inputs[1 - table_], stream_keys(), held_state, context_.key_groups) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    finish_load();
    if (item != nullptr)
      EBB_TRY(take(*item, budget));
    while (budget.rows > 0 && (rows_ || (loaded_ && !held_.empty()))) {
      if (!rows_)
        start(held_.front(), held_.first_held(), true);
      EBB_TRY(join_some(budget, out));
    }
    if (rows_ || (loaded_ && !held_.empty()))
      return true;
    if (!loaded_)
      return false;
    if (time_ > sent_) {
      sent_ = time_;
      out.advance(sent_);
    }
    if (std::exchange(idle_due_, false))
      out.idle();
    return false;
  }

  operator_counters counters() const override {
    auto result = counters_;
    result.state_bytes = state_.byte_size() + held_.byte_size();
    return result;
  }

  change_mark mark() override {
    finish_load();
    state_.mark();
    held_.mark();
    return mark_++;
  }

  bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override {
    // A barrier comes after whole batches, but between the steps that the table's end sets off.
    EBB_ASSERT(!rows_ || of_held_);
    state_.begin_save(since);
    held_.begin_save(since);
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override {
    auto left = std::max(1U, entries);
    return !state_.save_slice(left, sink) || !held_.save_slice(left, sink);
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    state_.save(key_group, since, sink);
    held_.save(key_group, since, sink);
  }

  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    loading_ = true;
    if (state == held_state)
      return held_.load(key, value);
    return state_.load(key_group, state, key, value, nullptr);
  }

private:
  [[nodiscard]] const std::vector<std::uint32_t>& stream_keys() const noexcept {
    return table_ == 0 ? spec_.right_keys : spec_.left_keys;
  }

  /// Rows of the stream show without a match.
  [[nodiscard]] bool pads() const noexcept {
    return spec_.kind != changelog_join_kind::inner;
  }

  void finish_load() {
    if (!std::exchange(loading_, false))
      return;
    held_.finish_load();
  }

  result<void> take(stream_item& item, step_budget& budget) {
    const bool of_table = item.input == table_;
    switch (item.kind) {
    case item_kind::batch: {
      counters_.rows_in += item.rows->rows;
      if (!of_table) {
        if (item.rows->rows == 0)
          return {};
        if (loaded_ && held_.empty())
          start(item.rows, 0, false);
        else
          held_.hold(item.rows);
        return {};
      }
      budget.rows -= std::min(budget.rows, item.rows->rows);
      if (auto taken = state_.take(table_, *item.rows, taken_); !taken)
        return name_row(std::move(taken).error(), *item.rows, context_.name);
      state_.finish_batch();
      return {};
    }
    case item_kind::watermark:
      if (!of_table)
        time_ = std::max(time_, item.time);
      return {};
    case item_kind::idle:
      idle_due_ = idle_due_ || !of_table;
      return {};
    case item_kind::end:
      // Not before: what is made of no rows at all comes when the input has ended.
      if (of_table)
        loaded_ = true;
      else
        time_ = max_time;
      return {};
    case item_kind::tick:
      break;
    }
    return {};
  }

  void start(batch_ptr rows, std::uint32_t first, bool of_held) {
    rows_ = std::move(rows);
    of_held_ = of_held;
    row_ = first;
    begun_ = false;
    if (rows_without_nulls(*rows_, stream_keys(), picks_)) {
      picks_.resize(rows_->rows);
      std::iota(picks_.begin(), picks_.end(), 0U);
    }
    state_.look_up(1 - table_, *rows_, picks_, found_);
    slots_.assign(rows_->rows, key_index::no_slot);
    for (std::size_t j = 0; j < picks_.size(); ++j)
      slots_[picks_[j]] = found_[j];
    met_.assign(rows_->rows, 0);
  }

  // Pairs of some rows, and the rows among them that have met all they can meet.
  void find_pairs(std::size_t room) {
    of_stream_.clear();
    of_table_.clear();
    done_.clear();
    while (row_ < rows_->rows && of_stream_.size() < room) {
      if (!begun_) {
        const auto slot = slots_[row_];
        partner_ = slot == key_index::no_slot ? no_row : state_.head(slot, table_);
        begun_ = true;
      }
      // A held row is joined as a whole, so that it is held or is not when it is saved.
      for (; partner_ != no_row && (of_held_ || of_stream_.size() < room);
           partner_ = state_.older(table_, partner_)) {
        of_stream_.push_back(row_);
        of_table_.push_back(partner_);
      }
      if (partner_ != no_row)
        return;
      done_.push_back(row_++);
      begun_ = false;
    }
  }

  result<void> join_some(step_budget& budget, output& out) {
    find_pairs(std::clamp<std::uint32_t>(budget.rows, 1, row_store::chunk_rows));
    budget.rows -= static_cast<std::uint32_t>(
        std::min<std::size_t>(budget.rows, of_stream_.size() + done_.size()));
    std::shared_ptr<batch> pairs;
    if (!of_stream_.empty()) {
      EBB_ASSIGN(pairs, matching_pairs());
    }
    std::shared_ptr<batch> alone;
    if (pads()) {
      std::erase_if(done_, [this](std::uint32_t row) { return met_[row] != 0; });
      if (!done_.empty())
        alone = with_facts(joined(done_, nullptr), done_);
    }
    emit(std::move(pairs), std::move(alone), out);
    if (of_held_)
      held_.release(row_);
    if (row_ == rows_->rows)
      rows_ = nullptr;
    return {};
  }

  // Columns of both sides; NULLs for a table without rows.
  [[nodiscard]] std::shared_ptr<batch> joined(const std::vector<std::uint32_t>& stream,
                                              const std::vector<std::uint32_t>* table) const {
    auto made = std::make_shared<batch>();
    made->rows = static_cast<std::uint32_t>(stream.size());
    for (std::size_t side = 0; side < 2; ++side) {
      if (side != table_)
        for (const auto& x : rows_->columns)
          made->columns.push_back(gather(x, stream.data(), made->rows));
      else if (table != nullptr)
        state_.rows(table_).gather_all(table->data(), made->rows, made->columns);
      else
        for (const auto& type : context_.inputs[table_])
          made->columns.push_back(make_null_column(type, made->rows));
    }
    return made;
  }

  // Weights, watermarks and origin follow the stream's rows.
  [[nodiscard]] std::shared_ptr<batch> with_facts(std::shared_ptr<batch> made,
                                                  const std::vector<std::uint32_t>& stream) const {
    if (!rows_->weights && !rows_->watermarks && !rows_->origin.source)
      return made;
    batch facts;
    facts.rows = rows_->rows;
    facts.weights = rows_->weights;
    facts.watermarks = rows_->watermarks;
    facts.origin = rows_->origin;
    auto picked = gather(facts, stream.data(), made->rows);
    made->weights = std::move(picked.weights);
    made->watermarks = std::move(picked.watermarks);
    made->origin = std::move(picked.origin);
    return made;
  }

  result<std::shared_ptr<batch>> matching_pairs() {
    auto made = with_facts(joined(of_stream_, &of_table_), of_stream_);
    if (spec_.residual) {
      std::vector<std::uint32_t> kept(made->rows);
      auto count = filter_rows(*spec_.residual, *made, selection::all(*made), kept.data());
      if (!count)
        return name_row(name_values(std::move(count).error(), *made, {&spec_.residual, 1}), *made,
                        context_.name);
      kept.resize(*count);
      if (*count < made->rows)
        made = *count == 0 ? nullptr : std::make_shared<batch>(gather(*made, kept.data(), *count));
      for (std::uint32_t i = 0; i < *count; ++i)
        of_stream_[i] = of_stream_[kept[i]];
      of_stream_.resize(*count);
    }
    for (const auto row : of_stream_)
      met_[row] = 1;
    return made;
  }

  // Rows that go must not come after those that take their place: both in the stream's order then.
  void emit(std::shared_ptr<batch> pairs, std::shared_ptr<batch> alone, output& out) {
    if (pairs && alone && rows_->weights) {
      std::vector<std::uint32_t> order(pairs->rows + alone->rows);
      std::iota(order.begin(), order.end(), 0U);
      const auto row_of = [&](std::uint32_t i) {
        return i < pairs->rows ? of_stream_[i] : done_[i - pairs->rows];
      };
      std::stable_sort(order.begin(), order.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return row_of(a) < row_of(b); });
      const auto all = concatenate({pairs, alone});
      pairs = std::make_shared<batch>(gather(all, order.data(), all.rows));
      alone = nullptr;
    }
    for (auto* x : {&pairs, &alone})
      if (*x) {
        counters_.rows_out += (*x)->rows;
        out.emit(std::move(*x));
      }
  }

  changelog_join_spec spec_;
  operator_context context_;
  std::size_t table_;
  changelog_join_state state_; ///< the table's side alone
  held_batches held_;
  operator_counters counters_;
  change_mark mark_ = 1;
  bool loading_ = false;
  bool loaded_ = false; ///< the table has ended
  bool idle_due_ = false;
  micros time_ = min_time; ///< the stream's watermark
  micros sent_ = min_time;
  changelog_join_state::taken_batch taken_;

  // The stream's batch that is being joined.
  batch_ptr rows_;
  bool of_held_ = false; ///< it is the oldest held one
  std::uint32_t row_ = 0;
  bool begun_ = false;             ///< `partner_` is of row_
  std::uint32_t partner_ = no_row; ///< next row of the table
  std::vector<std::uint32_t> picks_;
  std::vector<std::uint32_t> found_;
  std::vector<std::uint32_t> slots_; ///< by row
  std::vector<std::uint8_t> met_;    ///< by row: it has had a match
  std::vector<std::uint32_t> of_stream_;
  std::vector<std::uint32_t> of_table_;
  std::vector<std::uint32_t> done_;
};

} // namespace

std::unique_ptr<stream_operator> make_lookup_join(const changelog_join_spec& spec,
                                                  operator_context context) {
  return std::make_unique<lookup_join>(spec, std::move(context));
}

} // namespace ebb
