/// The catalog of aggregates.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/retractable.hpp"
#include "actors/dataflow/ordered_set.hpp"

#include <algorithm>

namespace ebb {

namespace {

const aggregate_registry& registry() {
  static const aggregate_registry all = [] {
    aggregate_registry made;
    add_counts(made);
    add_integer_sums(made);
    add_numeric_aggregates(made);
    add_variances(made);
    add_float_aggregates(made);
    add_interval_aggregates(made);
    add_extremes(made);
    add_wide_extremes(made);
    add_bits(made);
    add_collections(made);
    add_regressions(made);
    add_ordered_sets(made);
    return made;
  }();
  return all;
}

enum class wrapping { none, distinct, ordered, within_group };

wrapping wrapping_of(const aggregate_call& call) {
  if (is_ordered_set(*call.function))
    return wrapping::within_group;
  if (call.distinct && !call.args.empty() && !ignores_repeats(call.function->name))
    return wrapping::distinct;
  return call.order_by.empty() || call.function->order_free ? wrapping::none : wrapping::ordered;
}

} // namespace

bool ignores_repeats(std::string_view aggregate) noexcept {
  constexpr std::string_view names[] = {"min",     "max",    "bool_and", "bool_or",
                                        "bit_and", "bit_or", "every"};
  return std::find(std::begin(names), std::end(names), aggregate) != std::end(names);
}

void add_aggregate(aggregate_registry& registry, std::string_view name, aggregate_overload what) {
  registry[std::string(name)].push_back({std::string(name), std::move(what.params),
                                         what.result_type, what.state_types, what.make,
                                         what.order_free});
}

std::span<const aggregate_function> find_aggregates(std::string_view name) {
  const auto found = registry().find(name);
  if (found == registry().end())
    return {};
  return found->second;
}

std::vector<std::string> aggregate_names() {
  std::vector<std::string> names;
  for (const auto& [name, overloads] : registry())
    names.push_back(name);
  return names;
}

std::unique_ptr<accumulators> make_accumulators(const aggregate_call& call,
                                                std::span<const sql_type>) {
  switch (wrapping_of(call)) {
  case wrapping::distinct:
    return make_distinct(call);
  case wrapping::ordered:
    return make_ordered(call);
  case wrapping::within_group:
    return make_ordered_set(call);
  case wrapping::none:
    break;
  }
  return call.function->make(call.arg_types);
}

std::vector<sql_type> state_types(const aggregate_call& call) {
  const auto how = wrapping_of(call);
  if (how == wrapping::distinct || how == wrapping::ordered)
    return {sql_type{type_kind::bytea}};
  return call.function->state_types(call.arg_types);
}

} // namespace ebb
