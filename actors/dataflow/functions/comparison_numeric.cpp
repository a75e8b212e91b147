#include "actors/dataflow/functions/comparison.hpp"
#include "actors/dataflow/functions/numeric_kernel.hpp"

namespace ebb {

namespace {

template <class Relation, class Left, class Right>
bool compare_loop(const Left& left, const Right& right, std::uint32_t rows,
                  std::uint8_t* to) noexcept {
  bool fine = true;
  for (std::uint32_t i = 0; i < rows; ++i) {
    int128 a;
    int128 b;
    fine &= left.read(i, a);
    fine &= right.read(i, b);
    to[i] = Relation::of(a, b) ? 1 : 0;
  }
  return fine;
}

// Columns of one scale in a tight loop, others row by row.
struct numeric_family {
  template <class Relation>
  static result<column> run(const call_context& context, std::span<const column> args) {
    const auto a_scale = uniform_scale(args[0]);
    const auto b_scale = uniform_scale(args[1]);
    if (a_scale && b_scale) {
      column out = make_column(context.type, context.rows);
      auto* to = out.mutable_data<std::uint8_t>();
      const auto scale = std::max(*a_scale, *b_scale);
      const bool fine = with_operand(args[0], scale - *a_scale, [&](const auto& left) {
        return with_operand(args[1], scale - *b_scale, [&](const auto& right) {
          return compare_loop<Relation>(left, right, context.rows, to);
        });
      });
      if (fine)
        return out;
    }
    return ordered_rows<Relation>(context, args, compare_numeric);
  }
};

} // namespace

void register_numeric_comparison(function_catalog& catalog) {
  constexpr sql_type numeric_type{type_kind::numeric};
  add_comparisons<numeric_family>(catalog, numeric_type, numeric_type);
}

} // namespace ebb
