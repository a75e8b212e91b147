/// Comparison of TEXT and BYTEA: by bytes, which for UTF-8 is also by code points.
#include "actors/dataflow/functions/comparison.hpp"

#include <algorithm>

namespace ebb {

namespace {

bool same_bytes(const text_ref& a, const text_ref& b) noexcept {
  return a.size == b.size && (a.size == 0 || std::memcmp(a.data, b.data, a.size) == 0);
}

int order_of_bytes(const text_ref& a, const text_ref& b) noexcept {
  const std::uint32_t common = std::min(a.size, b.size);
  const int order = common == 0 ? 0 : std::memcmp(a.data, b.data, common);
  if (order != 0)
    return order;
  return a.size < b.size ? -1 : a.size > b.size ? 1 : 0;
}

template <class Relation>
struct bytes_op {
  static std::uint8_t apply(const text_ref& a, const text_ref& b) noexcept {
    if constexpr (std::same_as<Relation, equal_relation>)
      return same_bytes(a, b) ? 1 : 0;
    else if constexpr (std::same_as<Relation, not_equal_relation>)
      return same_bytes(a, b) ? 0 : 1;
    else
      return Relation::holds(order_of_bytes(a, b)) ? 1 : 0;
  }
};

struct bytes_family {
  template <class Relation>
  static result<column> run(const call_context& context, std::span<const column> args) {
    return plain_binary<bytes_op<Relation>, text_ref, text_ref, std::uint8_t>(context, args);
  }
};

} // namespace

void register_text_comparison(function_catalog& catalog) {
  for (const auto kind : {type_kind::text, type_kind::bytea})
    add_comparisons<bytes_family>(catalog, sql_type{kind}, sql_type{kind});
}

} // namespace ebb
