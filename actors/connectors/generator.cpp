#include "actors/connectors/generator.hpp"

#include "actors/connectors/pace.hpp"
#include "actors/connectors/stride_reader.hpp"
#include "actors/dataflow/function.hpp"
#include "actors/plan/plan_graph.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::uint32_t batch_rows = 2048;

class generator_reader final : public stride_reader {
public:
  generator_reader(const source_definition& source, const generator_source& options,
                   std::vector<expr_ptr> columns, strides mine)
      : stride_reader(std::move(mine), source.time.has_value()), source_(source), options_(options),
        columns_(std::move(columns)), pace_(options.rate, strides_.floor()),
        origin_(std::make_shared<std::string>("source " + source.name)) {}

private:
  result<read_status> read_rows(micros now, step_budget& budget, output& out) override {
    if (strides_.size() == 0)
      return read_status{read_status::kind::finished};
    const auto limit =
        std::min(options_.rows == 0 ? UINT64_MAX : options_.rows, pace_.allowed(now));
    const auto wanted = std::min(budget.rows, batch_rows);
    const std::uint64_t step = strides_.count();
    if (auto& from = strides_.lowest(); from.next < limit) {
      const auto left = (limit - from.next + step - 1) / step;
      const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, left));
      EBB_ASSIGN(auto rows, make_rows(from, count));
      from.next += count * step;
      counters_.rows += count;
      budget.rows -= std::min(budget.rows, count);
      out.emit(std::move(rows));
    }
    const auto next = strides_.lowest().next;
    if (options_.rows != 0 && next >= options_.rows)
      return read_status{read_status::kind::finished};
    if (options_.rate != 0 && next >= limit)
      return read_status{read_status::kind::waiting, pace_.when(next, now)};
    return read_status{};
  }

  result<batch_ptr> make_rows(const strides::stride& from, std::uint32_t count) {
    batch numbers;
    numbers.rows = count;
    auto n = make_column(sql_type{type_kind::bigint}, count);
    for (std::uint32_t i = 0; i < count; ++i)
      n.mutable_data<std::int64_t>()[i] =
          static_cast<std::int64_t>(from.next + static_cast<std::uint64_t>(i) * strides_.count());
    numbers.columns.push_back(std::move(n));
    auto rows = std::make_shared<batch>();
    rows->rows = count;
    rows->partition = from.partition;
    rows->partitions = strides_.size();
    rows->origin = {origin_, from.next, {}};
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      auto value = evaluate(*columns_[k], numbers, selection::all(numbers));
      if (!value) {
        auto problem = std::move(value).error();
        problem.place.field = "column " + source_.columns[k].name;
        return name_row(std::move(problem), *rows, source_.name);
      }
      rows->columns.push_back(materialize(*std::move(value)));
      if (source_.columns[k].not_null && rows->columns.back().has_nulls())
        for (std::uint32_t i = 0; i < count; ++i)
          if (rows->columns.back().is_null(i))
            return make_error(ec::bad_record,
                              origin_text(*rows, i) + ": column " + source_.columns[k].name
                                  + " is NULL but declared NOT NULL",
                              "let its expression give a value for every n");
    }
    return batch_ptr{std::move(rows)};
  }

  source_definition source_;
  generator_source options_;
  std::vector<expr_ptr> columns_;
  pace pace_;
  std::shared_ptr<const std::string> origin_;
};

/// Makes a TEXT a column's VARCHAR(n) as PostgreSQL's INSERT does: only spaces may be cut.
result<expr_ptr> fitted(expr_ptr value, const sql_type& wanted) {
  const sql_type text{type_kind::text};
  const auto* fit = builtin_functions().find("fit_length", {&text, 1});
  EBB_ASSERT(fit != nullptr);
  return make_call(*fit, wanted, {std::move(value)});
}

} // namespace

result<std::unique_ptr<source_reader>> open_generator(const source_definition& source,
                                                      const generator_source& options,
                                                      const connector_context& context) {
  const schema numbers{{"n", sql_type{type_kind::bigint}, true}};
  std::vector<expr_ptr> columns;
  for (std::size_t k = 0; k < options.columns.size(); ++k) {
    const auto& wanted = source.columns[k];
    const bool bounded = wanted.type.kind == type_kind::text && wanted.type.length != 0;
    auto bound = bind_expression(
        "CAST((" + options.columns[k] + ") AS "
            + to_string(bounded ? sql_type{type_kind::text} : wanted.type) + ')',
        numbers);
    if (bound && bounded)
      bound = fitted(*std::move(bound), wanted.type);
    if (!bound) {
      auto problem = std::move(bound).error();
      problem.message = "column " + wanted.name + ": " + problem.message;
      problem.place = source.place;
      problem.excerpt.clear();
      return problem;
    }
    columns.push_back(*std::move(bound));
  }
  EBB_ASSIGN(auto mine, strides::of(source.name, context, 0, 1, options.rows));
  return std::unique_ptr<source_reader>{
      std::make_unique<generator_reader>(source, options, std::move(columns), std::move(mine))};
}

} // namespace ebb
