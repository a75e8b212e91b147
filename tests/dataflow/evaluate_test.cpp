#include "actors/dataflow/function.hpp"
#include "actors/dataflow/operators/filter_project.hpp"
#include "actors/dataflow/value_text.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

namespace ebb {

namespace {

constexpr sql_type integer{type_kind::integer};
constexpr sql_type boolean{type_kind::boolean};

// Fails on 0, else 10 / x: shows which rows an expression really visits.
result<column> ten_by(const call_context& context, std::span<const column> args) {
  auto out = make_column(context.type, context.rows);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (context.valid != nullptr && !get_bit(context.valid, i))
      continue;
    const auto x = args[0].data<std::int32_t>()[args[0].at(i)];
    if (x == 0) {
      auto problem = make_error(ec::evaluation, "division by zero");
      problem.row = i;
      return problem;
    }
    out.mutable_data<std::int32_t>()[i] = 10 / x;
  }
  return out;
}

result<column> is_positive(const call_context& context, std::span<const column> args) {
  auto out = make_column(context.type, context.rows);
  for (std::uint32_t i = 0; i < context.rows; ++i)
    out.mutable_data<std::uint8_t>()[i] = args[0].data<std::int32_t>()[args[0].at(i)] > 0 ? 1 : 0;
  return out;
}

const scalar_function& ten_by_function() {
  static const scalar_function function{
      .name = "ten_by", .params = {integer}, .returns = integer, .run = ten_by, .may_fail = true};
  return function;
}

const scalar_function& is_positive_function() {
  static const scalar_function function{
      .name = "is_positive", .params = {integer}, .returns = boolean, .run = is_positive};
  return function;
}

expr_ptr x_column() {
  return make_column_ref(0, integer, "x");
}

expr_ptr ten_by_of(expr_ptr x) {
  return *make_call(ten_by_function(), integer, {std::move(x)});
}

expr_ptr positive(expr_ptr x) {
  return *make_call(is_positive_function(), boolean, {std::move(x)});
}

expr_ptr number(int value) {
  auto x = make_column(integer, 1);
  x.mutable_data<std::int32_t>()[0] = value;
  return make_literal(std::move(x));
}

batch rows_of(std::vector<std::optional<int>> values) {
  batch rows;
  rows.rows = static_cast<std::uint32_t>(values.size());
  auto x = make_column(integer, rows.rows);
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    x.mutable_data<std::int32_t>()[i] = values[i].value_or(0);
    if (!values[i])
      set_null(x, i);
  }
  rows.columns.push_back(std::move(x));
  return rows;
}

// `1 - 3`: a row each, `-` for NULL.
std::string text_of(const result<column>& x) {
  if (!x)
    return "error: " + x.error().message + " at " + std::to_string(x.error().row.value_or(999));
  std::string text;
  for (std::uint32_t i = 0; i < x->rows; ++i) {
    text += i == 0 ? "" : " ";
    if (x->is_null(i))
      text += '-';
    else if (x->type.kind == type_kind::boolean)
      text += x->data<std::uint8_t>()[x->at(i)] != 0 ? 't' : 'f';
    else
      text += std::to_string(x->data<std::int32_t>()[x->at(i)]);
  }
  return text;
}

std::string value(const expr_ptr& x, const batch& rows) {
  return text_of(evaluate(*x, rows, selection::all(rows)));
}

struct collected final : output {
  std::vector<batch_ptr> batches;
  std::vector<micros> watermarks;

  void emit(batch_ptr rows) override {
    batches.push_back(std::move(rows));
  }

  void advance(micros watermark) override {
    watermarks.push_back(watermark);
  }

