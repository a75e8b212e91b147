/// Internal to the SQL front end: the inputs of joins.
#pragma once

#include "actors/plan/sql/node_builder.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace ebb::sql {

/// One side of a join with the columns that the operator needs besides its own.
class join_side {
public:
  join_side(node_builder& build, node_id node)
      : build_(build), node_(node), width_(build.width(node)), outputs_(build.pass(node)) {}

  /// Column of an expression over the side's own columns.
  [[nodiscard]] std::uint32_t column(const expr_ptr& x) {
    if (x->kind == expr_kind::column)
      return x->index;
    for (auto i = width_; i < outputs_.size(); ++i)
      if (same_expr(*outputs_[i].x, *x))
        return i;
    outputs_.push_back({"key" + std::to_string(outputs_.size() - width_ + 1), x, {}});
    return static_cast<std::uint32_t>(outputs_.size() - 1);
  }

  /// Column of one of the side's own times, moved by `shift`.
  [[nodiscard]] std::uint32_t column(std::uint32_t index, micros shift) {
    return column(shifted(make_column_ref(index, build_.columns(node_)[index].type), shift));
  }

  [[nodiscard]] bool updating() const {
    return build_.node(node_).updating;
  }

  [[nodiscard]] bool is_static() const {
    return build_.node(node_).is_static;
  }

  /// The first source that its rows come from.
  [[nodiscard]] const std::string& source_name() const {
    auto at = node_;
    while (!build_.node(at).inputs.empty())
      at = build_.node(at).inputs.front();
    return build_.node(at).name;
  }

  /// There is never more than one row.
  [[nodiscard]] bool one_row() const {
    const auto& keys = build_.node(node_).keys;
    return std::any_of(keys.begin(), keys.end(),
                       [](const row_key& key) { return key.columns.empty(); });
  }

  [[nodiscard]] std::uint32_t width() const noexcept {
    return width_;
  }

  [[nodiscard]] bool extended() const noexcept {
    return outputs_.size() > width_;
  }

  /// The side's node; its extra columns come last.
  [[nodiscard]] node_id finish() {
    return extended() ? build_.project(node_, nullptr, outputs_) : node_;
  }

private:
  node_builder& build_;
  node_id node_;
  std::uint32_t width_;
  std::vector<output_column> outputs_;
};

} // namespace ebb::sql
