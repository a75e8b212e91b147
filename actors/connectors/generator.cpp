#include "actors/connectors/generator.hpp"

#include "actors/connectors/pace.hpp"
#include "actors/plan/plan_graph.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::uint32_t batch_rows = 2048;

class generator_reader final : public source_reader {
public:
  generator_reader(const source_definition& source, const generator_source& options,
                   std::vector<expr_ptr> columns, const connector_context& context)
      : source_(source), options_(options), columns_(std::move(columns)), pace_(options.rate),
        origin_(std::make_shared<std::string>("source " + source.name)), subtask_(context.subtask),
        parallelism_(context.parallelism), next_(context.subtask) {}

  result<read_status> read(micros now, step_budget& budget, output& out) override {
    const auto limit =
        std::min(options_.rows == 0 ? UINT64_MAX : options_.rows, pace_.allowed(now));
    const auto wanted = std::min(budget.rows, batch_rows);
    if (next_ < limit) {
      const auto left = (limit - next_ + parallelism_ - 1) / parallelism_;
      const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, left));
      EBB_ASSIGN(auto rows, make_rows(count));
      next_ += static_cast<std::uint64_t>(count) * parallelism_;
      counters_.rows += count;
      budget.rows -= std::min(budget.rows, count);
      out.emit(std::move(rows));
    }
    if (options_.rows != 0 && next_ >= options_.rows)
      return read_status{read_status::kind::finished};
    if (options_.rate != 0 && next_ >= limit)
      return read_status{read_status::kind::waiting, pace_.when(next_, now)};
    return read_status{};
  }

  source_counters counters() const override {
    return counters_;
  }

  std::uint32_t partitions() const override {
    return 1;
  }

private:
  result<batch_ptr> make_rows(std::uint32_t count) {
    batch numbers;
    numbers.rows = count;
    auto n = make_column(sql_type{type_kind::bigint}, count);
    for (std::uint32_t i = 0; i < count; ++i)
      n.mutable_data<std::int64_t>()[i] =
          static_cast<std::int64_t>(next_ + static_cast<std::uint64_t>(i) * parallelism_);
    numbers.columns.push_back(std::move(n));
    auto rows = std::make_shared<batch>();
    rows->rows = count;
    rows->partition = subtask_;
    rows->origin = {origin_, next_, {}};
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
  std::uint32_t subtask_, parallelism_;
  std::uint64_t next_;
  source_counters counters_;
};

} // namespace

result<std::unique_ptr<source_reader>> open_generator(const source_definition& source,
                                                      const generator_source& options,
                                                      const connector_context& context) {
  const schema numbers{{"n", sql_type{type_kind::bigint}, true}};
  std::vector<expr_ptr> columns;
  for (std::size_t k = 0; k < options.columns.size(); ++k) {
    const auto& wanted = source.columns[k];
    auto bound = bind_expression(
        "CAST((" + options.columns[k] + ") AS " + to_string(wanted.type) + ')', numbers);
    if (!bound) {
      auto problem = std::move(bound).error();
      problem.message = "column " + wanted.name + ": " + problem.message;
      problem.place = source.place;
      problem.excerpt.clear();
      return problem;
    }
    columns.push_back(*std::move(bound));
  }
  return std::unique_ptr<source_reader>{
      std::make_unique<generator_reader>(source, options, std::move(columns), context)};
}

} // namespace ebb
