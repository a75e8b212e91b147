#include "actors/dataflow/operators/live_rows.hpp"

#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/missing_row.hpp"
#include "actors/dataflow/operators/net_changes.hpp"
#include "actors/dataflow/operators/pass_time.hpp"
#include "actors/dataflow/operators/timed_rows.hpp"
#include "actors/dataflow/operators/window_slicer.hpp"

#include <algorithm>
#include <optional>

namespace ebb {

namespace {

constexpr std::uint16_t waiting_state = 1; ///< 0 is the clock
constexpr std::uint16_t showing_state = 2;

/// Rows that do not show yet and rows that do. What no longer shows is not kept, nor is what shows
/// for ever where nothing is taken back.
class live_rows final : public stream_operator {
public:
  live_rows(const live_rows_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)), net_(context_.inputs[0]),
        waiting_(context_.inputs[0], spec_.keys, waiting_state, context_.key_groups),
        showing_(context_.inputs[0], spec_.keys, showing_state, context_.key_groups) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    finish_load();
    if (item != nullptr) {
      switch (item->kind) {
      case item_kind::batch:
        counters_.rows_in += item->rows->rows;
        budget.rows -= std::min(budget.rows, item->rows->rows);
        EBB_TRY(take_rows(*item->rows, out));
        break;
      case item_kind::tick:
        now_ = std::max(now_, item->time);
        begin_ = waiting_.next_due() <= now_;
        end_ = showing_.next_due() <= now_;
        break;
      default:
        pass_time(*item, out);
      }
    }
    return pass_on_time(budget, out);
  }

  bool wants_ticks() const noexcept override {
    return true;
  }

  micros next_tick() const noexcept override {
    return std::min(waiting_.next_due(), showing_.next_due());
  }

  operator_counters counters() const override {
    auto result = counters_;
    result.state_bytes = waiting_.byte_size() + showing_.byte_size();
    return result;
  }

  change_mark mark() override {
    finish_load();
    waiting_.mark();
    showing_.mark();
    return mark_++;
  }

  bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override {
    waiting_.begin_save(since);
    showing_.begin_save(since);
    saved_now_ = now_;
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override {
    if (saved_now_) {
      sink.select_group(unkeyed_group);
      save_clock(context_, *saved_now_, sink);
      saved_now_.reset();
    }
    auto left = std::max(1U, entries);
    if (!waiting_.erase_slice(left, sink) || !showing_.erase_slice(left, sink))
      return true;
    return !waiting_.save_slice(left, sink) || !showing_.save_slice(left, sink);
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    if (key_group == unkeyed_group) {
      save_clock(context_, now_, sink);
      return;
    }
    waiting_.save(key_group, since, sink);
    showing_.save(key_group, since, sink);
  }

  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    loading_ = true;
    if (waiting_.owns(state))
      return waiting_.load(key_group, state, key, value);
    if (showing_.owns(state))
      return showing_.load(key_group, state, key, value);
    return load_clock(state, value, now_);
  }

private:
  /// When a row shows, as long as its times are there.
  struct life {
    micros from = min_time;
    micros until = max_time;
  };

  template <class Time, class Null>
  [[nodiscard]] std::optional<life> life_of(const Time& time, const Null& null) const {
    life result;
    for (const auto& x : spec_.from) {
      if (null(x.column))
        return std::nullopt;
      result.from = std::max(result.from, moved(time(x.column), x.shift));
    }
    for (const auto& x : spec_.until) {
      if (null(x.column))
        return std::nullopt;
      result.until = std::min(result.until, moved(time(x.column), x.shift));
    }
    return result;
  }

  [[nodiscard]] static micros moved(micros time, micros shift) noexcept {
    return is_infinite(time) ? time : saturated_sum(time, shift);
  }

  [[nodiscard]] std::optional<life> life_of(const batch& rows, std::uint32_t i) const {
    return life_of([&](std::uint32_t k) { return rows.columns[k].data<micros>()[i]; },
                   [&](std::uint32_t k) { return rows.columns[k].is_null(i); });
  }

  [[nodiscard]] life life_of(const row_store& rows, std::uint32_t row) const {
    return *life_of([&](std::uint32_t k) { return rows.value<micros>(k, row); },
                    [](std::uint32_t) { return false; });
  }

  void finish_load() {
    if (!std::exchange(loading_, false))
      return;
    waiting_.finish_load([this](std::uint32_t row) { return life_of(waiting_.rows(), row).from; });
    showing_.finish_load([this](std::uint32_t row) { return life_of(showing_.rows(), row).until; });
  }

  // Rows that show, of a batch or of the waiting ones.
  struct shown_rows {
    std::vector<std::uint32_t> kept;
    std::vector<micros> times;

    void add(std::uint32_t row, micros until) {
      kept.push_back(row);
      times.push_back(until);
    }
  };

