#include "tests/dataflow/aggregate_support.hpp"

#include "actors/dataflow/ordered_set.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "actors/dataflow/value_text.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace ebb::test {

sql_type type_of(const std::string& name) {
  static const std::map<std::string, type_kind> kinds{
      {"boolean", type_kind::boolean},     {"smallint", type_kind::smallint},
      {"integer", type_kind::integer},     {"bigint", type_kind::bigint},
      {"real", type_kind::real},           {"double precision", type_kind::double_precision},
      {"numeric", type_kind::numeric},     {"text", type_kind::text},
      {"bytea", type_kind::bytea},         {"date", type_kind::date},
      {"timestamp", type_kind::timestamp}, {"timestamptz", type_kind::timestamptz},
      {"interval", type_kind::interval}};
  if (name.ends_with("[]"))
    return sql_type{kinds.at(name.substr(0, name.size() - 2))}.array_of();
  return sql_type{kinds.at(name)};
}

column values(const std::string& type, const std::string& list) {
  value_builder x(type_of(type));
  std::size_t first = 0;
  while (first <= list.size()) {
    const auto end = std::min(list.find('|', first), list.size());
    const auto text = list.substr(first, end - first);
    if (text == "null") {
      x.append_null();
    } else {
      auto value = parse_literal(text, type_of(type));
      BOOST_REQUIRE_MESSAGE(bool(value), type << ' ' << text);
      x.append_copy(*value, 0);
    }
    first = end + 1;
  }
  return x.take();
}

std::string text_of(const column& x, std::uint32_t i) {
  if (x.is_null(i))
    return "NULL";
  std::string text;
  append_value_text(x, i, text);
  return text;
}

aggregate_call make_call(const std::string& name, std::vector<sql_type> types) {
  for (const auto& f : find_aggregates(name)) {
    if (!std::equal(f.params.begin(), f.params.end(), types.begin(), types.end(),
                    [](const auto& a, const auto& b) {
                      return a.kind == type_kind::unknown
                             || (a.kind == b.kind && a.element == b.element);
                    }))
      continue;
    aggregate_call call;
    call.function = &f;
    call.arg_types = types;
    for (std::uint32_t i = 0; i < types.size(); ++i)
      call.args.push_back(i);
    call.type = f.result_type(types);
    if (is_ordered_set(f))
      call.order_by = {{call.args.back(), false, false}};
    return call;
  }
  BOOST_FAIL("no aggregate " << name << '(' << (types.empty() ? "" : to_string(types[0])) << ')');
  return {};
}

namespace {

column slice_of(const column& x, std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> picks(count);
  std::iota(picks.begin(), picks.end(), first);
  return gather(x, picks.data(), count);
}

} // namespace

std::string answer(const aggregate_call& call, const std::vector<column>& args, way how) {
  const auto rows = args.empty() ? 3 : args[0].rows;
  const auto feed = [&](accumulators& to, std::uint32_t slot, std::uint32_t first,
                        std::uint32_t count) -> result<void> {
    std::vector<column> part;
    for (const auto& arg : args)
      part.push_back(slice_of(arg, first, count));
    return to.update(std::vector<std::uint32_t>(count, slot), part, nullptr, nullptr);
  };
  const auto run = [&]() -> result<column> {
    auto a = make_accumulators(call, {});
    a->resize(4);
    const auto half = rows / 2;
    switch (how) {
    case way::once:
      EBB_TRY(feed(*a, 2, 0, rows));
      break;
    case way::rows: // another slot between, so that no two rows of ours are neighbours
      for (std::uint32_t i = 0; i < rows; ++i) {
        std::vector<column> part;
        for (const auto& arg : args) {
          const std::uint32_t twice[] = {i, i};
          part.push_back(gather(arg, twice, 2));
        }
        const std::uint32_t targets[] = {2, 1};
        EBB_TRY(a->update(targets, part, nullptr, nullptr));
      }
      break;
    case way::merged:
    case way::through_state: {
      auto b = make_accumulators(call, {});
      b->resize(2);
      EBB_TRY(feed(*b, 0, 0, half));
      EBB_TRY(feed(*b, 1, half, rows - half));
      const std::uint32_t into[] = {2, 2};
      const std::uint32_t from[] = {0, 1};
      if (how == way::merged) {
        EBB_TRY(a->merge(into, *b, from));
      } else {
        const auto state = b->state(from);
        const auto types = state_types(call);
        BOOST_REQUIRE(state.size() == types.size());
        for (std::size_t k = 0; k < state.size(); ++k)
          BOOST_TEST((state[k].type.kind == types[k].kind));
        EBB_TRY(a->merge_state(into, state));
      }
      break;
    }
    case way::taken_back: {
      auto b = make_accumulators(call, {});
      b->resize(2);
      EBB_TRY(feed(*b, 0, 0, rows));
      EBB_TRY(feed(*b, 1, half, rows - half));
      const std::uint32_t into[] = {2, 2};
      const std::uint32_t from[] = {0, 1};
      EBB_TRY(a->merge(into, *b, from));
      BOOST_REQUIRE(a->invertible());
      a->subtract(std::span(into).first(1), *b, std::span(from).last(1));
      break;
    }
    case way::after_clear:
      EBB_TRY(feed(*a, 2, 0, half));
      a->clear(2);
      EBB_TRY(feed(*a, 2, 0, rows));
      break;
    }
    const std::uint32_t wanted[] = {0, 2};
    return a->finish(wanted);
  };
  const auto x = run();
  if (!x)
    return "ERROR " + x.error().message;
  BOOST_TEST(x->rows == 2U);
  BOOST_TEST((x->type.kind == call.type.kind && x->type.element == call.type.element));
  // The untouched slot is empty.
  BOOST_TEST(text_of(*x, 0) == (call.function->name.ends_with("count") ? "0" : "NULL"));
  return text_of(*x, 1);
}

bool close_enough(const std::string& a, const std::string& b) {
  if (a == b)
    return true;
  char* end = nullptr;
  const double x = std::strtod(a.c_str(), &end);
  const double y = std::strtod(b.c_str(), nullptr);
  return *end == '\0' && std::abs(x - y) <= 1e-12 * std::max(std::abs(x), std::abs(y));
}

} // namespace ebb::test
