/// Where the files of this folder put their aggregates. Internal to the folder.
#pragma once

#include "actors/dataflow/aggregate.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ebb {

/// Overloads by name, sorted by it.
using aggregate_registry = std::map<std::string, std::vector<aggregate_function>, std::less<>>;

/// Shorthand for one overload.
struct aggregate_overload {
  std::vector<sql_type> params;
  sql_type (*result_type)(std::span<const sql_type> args);
  std::vector<sql_type> (*state_types)(std::span<const sql_type> args);
  std::unique_ptr<accumulators> (*make)(std::span<const sql_type> args);
  bool order_free = true;
};

void add_aggregate(aggregate_registry& registry, std::string_view name, aggregate_overload what);

/// A result type that does not depend on the arguments.
template <type_kind Kind>
[[nodiscard]] sql_type always(std::span<const sql_type>) {
  return sql_type{Kind};
}

/// Of a C++ type: float or double.
template <class T>
inline constexpr type_kind float_kind = sizeof(T) == 4 ? type_kind::real
                                                       : type_kind::double_precision;

/// Accumulators that need nothing to begin with.
template <class T>
[[nodiscard]] std::unique_ptr<accumulators> make_state(std::span<const sql_type>) {
  return std::make_unique<T>();
}

[[nodiscard]] inline sql_type same_as_argument(std::span<const sql_type> args) {
  return sql_type{args[0].kind, args[0].element};
}

// Each is in the file of its name.
void add_counts(aggregate_registry& registry);
void add_integer_sums(aggregate_registry& registry);       ///< sum, avg of integers
void add_numeric_aggregates(aggregate_registry& registry); ///< sum, avg of NUMERIC
void add_variances(aggregate_registry& registry);          ///< of integers and NUMERIC, exact
void add_float_aggregates(aggregate_registry& registry);   ///< sum, avg, variances of floats
void add_interval_aggregates(aggregate_registry& registry);
void add_extremes(aggregate_registry& registry);      ///< min, max of fixed-width types
void add_wide_extremes(aggregate_registry& registry); ///< min, max of NUMERIC, text, arrays, …
void add_bits(aggregate_registry& registry);          ///< bool_and, bit_or, …
void add_collections(aggregate_registry& registry);   ///< string_agg, array_agg
void add_regressions(aggregate_registry& registry);   ///< corr, covar_pop, regr_slope, …
void add_ordered_sets(aggregate_registry& registry);  ///< percentile_cont, mode, …

/// DISTINCT: `call`'s plain aggregate over the distinct argument rows of each slot, in sorted
/// order.
[[nodiscard]] std::unique_ptr<accumulators> make_distinct(const aggregate_call& call);
/// A call with WITHIN GROUP.
[[nodiscard]] std::unique_ptr<accumulators> make_ordered_set(const aggregate_call& call);
/// ORDER BY inside the call.
[[nodiscard]] std::unique_ptr<accumulators> make_ordered(const aggregate_call& call);

} // namespace ebb
