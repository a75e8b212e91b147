#include "actors/dataflow/operators/union_all.hpp"

#include "actors/dataflow/operators/time_keys.hpp"

#include <algorithm>

namespace ebb {

namespace {

class union_all final : public stream_operator {
public:
  explicit union_all(std::uint32_t inputs) : inputs_(inputs) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr)
      return false;
    auto& own = inputs_[item->input];
    switch (item->kind) {
    case item_kind::batch: {
      own.idle = false;
      const auto rows = item->rows->rows;
      budget.rows -= std::min(budget.rows, rows);
      counters_.rows_in += rows;
      counters_.rows_out += rows;
      out.emit(with_least_watermark(*item));
      all_idle_ = false;
      return false;
    }
    case item_kind::watermark:
      own.idle = false;
      own.watermark = std::max(own.watermark, item->time);
      break;
    case item_kind::idle:
      own.idle = true;
      break;
    case item_kind::end:
      own.ended = true;
      own.watermark = max_time;
      break;
    case item_kind::tick:
      return false;
    }
    pass_on(out);
    return false;
  }

  [[nodiscard]] operator_counters counters() const override {
    return counters_;
  }

private:
  struct input_state {
    micros watermark = min_time;
    bool idle = false;
    bool ended = false;

    [[nodiscard]] bool holds_back() const noexcept {
      return !idle && !ended;
    }
  };

  /// Rows that lie behind their own input's watermark need not lie behind ours.
  [[nodiscard]] batch_ptr with_least_watermark(const stream_item& item) const {
    const auto& rows = item.rows;
    if (!rows->watermarks)
      return rows;
    micros others = item.other_channels;
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      if (i != item.input && inputs_[i].holds_back())
        others = std::min(others, inputs_[i].watermark);
    if (others == max_time)
      return rows;
    auto made = std::make_shared<batch>(*rows);
    made->watermarks = buffer_ptr::of<micros>(std::max<std::size_t>(1, rows->rows));
    const auto* from = rows->watermarks.as<const micros>();
    auto* to = made->watermarks.as<micros>();
    for (std::uint32_t i = 0; i < rows->rows; ++i)
      to[i] = std::min(from[i], others);
    return made;
  }

  void pass_on(output& out) {
    micros least = max_time;
    bool any_active = false;
    bool all_ended = true;
    micros largest = min_time;
    for (const auto& x : inputs_) {
      all_ended &= x.ended;
      if (x.ended)
        continue;
      largest = std::max(largest, x.watermark);
      if (x.idle)
        continue;
      any_active = true;
      least = std::min(least, x.watermark);
    }
    if (all_ended)
      least = max_time;
    else if (!any_active)
      least = largest; // idle inputs hold nothing back that any of them has promised
    if (least > sent_) {
      sent_ = least;
      out.advance(sent_);
    }
    const bool idle = !all_ended && !any_active;
    if (idle && !all_idle_)
      out.idle();
    all_idle_ = idle;
  }

  std::vector<input_state> inputs_;
  micros sent_ = min_time;
  bool all_idle_ = false; ///< said so
  operator_counters counters_;
};

} // namespace

std::unique_ptr<stream_operator> make_union_all(const union_all_spec& spec, operator_context) {
  return std::make_unique<union_all>(spec.inputs);
}

std::vector<sql_type> output_types_of(const union_all_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  return inputs[0];
}

} // namespace ebb
