#include "actors/dataflow/functions/comparison.hpp"

namespace ebb {

namespace {

// greatest (`Sign` 1) and least (−1): the first best of the values that are not NULL.
template <int Sign>
result<column> extreme(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  const auto order = order_of(context.type.kind);
  std::vector<std::uint32_t> best(rows, 0);
  for (std::uint32_t n = 1; n < args.size(); ++n)
    for (std::uint32_t i = 0; i < rows; ++i) {
      if (args[n].is_null(i))
        continue;
      const auto& leader = args[best[i]];
      if (leader.is_null(i) || Sign * order(args[n], i, leader, i) > 0)
        best[i] = n;
    }
  // The winners, picked from all arguments laid end to end.
  std::vector<column> whole;
  whole.reserve(args.size());
  for (const auto& arg : args)
    whole.push_back(materialize(arg));
  std::vector<const column*> parts;
  parts.reserve(whole.size());
  for (auto& part : whole) {
    part.type = context.type;
    parts.push_back(&part);
  }
  for (std::uint32_t i = 0; i < rows; ++i)
    best[i] = best[i] * rows + i;
  return gather(concatenate(parts), best.data(), rows);
}

} // namespace

void register_extremes(function_catalog& catalog) {
  for (const auto kind : {type_kind::bigint, type_kind::integer, type_kind::smallint,
                          type_kind::numeric, type_kind::double_precision, type_kind::real,
                          type_kind::text, type_kind::bytea, type_kind::boolean, type_kind::date,
                          type_kind::timestamp, type_kind::timestamptz, type_kind::interval}) {
    const auto add = [&](const char* name, kernel run) {
      auto f = make_function(name, {kind}, kind, run, false);
      f.variadic = true;
      f.strict = false;
      catalog.add(std::move(f));
    };
    add("greatest", extreme<1>);
    add("least", extreme<-1>);
  }
}

} // namespace ebb
