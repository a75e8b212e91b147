/// The FROM clause as a tree: relations and window functions at the leaves, joins above.
/// Expressions over it number the columns of all leaves from left to right (the FROM row).
#pragma once

#include "actors/plan/sql/node_builder.hpp"
#include "actors/plan/sql/scope.hpp"

#include <memory>

namespace ebb::sql {

/// A window function applied to a leaf: appends window_start and window_end.
struct window_request {
  /// `time_column` is a column of the leaf's node.
  window_spec spec;
  /// The time column's values lag behind the watermark by up to this much; windows are evaluated on
  /// time + shift, so that none fires before its rows are there.
  micros shift = 0;
};

/// A function that makes several rows of each row to its left.
struct from_expansion {
  expand_rows_spec spec; ///< arguments over the FROM row
  std::string function;
  std::vector<sql_type> types; ///< of its columns, without the ordinality
  std::vector<std::string> columns;
  bool own_name = false;  ///< an alias of the relation does not rename its column
  bool of_target = false; ///< it stood among the output columns
};

struct from_item {
  std::uint32_t first = 0; ///< first column in the FROM row
  std::uint32_t width = 0;
  std::int32_t at = -1; ///< place in the text
  // A leaf:
  node_id node = 0;
  std::optional<window_request> window;
  // A function over `left`: its columns come behind; it has no right side.
  std::optional<from_expansion> expansion;
  // A join:
  std::unique_ptr<from_item> left, right;
  join_type type = join_type::inner;
  std::vector<expr_ptr> on; ///< conjuncts over the FROM row

  [[nodiscard]] bool is_leaf() const noexcept {
    return left == nullptr;
  }

  /// FROM-row index of the window_start that the window function appends.
  [[nodiscard]] std::uint32_t window_start() const noexcept {
    return first + width - 2;
  }
};

/// A bound FROM clause.
struct from_clause {
  std::unique_ptr<from_item> root;
  scope names;
};

} // namespace ebb::sql
