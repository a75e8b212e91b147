/// Binds a FROM clause. Internal to the SQL front end.
#pragma once

#include "actors/plan/sql/query_planner.hpp"

namespace ebb::sql {

class from_binder {
public:
  explicit from_binder(query_planner& planner) : planner_(planner) {}

  [[nodiscard]] result<from_clause> bind_list(const ast::array_t& items);

private:
  result<from_clause> bind_item(const ast& wrapped);
  result<from_clause> bind_relation(const ast& body);
  result<from_clause> bind_subselect(const ast& body);
  result<from_clause> bind_join(const ast& body);
  result<void> add_expansion(from_clause& from, const ast& body);
  result<from_clause> bind_expanding_join(const ast& body);
  /// tumble, hop, cumulate, session; in bind_window.cpp.
  result<from_clause> bind_window_function(const ast& body);
  result<window_request> window_of(const std::string& function, const ast& call,
                                   const named_relation& rows, const std::string& relation);
  result<void> take_time(const ast& argument, const named_relation& rows,
                         const std::string& relation, window_request& window);
  result<micros> span(const ast& argument, std::string_view what, bool may_be_negative);

  /// `columns` are the names of the node's columns, `renamed` those that an alias gives instead.
  result<from_clause> leaf(node_id node, std::string name, const std::vector<std::string>& columns,
                           const std::vector<std::string>& renamed,
                           std::optional<window_request> window, std::int32_t at);
  [[nodiscard]] from_clause joined(from_clause left, from_clause right, join_type type,
                                   std::int32_t at) const;
  [[nodiscard]] result<void> check_names(const scope& left, const scope& right,
                                         std::int32_t at) const;
  /// JOIN … USING: equalities, and one column in place of two.
  result<void> merge_columns(from_clause& join, std::size_t left_columns,
                             const std::vector<std::string>& shared);

  query_planner& planner_;
  std::uint32_t next_column_ = 0;
  std::uint32_t depth_ = 0;
};

} // namespace ebb::sql
