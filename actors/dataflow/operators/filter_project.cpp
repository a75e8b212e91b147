#include "actors/dataflow/operators/filter_project.hpp"

#include "actors/dataflow/operators/pass_time.hpp"
#include "actors/dataflow/operators/row_values.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace ebb {

namespace {

class filter_project final : public stream_operator {
public:
  filter_project(const filter_project_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr) {
      if (failed_)
        return *std::exchange(failed_, std::nullopt);
      return false;
    }
    if (item->kind != item_kind::batch) {
      pass_time(*item, out);
      return false;
    }
    const auto& input = *item->rows;
    counters_.rows_in += input.rows;
    budget.rows -= std::min(budget.rows, input.rows);
    return project(input, out);
  }

  operator_counters counters() const override {
    return counters_;
  }

private:
  // A row that fails does so after the rows before it have gone on, whatever the expressions and
  // the batches: of all failing rows the first one is reported.
  result<bool> project(const batch& input, output& out) {
    auto made = project_first(input, input.rows);
    while (!made) {
      const auto row = made.error().row.value_or(0);
      failed_ = name_row(name_values(std::move(made).error(), input, reads()), input, context_.name);
      if (row == 0)
        return *std::exchange(failed_, std::nullopt);
      made = project_first(input, row);
    }
    if (*made) {
      counters_.rows_out += (*made)->rows;
      out.emit(*std::move(made));
    }
    return failed_.has_value();
  }

  std::vector<expr_ptr> reads() const {
    auto all = spec_.outputs;
    all.push_back(spec_.predicate);
    return all;
  }

  // The result of the first `count` rows; null where none is kept.
  result<std::shared_ptr<batch>> project_first(const batch& input, std::uint32_t count) {
    auto picked = selection::all(input);
    picks_.resize(input.rows);
    if (count < input.rows) {
      std::iota(picks_.begin(), picks_.begin() + count, 0U);
      picked = {picks_.data(), count};
    }
    if (spec_.predicate) {
      EBB_ASSIGN(const auto kept, filter_rows(*spec_.predicate, input, picked, picks_.data()));
      if (kept == 0)
        return std::shared_ptr<batch>{};
      if (kept < count)
        picked = {picks_.data(), kept};
    }
    auto projected = std::make_shared<batch>();
    projected->columns.reserve(spec_.outputs.size());
    for (const auto& expression : spec_.outputs) {
      EBB_ASSIGN(auto value, evaluate(*expression, input, picked));
      projected->columns.push_back(materialize(std::move(value)));
      projected->columns.back().type = expression->type;
    }
    carry_row_facts(input, picked, *projected);
    return projected;
  }

  // Weights, watermarks and origin follow the kept rows.
  static void carry_row_facts(const batch& input, selection picked, batch& to) {
    if (picked.rows == nullptr) {
      to.rows = input.rows;
      to.weights = input.weights;
      to.watermarks = input.watermarks;
      to.origin = input.origin;
      to.partition = input.partition;
      return;
    }
    batch facts;
    facts.rows = input.rows;
    facts.weights = input.weights;
    facts.watermarks = input.watermarks;
    facts.origin = input.origin;
    facts.partition = input.partition;
    auto kept = gather(facts, picked.rows, picked.count);
    to.rows = kept.rows;
    to.weights = std::move(kept.weights);
    to.watermarks = std::move(kept.watermarks);
    to.origin = std::move(kept.origin);
    to.partition = kept.partition;
  }

  filter_project_spec spec_;
  operator_context context_;
  operator_counters counters_;
  std::vector<std::uint32_t> picks_;
  std::optional<error> failed_; ///< of the row behind those that went on
};

} // namespace

std::unique_ptr<stream_operator> make_filter_project(const filter_project_spec& spec,
                                                     operator_context context) {
  return std::make_unique<filter_project>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const filter_project_spec& spec,
                                      const std::vector<std::vector<sql_type>>&) {
  std::vector<sql_type> types;
  types.reserve(spec.outputs.size());
  for (const auto& expression : spec.outputs)
    types.push_back(expression->type);
  return types;
}

} // namespace ebb
