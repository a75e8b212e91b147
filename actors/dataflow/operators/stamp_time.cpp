#include "actors/dataflow/operators/stamp_time.hpp"

#include "actors/dataflow/operators/owned_groups.hpp"

#include <algorithm>

namespace ebb {

namespace {

class stamp_time final : public stream_operator {
public:
  explicit stamp_time(operator_context context) : context_(std::move(context)) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr)
      return false;
    switch (item->kind) {
    case item_kind::batch: {
      const auto rows = item->rows->rows;
      budget.rows -= std::min(budget.rows, rows);
      auto made = std::make_shared<batch>(*item->rows);
      column stamps = make_column(sql_type{type_kind::timestamp}, rows);
      std::fill_n(stamps.mutable_data<micros>(), rows, now_);
      made->columns.push_back(std::move(stamps));
      counters_.rows_in += rows;
      counters_.rows_out += rows;
      out.emit(std::move(made));
      break;
    }
    case item_kind::tick:
      now_ = std::max(now_, item->time);
      break;
    case item_kind::watermark:
      out.advance(item->time);
      break;
    case item_kind::idle:
      out.idle();
      break;
    case item_kind::end:
      break;
    }
    return false;
  }

  [[nodiscard]] bool wants_ticks() const noexcept override {
    return true;
  }

  [[nodiscard]] operator_counters counters() const override {
    return counters_;
  }

  void save(std::uint16_t key_group, change_mark, state_sink& sink) const override {
    if (key_group == unkeyed_group)
      save_clock(context_, now_, sink);
  }

  [[nodiscard]] result<void> load(std::uint16_t, std::uint16_t state, std::string_view,
                                  std::string_view value) override {
    return load_clock(state, value, now_);
  }

private:
  operator_context context_;
  micros now_ = 0;
  operator_counters counters_;
};

} // namespace

std::unique_ptr<stream_operator> make_stamp_time(const stamp_time_spec&, operator_context context) {
  return std::make_unique<stamp_time>(std::move(context));
}

std::vector<sql_type> output_types_of(const stamp_time_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto types = inputs[0];
  types.push_back(sql_type{type_kind::timestamp});
  return types;
}

} // namespace ebb
