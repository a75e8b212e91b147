#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/value_text.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// Casts element by element. The element's cast is looked up once per batch.
result<column> cast_elements(const call_context& context, std::span<const column> args) {
  const auto& from = *args[0].child;
  const auto target = context.type.element_type();
  const auto* cast = builtin_functions().find_cast(from.type, target);
  column out = args[0];
  out.type = context.type;
  if (from.rows == 0) {
    out.child = std::make_shared<column>(make_column(target, 0));
    return out;
  }
  const std::uint8_t* valid = from.validity ? from.validity.as<const std::uint8_t>() : nullptr;
  auto elements = cast->run({target, from.rows, nullptr, valid}, std::span(&from, 1));
  if (!elements) {
    // The error names an element; the caller knows rows.
    auto& problem = elements.error();
    const auto* offsets = args[0].data<std::uint32_t>();
    const auto* end = offsets + (args[0].constant ? 1 : args[0].rows) + 1;
    const auto* after = std::upper_bound(offsets, end, problem.row.value_or(0));
    problem.row = static_cast<std::uint32_t>(after - offsets - 1);
    return std::move(problem);
  }
  if (from.validity)
    elements->validity = from.validity;
  elements->type = target;
  out.child = std::make_shared<column>(*std::move(elements));
  return out;
}

} // namespace

void register_array_casts(function_catalog& catalog) {
  for (const auto from : element_kinds) {
    for (const auto to : element_kinds) {
      const auto* cast = from == to ? nullptr : catalog.find_cast(sql_type{from}, sql_type{to});
      if (cast == nullptr)
        continue;
      scalar_function function;
      function.name = "cast";
      function.params = {sql_type{from}.array_of()};
      function.returns = sql_type{to}.array_of();
      function.run = cast_elements;
      function.cast = cast->cast;
      function.may_fail = cast->may_fail;
      catalog.add(std::move(function));
    }
  }
}

void register_array(function_catalog& catalog) {
  register_array_build(catalog);
  register_array_search(catalog);
  register_array_text(catalog);
}

} // namespace ebb
