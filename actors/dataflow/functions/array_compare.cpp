// op ANY (array) and op ALL (array): what one element, or every one, is to a value.

#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/functions/comparison.hpp"

namespace ebb {

namespace {

/// ANY: true where it holds for an element, else NULL where one is NULL. ALL the other way round.
template <class Relation, bool All>
result<column> quantified(const call_context& context, std::span<const column> args) {
  const auto& value = args[0];
  const array_arg array(args[1]);
  const auto& elements = array.elements();
  const auto order = order_of(value.type.kind);
  column out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<std::uint8_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = All ? 1 : 0;
    if (args[1].is_null(i)) {
      set_null(out, i);
      continue;
    }
    bool unknown = value.is_null(i) && array.size(i) != 0;
    bool decided = false;
    for (auto k = array.first(i); k < array.last(i) && !decided && !value.is_null(i); ++k) {
      if (elements.is_null(k))
        unknown = true;
      else
        decided = Relation::holds(order(value, i, elements, k)) != All;
    }
    if (decided)
      to[i] = All ? 0 : 1;
    else if (unknown)
      set_null(out, i);
  }
  return out;
}

template <class Relation>
void add_both(function_catalog& catalog, const char* name) {
  for (const bool all : {false, true}) {
    scalar_function f;
    f.name = std::string(name) + (all ? " all" : " any");
    f.params = {sql_type{type_kind::unknown}, sql_type{type_kind::array, type_kind::unknown}};
    f.returns = sql_type{type_kind::boolean};
    f.run = all ? quantified<Relation, true> : quantified<Relation, false>;
    f.strict = false;
    catalog.add(std::move(f));
  }
}

} // namespace

void register_array_comparisons(function_catalog& catalog) {
  add_both<equal_relation>(catalog, "=");
  add_both<not_equal_relation>(catalog, "<>");
  add_both<less_relation>(catalog, "<");
  add_both<less_equal_relation>(catalog, "<=");
  add_both<greater_relation>(catalog, ">");
  add_both<greater_equal_relation>(catalog, ">=");
}

} // namespace ebb
