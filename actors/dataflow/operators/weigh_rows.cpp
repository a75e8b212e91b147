#include "actors/dataflow/operators/weigh_rows.hpp"

#include "actors/dataflow/operators/pass_time.hpp"

#include <algorithm>
#include <limits>

namespace ebb {

namespace {

class weigh_rows final : public stream_operator {
public:
  weigh_rows(const weigh_rows_spec& spec, operator_context context)
      : count_column_(spec.count_column), context_(std::move(context)) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr)
      return false;
    if (item->kind == item_kind::batch) {
      counters_.rows_in += item->rows->rows;
      budget.rows -= std::min(budget.rows, item->rows->rows);
      EBB_TRY(weigh(*item->rows, out));
    } else {
      pass_time(*item, out);
    }
    return false;
  }

  operator_counters counters() const override {
    return counters_;
  }

private:
  result<void> weigh(const batch& rows, output& out) {
    const auto& counts = rows.columns[count_column_];
    const auto* before = rows.weights ? rows.weights.as<const std::int32_t>() : nullptr;
    picks_.clear();
    weights_.clear();
    for (std::uint32_t i = 0; i < rows.rows; ++i) {
      const auto count = counts.is_null(i) ? 0 : counts.data<std::int64_t>()[counts.at(i)];
      if (count <= 0)
        continue;
      std::int64_t weight = 0;
      constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
      if (__builtin_mul_overflow(count, std::int64_t{before == nullptr ? 1 : before[i]}, &weight)
          || weight > most || weight < -most)
        return make_error(ec::resource, "operator " + context_.name
                                            + ": a row occurs more than 2147483647 times");
      picks_.push_back(i);
      weights_.push_back(static_cast<std::int32_t>(weight));
    }
    const auto kept = static_cast<std::uint32_t>(picks_.size());
    if (kept == 0)
      return {};
    auto plain = rows;
    plain.weights = {};
    plain.columns.erase(plain.columns.begin() + count_column_);
    auto made = std::make_shared<batch>(gather(plain, picks_.data(), kept));
    if (std::any_of(weights_.begin(), weights_.end(), [](auto x) { return x != 1; })) {
      made->weights = buffer_ptr::of<std::int32_t>(kept);
      std::copy(weights_.begin(), weights_.end(), made->weights.as<std::int32_t>());
    }
    counters_.rows_out += kept;
    out.emit(std::move(made));
    return {};
  }

  std::uint32_t count_column_;
  operator_context context_;
  operator_counters counters_;
  std::vector<std::uint32_t> picks_;
  std::vector<std::int32_t> weights_;
};

} // namespace

std::unique_ptr<stream_operator> make_weigh_rows(const weigh_rows_spec& spec,
                                                 operator_context context) {
  return std::make_unique<weigh_rows>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const weigh_rows_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto types = inputs[0];
  types.erase(types.begin() + spec.count_column);
  return types;
}

} // namespace ebb
