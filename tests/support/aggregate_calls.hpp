/// Calls of aggregates as the planner would make them.
#pragma once

#include "actors/dataflow/aggregate.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb::test {

/// The overload whose parameters are of the kinds of columns `args` of a row of `types`; it must
/// exist.
inline aggregate_call call_of(std::string_view name, std::vector<std::uint32_t> args,
                              const std::vector<sql_type>& types) {
  aggregate_call call;
  call.args = std::move(args);
  for (const auto k : call.args)
    call.arg_types.push_back(types[k]);
  for (const auto& f : find_aggregates(name))
    if (f.params.size() == call.args.size()
        && std::equal(f.params.begin(), f.params.end(), call.arg_types.begin(),
                      [](const auto& a, const auto& b) {
                        return a.kind == type_kind::unknown || a.kind == b.kind;
                      }))
      call.function = &f;
  BOOST_REQUIRE(call.function != nullptr);
  call.type = call.function->result_type(call.arg_types);
  return call;
}

} // namespace ebb::test
