#include "actors/dataflow/functions/text_kernel.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::size_t heap_chunk = std::size_t{64} << 10;

} // namespace

error row_error(std::uint32_t i, std::string message, std::string hint) {
  auto problem = make_error(ec::evaluation, std::move(message), std::move(hint));
  problem.row = i;
  return problem;
}

error too_large(std::uint32_t i) {
  return row_error(i, "requested length too large", "a text value holds at most 16 MiB");
}

void text_output::share_heap(const column& source) {
  for (const auto& owner : source.heap)
    if (std::find(column_.heap.begin(), column_.heap.end(), owner) == column_.heap.end())
      column_.heap.push_back(owner);
}

void text_output::grow(std::size_t size) {
  column_.heap.push_back(buffer_ptr::make(std::max(size, heap_chunk)));
  next_ = column_.heap.back().as<char>();
  end_ = next_ + column_.heap.back().size();
}

void add_overload(function_catalog& catalog, const overload& x) {
  scalar_function function;
  function.name = x.name;
  for (const auto kind : x.params)
    function.params.push_back(sql_type{kind});
  function.returns = sql_type{x.returns};
  function.run = x.run;
  function.variadic = x.variadic;
  function.strict = x.strict;
  function.may_fail = x.may_fail;
  catalog.add(std::move(function));
}

void register_text(function_catalog& catalog) {
  register_text_case(catalog);
  register_text_measures(catalog);
  register_text_slices(catalog);
  register_text_edits(catalog);
  register_text_concat(catalog);
  register_text_codes(catalog);
  register_text_format(catalog);
  register_text_bytes(catalog);
}

} // namespace ebb