  void idle() override {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(evaluation)

BOOST_AUTO_TEST_CASE(strict_calls_give_null_for_null_and_skip_it) {
  BOOST_TEST(value(ten_by_of(x_column()), rows_of({5, std::nullopt, 2})) == "2 - 5");
}

BOOST_AUTO_TEST_CASE(an_error_names_the_row_of_the_batch) {
  BOOST_TEST(value(ten_by_of(x_column()), rows_of({5, 1, 0, 2})) == "error: division by zero at 2");
  const auto rows = rows_of({0, 5, 0, 1});
  const std::uint32_t picks[] = {1, 2, 3};
  BOOST_TEST(text_of(evaluate(*ten_by_of(x_column()), rows, {picks, 3}))
             == "error: division by zero at 2");
}

BOOST_AUTO_TEST_CASE(no_rows_no_error) {
  const auto rows = rows_of({});
  BOOST_TEST(value(ten_by_of(number(0)), rows) == "");
}

BOOST_AUTO_TEST_CASE(and_or_not_are_three_valued) {
  const auto rows = rows_of({1, -1, std::nullopt});
  const auto p = positive(x_column());
  const auto null = make_null_literal(boolean);
  BOOST_TEST(value(make_logic(expr_kind::and_, boolean, {p, null}), rows) == "- f -");
  BOOST_TEST(value(make_logic(expr_kind::or_, boolean, {p, null}), rows) == "t - -");
  BOOST_TEST(value(make_logic(expr_kind::not_, boolean, {p}), rows) == "f t -");
  BOOST_TEST(value(make_logic(expr_kind::and_, boolean, {p, make_bool_literal(true)}), rows)
             == "t f -");
}

BOOST_AUTO_TEST_CASE(later_operands_see_only_open_rows) {
  const auto rows = rows_of({0, 5, -5});
  const auto guarded =
      make_logic(expr_kind::and_, boolean, {positive(x_column()), positive(ten_by_of(x_column()))});
  BOOST_TEST(value(guarded, rows) == "f t f");
  const auto reversed =
      make_logic(expr_kind::and_, boolean, {positive(ten_by_of(x_column())), positive(x_column())});
  BOOST_TEST(value(reversed, rows) == "error: division by zero at 0");
}

BOOST_AUTO_TEST_CASE(case_evaluates_a_branch_only_where_it_is_reached) {
  const auto x = make_logic(expr_kind::case_, integer,
                            {positive(x_column()), ten_by_of(x_column()), number(7)});
  BOOST_TEST(value(x, rows_of({0, 5, std::nullopt, 2})) == "7 2 7 5");
  const auto without_else =
      make_logic(expr_kind::case_, integer, {positive(x_column()), ten_by_of(x_column())});
  BOOST_TEST(value(without_else, rows_of({0, 5})) == "- 2");
}

BOOST_AUTO_TEST_CASE(coalesce_stops_at_the_first_value) {
  const auto x = make_logic(expr_kind::coalesce, integer, {x_column(), ten_by_of(number(0))});
  BOOST_TEST(value(x, rows_of({1, 2})) == "1 2");
  BOOST_TEST(value(x, rows_of({1, std::nullopt})) == "error: division by zero at 1");
  const auto both =
      make_logic(expr_kind::coalesce, integer, {x_column(), make_null_literal(integer), number(9)});
  BOOST_TEST(value(both, rows_of({std::nullopt, 4})) == "9 4");
}

BOOST_AUTO_TEST_CASE(null_tests_are_never_null) {
  const auto rows = rows_of({1, std::nullopt});
  BOOST_TEST(value(make_logic(expr_kind::is_null, boolean, {x_column()}), rows) == "f t");
  BOOST_TEST(value(make_logic(expr_kind::is_not_null, boolean, {x_column()}), rows) == "t f");
  BOOST_TEST(value(make_logic(expr_kind::is_null, boolean, {make_null_literal(integer)}), rows)
             == "t t");
}

BOOST_AUTO_TEST_CASE(filter_keeps_only_true_rows) {
  const auto rows = rows_of({1, std::nullopt, -1, 4});
  std::uint32_t picks[4];
  const auto count = filter_rows(*positive(x_column()), rows, selection::all(rows), picks);
  BOOST_REQUIRE(count);
  BOOST_TEST(*count == 2U);
  BOOST_TEST(picks[0] == 0U);
  BOOST_TEST(picks[1] == 3U);
}

BOOST_AUTO_TEST_CASE(constants_are_folded_unless_they_fail) {
  BOOST_CHECK(fold_constants(ten_by_of(number(5)))->kind == expr_kind::literal);
  BOOST_CHECK(fold_constants(ten_by_of(number(0)))->kind == expr_kind::call);
  BOOST_CHECK(fold_constants(ten_by_of(x_column()))->kind == expr_kind::call);
}

BOOST_AUTO_TEST_CASE(same_expressions_are_recognised) {
  BOOST_TEST(same_expr(*ten_by_of(number(5)), *ten_by_of(number(5))));
  BOOST_TEST(!same_expr(*ten_by_of(number(5)), *ten_by_of(number(6))));
  BOOST_TEST(!same_expr(*x_column(), *make_column_ref(1, integer)));
}

BOOST_AUTO_TEST_CASE(filter_and_projection_carry_row_facts) {
  filter_project_spec spec;
  spec.predicate = positive(x_column());
  spec.outputs = {x_column(), number(3)};
  auto step = make_filter_project(spec, {"f", {{integer}}, 128});
  auto rows = std::make_shared<batch>(rows_of({1, -1, 4}));
  rows->watermarks = buffer_ptr::of<micros>(3);
  for (int i = 0; i < 3; ++i)
    rows->watermarks.as<micros>()[i] = 100 + i;
  rows->origin = {std::make_shared<std::string>("source s"), 5, {}};
  stream_item item;
  item.rows = rows;
  step_budget budget;
  collected out;
  BOOST_REQUIRE(step->step(&item, budget, out));
  BOOST_REQUIRE(out.batches.size() == 1U);
  const auto& kept = *out.batches[0];
  BOOST_TEST(kept.rows == 2U);
  BOOST_TEST(kept.columns[1].data<std::int32_t>()[1] == 3);
  BOOST_TEST(kept.watermarks.as<micros>()[1] == 102);
  BOOST_TEST(origin_text(kept, 1) == "source s, record 7");
}

BOOST_AUTO_TEST_CASE(long_chains_of_calls_need_no_stack) {
  auto x = x_column();
  for (int i = 0; i < 20'000; ++i)
    x = ten_by_of(x);
  BOOST_TEST(value(x, rows_of({2, std::nullopt, 5})) == "2 - 5");
  BOOST_TEST(value(x, rows_of({2, 20})) == "error: division by zero at 1");
  // Their destruction is not without a stack: level by level.
  while (x->kind == expr_kind::call)
    x = expr_ptr{x->args.front()};
}

// Without its hint, which has a test of its own.
std::string said(error problem) {
  problem.hint.clear();
  return to_string(problem);
}

// What a projection makes of rows of the record numbers from 6 on: rows, then its error.
std::string projected(std::vector<expr_ptr> outputs, std::vector<std::optional<int>> values,
                      expr_ptr predicate = nullptr) {
  filter_project_spec spec;
  spec.predicate = std::move(predicate);
  spec.outputs = std::move(outputs);
  auto step = make_filter_project(spec, {"f", {{integer}}, 128});
  auto rows = std::make_shared<batch>(rows_of(std::move(values)));
  rows->origin = {std::make_shared<std::string>("source s"), 5, {}};
  stream_item item;
  item.rows = rows;
  step_budget budget;
  collected out;
  auto stepped = step->step(&item, budget, out);
  if (stepped && *stepped)
    stepped = step->step(nullptr, budget, out);
  std::string text;
  for (const auto& made : out.batches)
    text += text_of(made->columns.back()) + "; ";
  return text + (stepped ? "done" : said(stepped.error()));
}

BOOST_AUTO_TEST_CASE(an_error_of_a_row_says_what_to_do) {
  const auto hint = [](std::string message, std::string own = {}) {
    return name_row(make_error(ec::evaluation, std::move(message), std::move(own)), batch{}, "f")
        .hint;
  };
  BOOST_TEST(hint("bigint out of range") == "use NUMERIC, from before the computing on: x::numeric");
  BOOST_TEST(hint("integer out of range")
             == "use a wider type, in the cast or from before the computing on: x::bigint");
  BOOST_TEST(hint("division by zero").starts_with("divide by NULLIF(x, 0)"));
  BOOST_TEST(hint("value \"9\" is out of range for type smallint").starts_with("cast to a wider"));
  BOOST_TEST(hint("value out of range: overflow").starts_with("compute with NUMERIC"));
  BOOST_TEST(hint("invalid input syntax for type date: \"x\"").starts_with("leave such rows out"));
  BOOST_TEST(hint("value too long for type character varying(3)").starts_with("cut it with left"));
  BOOST_TEST(hint("anything else")
             == "leave such rows out with WHERE, or give them another value with CASE");
  BOOST_TEST(hint("division by zero", "its own") == "its own");
  // Not of an expression.
  BOOST_TEST(name_row(make_error(ec::io, "division by zero"), batch{}, "f").hint.empty());
}

BOOST_AUTO_TEST_CASE(a_failing_row_is_named_by_its_source) {
  BOOST_TEST(projected({ten_by_of(x_column())}, {0, 1})
             == "operator f: division by zero (source s, record 5)");
}

BOOST_AUTO_TEST_CASE(rows_before_a_failing_one_go_on) {
  BOOST_TEST(projected({ten_by_of(x_column())}, {1, 2, 0, 5, 0})
             == "10 5; operator f: division by zero (source s, record 7)");
  BOOST_TEST(projected({x_column()}, {1, -2, 4, 0}, positive(ten_by_of(x_column())))
             == "1 4; operator f: division by zero (source s, record 8)");
  BOOST_TEST(projected({x_column()}, {-1, -2, 0}, positive(ten_by_of(x_column())))
             == "operator f: division by zero (source s, record 7)");
}

BOOST_AUTO_TEST_CASE(the_first_failing_row_is_named_whatever_fails) {
  // 10 / x fails for 0, 10 / (10 / x) for x beyond 10: evaluated later, but in an earlier row.
  const auto inner = ten_by_of(x_column());
  BOOST_TEST(projected({ten_by_of(inner)}, {1, 20, 0})
             == "1; operator f: division by zero (source s, record 6)");
  BOOST_TEST(projected({inner, ten_by_of(inner)}, {1, 2, 20, 3, 0})
             == "1 2; operator f: division by zero (source s, record 7)");
  BOOST_TEST(projected({ten_by_of(inner)}, {20, 0}, positive(x_column()))
             == "operator f: division by zero (source s, record 5)");
  BOOST_TEST(projected({ten_by_of(inner)}, {5, 20, 0}, positive(inner))
             == "5; operator f: division by zero (source s, record 7)");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
