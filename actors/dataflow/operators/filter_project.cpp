#include "actors/dataflow/operators/filter_project.hpp"

#include <algorithm>

namespace ebb {

namespace {

class filter_project final : public stream_operator {
public:
  filter_project(const filter_project_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)) {
  }

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr)
      return false;
    switch (item->kind) {
    case item_kind::batch: {
      const auto& input = *item->rows;
      counters_.rows_in += input.rows;
      budget.rows -= std::min(budget.rows, input.rows);
      EBB_TRY(project(item->rows, out));
      break;
    }
    case item_kind::watermark:
      out.advance(item->time);
      break;
    case item_kind::idle:
      out.idle();
      break;
    case item_kind::tick:
    case item_kind::end:
      break;
    }
    return false;
  }

  operator_counters counters() const override {
    return counters_;
  }

private:
  result<void> project(const batch_ptr& rows, output& out) {
    const auto& input = *rows;
    auto picked = selection::all(input);
    if (spec_.predicate) {
      picks_.resize(input.rows);
      auto count = filter_rows(*spec_.predicate, input, picked, picks_.data());
      if (!count)
        return name_row(std::move(count).error(), input, context_.name);
      if (*count == 0)
        return {};
      if (*count < input.rows)
        picked = {picks_.data(), *count};
    }
    auto projected = std::make_shared<batch>();
    projected->columns.reserve(spec_.outputs.size());
    for (const auto& expression : spec_.outputs) {
      auto value = evaluate(*expression, input, picked);
      if (!value)
        return name_row(std::move(value).error(), input, context_.name);
      projected->columns.push_back(materialize(*std::move(value)));
      projected->columns.back().type = expression->type;
    }
    carry_row_facts(input, picked, *projected);
    counters_.rows_out += projected->rows;
    out.emit(std::move(projected));
    return {};
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
