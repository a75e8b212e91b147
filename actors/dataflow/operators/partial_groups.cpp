#include "actors/dataflow/operators/partial_groups.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/aggregate_table.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/pass_time.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

constexpr std::uint32_t batches_untried = 32; ///< after one that gained little

class partial_groups final : public stream_operator {
public:
  partial_groups(const group_aggregate_spec& spec, operator_context context)
      : context_(std::move(context)), keys_(spec.keys),
        shape_(types_of(context_.inputs[0], keys_), spec.calls, 1), table_(shape_) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr)
      return false;
    if (item->kind != item_kind::batch) {
      pass_time(*item, out);
      return false;
    }
    const auto& rows = *item->rows;
    counters_.rows_in += rows.rows;
    budget.rows -= std::min(budget.rows, rows.rows);
    if (rows.rows != 0)
      if (auto taken = take(rows, out); !taken)
        return name_row(std::move(taken).error(), rows, context_.name);
    return false;
  }

  operator_counters counters() const override {
    auto x = counters_;
    x.state_bytes = table_.byte_size();
    return x;
  }

private:
  result<void> take(const batch& rows, output& out) {
    const auto keys = key_columns(rows, keys_);
    auto made = std::make_shared<batch>();
    auto hashes = buffer_ptr::of<std::uint64_t>(rows.rows);
    hash_keys(keys, rows.rows, hashes.as<std::uint64_t>());
    const auto calls = arguments_of(shape_, rows);
    if (untried_ != 0) {
      --untried_;
      made->rows = rows.rows;
      for (const auto* x : keys)
        made->columns.push_back(*x);
      all_.resize(std::max<std::size_t>(all_.size(), rows.rows));
      std::iota(all_.begin(), all_.end(), 0U);
      EBB_TRY(
          states_of_rows(shape_, calls, {all_.begin(), all_.begin() + rows.rows}, made->columns));
    } else {
      EBB_TRY(table_.add(keys, hashes.as<const std::uint64_t>(), calls, nullptr));
      const auto groups = table_.index().slot_count();
      made->rows = groups;
      all_.resize(std::max<std::size_t>(all_.size(), groups));
      std::iota(all_.begin(), all_.end(), 0U);
      const std::span slots(all_.data(), groups);
      table_.keys(slots, made->columns);
      table_.states(slots, made->columns);
      const auto of_groups = table_.index().hashes();
      std::copy_n(of_groups.begin(), groups, hashes.as<std::uint64_t>());
      table_.clear();
      if (!keys_.empty() && groups > rows.rows - rows.rows / 4)
        untried_ = batches_untried;
    }
    if (!keys_.empty())
      made->hashes = std::move(hashes);
    counters_.rows_out += made->rows;
    out.emit(std::move(made));
    return {};
  }

  operator_context context_;
  std::vector<std::uint32_t> keys_;
  aggregate_shape shape_;
  aggregate_table table_;
  std::uint32_t untried_ = 0;
  std::vector<std::uint32_t> all_; ///< 0, 1, 2, …
  operator_counters counters_;
};

} // namespace

std::unique_ptr<stream_operator> make_partial_groups(const group_aggregate_spec& spec,
                                                     operator_context context) {
  return std::make_unique<partial_groups>(spec, std::move(context));
}

} // namespace ebb