  result<void> take_rows(const batch& rows, output& out) {
    EBB_TRY(waiting_.make_room());
    EBB_TRY(showing_.make_room());
    net_.take(rows, nullptr);
    if (net_.deleted().empty())
      net_.hash_rows(rows);
    std::vector<std::uint32_t> gone;
    for (const auto i : net_.deleted()) {
      const auto at = life_of(rows, i);
      if (!at || at->until <= now_ || at->from >= at->until)
        continue; // it went by itself, or never was
      auto& kept = at->from <= now_ ? showing_ : waiting_;
      const auto row = kept.find(rows, i, net_.row_hashes()[i], net_);
      if (row == row_store::no_row)
        return not_there(rows, i);
      kept.remove(row);
      if (at->from <= now_)
        gone.push_back(row);
    }
    emit(gone, nullptr, {}, out);
    std::vector<std::uint32_t> come;
    std::vector<std::uint32_t> later;
    std::vector<micros> starts;
    shown_rows shown;
    for (const auto i : net_.inserted()) {
      const auto at = life_of(rows, i);
      if (!at || at->until <= now_ || at->from >= at->until)
        continue;
      if (at->from > now_) {
        later.push_back(i);
        starts.push_back(at->from);
        continue;
      }
      come.push_back(i);
      if (keeps(at->until))
        shown.add(i, at->until);
    }
    EBB_TRY(waiting_.add(rows, later, starts, net_.row_hashes()));
    EBB_TRY(showing_.add(rows, shown.kept, shown.times, net_.row_hashes()));
    emit({}, &rows, come, out);
    return {};
  }

  [[nodiscard]] bool keeps(micros until) const noexcept {
    return spec_.updating || until != max_time;
  }

  // Deletions of rows that showed, then insertions of a batch's rows.
  void emit(const std::vector<std::uint32_t>& gone, const batch* rows,
            const std::vector<std::uint32_t>& come, output& out) {
    const auto minus = static_cast<std::uint32_t>(gone.size());
    const auto plus = static_cast<std::uint32_t>(come.size());
    counters_.rows_out += minus + plus;
    if (minus != 0) {
      auto made = std::make_shared<batch>();
      made->rows = minus;
      showing_.rows().gather_all(gone.data(), minus, made->columns);
      made->weights = weights_of(minus, 0);
      out.emit(std::move(made));
    }
    if (plus != 0) {
      auto made = std::make_shared<batch>(gather(*rows, come.data(), plus));
      made->weights = {}; // each insertion comes by itself
      out.emit(std::move(made));
    }
  }

  // Some of the rows whose time has come; true = there are more.
  result<bool> pass_on_time(step_budget& budget, output& out) {
    if (begin_)
      waiting_.take_due(now_, begins_);
    if (end_)
      showing_.take_due(now_, ends_);
    begin_ = end_ = false;
    if (next_end_ == ends_.size() && next_begin_ == begins_.size())
      return false;
    const auto room = std::clamp<std::size_t>(budget.rows, 1, row_store::chunk_rows);
    if (next_end_ < ends_.size()) {
      const auto count = std::min(room, ends_.size() - next_end_);
      const std::vector<std::uint32_t> gone(ends_.begin() + static_cast<std::ptrdiff_t>(next_end_),
                                            ends_.begin()
                                                + static_cast<std::ptrdiff_t>(next_end_ + count));
      next_end_ += count;
      for (const auto row : gone)
        showing_.remove(row);
      emit(gone, nullptr, {}, out);
      budget.rows -= static_cast<std::uint32_t>(std::min<std::size_t>(budget.rows, count));
    } else {
      EBB_TRY(begin_some(room, out));
      budget.rows -= static_cast<std::uint32_t>(std::min<std::size_t>(budget.rows, room));
    }
    if (next_end_ < ends_.size() || next_begin_ < begins_.size())
      return true;
    ends_.clear();
    begins_.clear();
    next_end_ = next_begin_ = 0;
    return false;
  }

  // Waiting rows that show from now on.
  result<void> begin_some(std::size_t room, output& out) {
    const auto count = static_cast<std::uint32_t>(std::min(room, begins_.size() - next_begin_));
    batch rows;
    rows.rows = count;
    waiting_.rows().gather_all(begins_.data() + next_begin_, count, rows.columns);
    for (std::uint32_t i = 0; i < count; ++i)
      waiting_.remove(begins_[next_begin_ + i]);
    next_begin_ += count;
    net_.hash_rows(rows);
    std::vector<std::uint32_t> come;
    shown_rows shown;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto at = life_of(rows, i);
      if (!at || at->until <= now_)
        continue;
      come.push_back(i);
      if (keeps(at->until))
        shown.add(i, at->until);
    }
    EBB_TRY(showing_.add(rows, shown.kept, shown.times, net_.row_hashes()));
    emit({}, &rows, come, out);
    return {};
  }

  [[nodiscard]] error not_there(const batch& rows, std::uint32_t i) const {
    return missing_row("", pointers_to(rows.columns), i);
  }

  live_rows_spec spec_;
  operator_context context_;
  operator_counters counters_;
  net_batch net_;
  timed_rows waiting_;
  timed_rows showing_;
  micros now_ = 0;
  bool loading_ = false;
  bool begin_ = false; ///< rows are due that were not taken from the queues yet
  bool end_ = false;
  std::vector<std::uint32_t> begins_; ///< due
  std::vector<std::uint32_t> ends_;
  std::size_t next_begin_ = 0;
  std::size_t next_end_ = 0;
  change_mark mark_ = 1;
  std::optional<micros> saved_now_; ///< of a save that has not written it yet
};

} // namespace

std::unique_ptr<stream_operator> make_live_rows(const live_rows_spec& spec,
                                                operator_context context) {
  return std::make_unique<live_rows>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const live_rows_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  return inputs[0];
}

} // namespace ebb
