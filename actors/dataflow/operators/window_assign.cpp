#include "actors/dataflow/operators/window_assign.hpp"

#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/pane_finder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

class window_assign final : public stream_operator {
public:
  window_assign(const window_assign_spec& spec, operator_context context)
      : context_(std::move(context)), window_(spec.window), slicer_(spec.window),
        finder_(slicer_, {spec.window.processing_time ? -1 : spec.window.time_column, -1, -1}) {
    EBB_ASSERT(window_.kind != window_kind::attached);
  }

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item != nullptr) {
      switch (item->kind) {
      case item_kind::batch:
        EBB_TRY(start(*item));
        break;
      case item_kind::watermark:
        if (!window_.processing_time || item->time == max_time)
          advance(item->time, out);
        else if (loaded_)
          advance(now_, out);
        break;
      case item_kind::tick:
        now_ = std::max(now_, item->time);
        if (window_.processing_time)
          advance(now_, out);
        break;
      case item_kind::idle:
        out.idle();
        break;
      case item_kind::end:
        advance(max_time, out);
        break;
      }
    }
    if (rows_)
      emit(budget, out);
    return rows_ != nullptr;
  }

  [[nodiscard]] bool wants_ticks() const noexcept override {
    return window_.processing_time;
  }

  [[nodiscard]] operator_counters counters() const override {
    return counters_;
  }

  void save(std::uint16_t key_group, change_mark, state_sink& sink) const override {
    if (key_group == unkeyed_group && window_.processing_time)
      save_clock(context_, now_, sink);
  }

  [[nodiscard]] result<void> load(std::uint16_t, std::uint16_t state, std::string_view,
                                  std::string_view value) override {
    loaded_ = true;
    return load_clock(state, value, now_);
  }

private:
  void advance(micros time, output& out) {
    if (time <= watermark_)
      return;
    watermark_ = time;
    out.advance(time);
  }

  result<void> start(const stream_item& item) {
    counters_.rows_in += item.rows->rows;
    if (item.rows->rows == 0)
      return {};
    rows_ = item.rows;
    next_row_ = 0;
    after_ = min_time;
    if (auto started = finder_.start(*rows_, now_); !started)
      return name_row(std::move(started).error(), *rows_, context_.name);
    return {};
  }

  /// Emits a batch of at most the budget's rows. A row may have more windows than that.
  void emit(step_budget& budget, output& out) {
    const auto room = std::max<std::uint32_t>(1, std::min<std::uint32_t>(4096, budget.rows));
    picks_.clear();
    starts_.clear();
    ends_.clear();
    while (next_row_ < rows_->rows && picks_.size() < room) {
      const auto at = finder_.find(next_row_);
      if (at == pane_finder::no_pane) {
        ++counters_.late_rows;
        next();
        continue;
      }
      const auto& found = finder_.panes()[at];
      auto end = slicer_.next_end(found.pane, after_);
      for (; end && picks_.size() < room; end = slicer_.next_end(found.pane, after_)) {
        picks_.push_back(next_row_);
        starts_.push_back(slicer_.start_of(found.pane, *end));
        ends_.push_back(*end);
        after_ = *end;
      }
      if (!end)
        next();
    }
    if (!picks_.empty()) {
      const auto count = static_cast<std::uint32_t>(picks_.size());
      auto made = std::make_shared<batch>(gather(*rows_, picks_.data(), count));
      for (const auto* edges : {&starts_, &ends_}) {
        column x = make_column(sql_type{type_kind::timestamp}, count);
        std::copy(edges->begin(), edges->end(), x.mutable_data<micros>());
        made->columns.push_back(std::move(x));
      }
      budget.rows -= std::min(budget.rows, count);
      counters_.rows_out += count;
      out.emit(std::move(made));
    }
    if (next_row_ == rows_->rows)
      rows_ = nullptr;
  }

  void next() noexcept {
    ++next_row_;
    after_ = min_time;
  }

  operator_context context_;
  window_spec window_;
  window_slicer slicer_;
  pane_finder finder_;
  batch_ptr rows_; ///< being assigned
  std::uint32_t next_row_ = 0;
  micros after_ = min_time;     ///< end of the last window that next_row_ was given
  micros watermark_ = min_time; ///< sent on
  micros now_ = 0;              ///< last tick
  bool loaded_ = false;         ///< now_ is from before a restart, or later
  std::vector<std::uint32_t> picks_;
  std::vector<micros> starts_;
  std::vector<micros> ends_;
  operator_counters counters_;
};

} // namespace

std::unique_ptr<stream_operator> make_window_assign(const window_assign_spec& spec,
                                                    operator_context context) {
  return std::make_unique<window_assign>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const window_assign_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto types = inputs[0];
  types.insert(types.end(), 2, sql_type{type_kind::timestamp});
  return types;
}

} // namespace ebb
