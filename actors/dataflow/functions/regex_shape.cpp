// Do PostgreSQL and RE2 choose the same submatches?
//
// Both take the leftmost, longest match. Inside it PostgreSQL gives every part of a sequence, from
// left to right, the longest text with which the rest still matches; RE2 follows the order in which
// a backtracking matcher would try. The two agree when that order visits the ends of every part
// from the longest to the shortest ("ordered"), which is shown here from the structure. What cannot
// be shown is refused, so no answer ever differs.

#include "actors/dataflow/functions/regex_syntax.hpp"

#include <algorithm>
#include <optional>

namespace ebb {

namespace {

struct shape {
  std::optional<int> fixed; ///< every match has this many characters
  bool unique = false;      ///< from a given start there is at most one end
  bool ordered = false;     ///< ends are tried longest first
  regex_edge first;
};

shape shape_of(const regex_node& x);

regex_edge sequence_edge(regex_edge a, const regex_edge& b) {
  if (a.nullable) {
    a.set.add(b.set);
    a.set.normalize();
    a.nullable = b.nullable;
  }
  return a;
}

/// `x` repeats something whose every iteration has one end, so that only the count varies.
bool repeats_unique(const regex_node& x) {
  if (x.kind == regex_kind::group)
    return repeats_unique(x.children.front());
  if (x.kind != regex_kind::repeat)
    return false;
  const auto inner = shape_of(x.children.front());
  return inner.unique && !inner.first.nullable;
}

/// A sequence from its first part and the rest.
shape followed_by(const regex_node& node, const shape& a, const shape& rest) {
  shape result;
  int length = 0;
  if (a.fixed && rest.fixed && !__builtin_add_overflow(*a.fixed, *rest.fixed, &length))
    result.fixed = length;
  result.first = sequence_edge(a.first, rest.first);
  if (a.unique) {
    result.ordered = rest.ordered;
    result.unique = rest.unique;
  } else if (repeats_unique(node) && !a.first.set.intersects(rest.first.set)) {
    // The character behind an iteration tells whether another one follows.
    result.ordered = rest.ordered;
    result.unique = rest.unique && !rest.first.nullable;
  } else {
    result.ordered = a.ordered && rest.fixed.has_value();
  }
  result.unique = result.unique || result.fixed.has_value();
  result.ordered = result.ordered || result.unique;
  return result;
}

shape sequence_shape(const std::vector<regex_node>& parts, std::size_t first, std::size_t last) {
  shape result{0, true, true, {{}, true}};
  for (auto k = last; k-- > first;)
    result = followed_by(parts[k], shape_of(parts[k]), result);
  return result;
}

shape alternate_shape(const regex_node& x) {
  std::vector<shape> branches;
  branches.reserve(x.children.size());
  for (const auto& child : x.children)
    branches.push_back(shape_of(child));
  shape result;
  result.fixed = branches.front().fixed;
  bool shrinking = true; // fixed lengths, longest first
  bool disjoint = true;  // the first character tells the branch; only the last may be empty
  bool all_unique = true;
  bool all_ordered = true;
  for (std::size_t k = 0; k < branches.size(); ++k) {
    const auto& branch = branches[k];
    if (branch.fixed != result.fixed)
      result.fixed.reset();
    shrinking &= branch.fixed.has_value() && (k == 0 || *branch.fixed <= *branches[k - 1].fixed);
    all_unique &= branch.unique && !branch.first.nullable;
    all_ordered &= branch.ordered;
    disjoint &= !result.first.nullable && !result.first.set.intersects(branch.first.set);
    result.first.set.add(branch.first.set);
    result.first.set.normalize();
    result.first.nullable |= branch.first.nullable;
  }
  result.unique = result.fixed.has_value() || (disjoint && all_unique);
  result.ordered = result.unique || shrinking || (disjoint && all_ordered);
  return result;
}

shape repeat_shape(const regex_node& x) {
  const auto inner = shape_of(x.children.front());
  shape result;
  const bool counted = x.min == x.max;
  int length = 0;
  // A length that does not fit is longer than any text: as good as none.
  if (inner.fixed && (counted || *inner.fixed == 0)
      && !__builtin_mul_overflow(*inner.fixed, counted ? x.min : 1, &length))
    result.fixed = length;
  result.first = inner.first;
  result.first.nullable |= x.min == 0;
  const bool once = x.min == 1 && x.max == 1;
  const bool countable = inner.unique && !inner.first.nullable;
  result.unique = result.fixed.has_value() || (once && inner.unique) || (countable && counted);
  result.ordered = result.unique || countable || (once && inner.ordered)
                   || (x.max == 1 && inner.ordered && !inner.first.nullable);
  return result;
}

shape shape_of(const regex_node& x) {
  switch (x.kind) {
  case regex_kind::set:
    return {1, true, true, {x.set, false}};
  case regex_kind::concat:
    return sequence_shape(x.children, 0, x.children.size());
  case regex_kind::alternate:
    return alternate_shape(x);
  case regex_kind::repeat:
    return repeat_shape(x);
  case regex_kind::group:
    return shape_of(x.children.front());
  default:
    return {0, true, true, {{}, true}};
  }
}

/// Every iteration of a repeat sets all of its groups. RE2 keeps a group from an earlier iteration,
/// PostgreSQL forgets it.
bool always_set(const regex_node& x) {
  if (!x.captures)
    return true;
  if (x.kind == regex_kind::alternate || (x.kind == regex_kind::repeat && x.min == 0))
    return false;
  return std::all_of(x.children.begin(), x.children.end(), always_set);
}

/// The groups of `x` agree when the text that `x` matches is given.
bool agrees(const regex_node& x) {
  if (!x.captures)
    return true;
  switch (x.kind) {
  case regex_kind::group:
    return agrees(x.children.front());
  case regex_kind::alternate:
    return std::all_of(x.children.begin(), x.children.end(), agrees);
  case regex_kind::repeat: {
    const auto& body = x.children.front();
    const auto inner = shape_of(body);
    if (!agrees(body))
      return false;
    if (x.max == 1)
      return x.min == 1 || !inner.first.nullable;
    return inner.unique && !inner.first.nullable && always_set(body);
  }
  case regex_kind::concat: {
    // PostgreSQL takes neighbours without groups as one part.
    const auto& parts = x.children;
    for (std::size_t k = 0; k < parts.size();) {
      auto end = k + 1;
      while (!parts[k].captures && end < parts.size() && !parts[end].captures)
        ++end;
      if (!agrees(parts[k]))
        return false;
      if (end < parts.size() && !sequence_shape(parts, k, end).ordered)
        return false;
      k = end;
    }
    return true;
  }
  default:
    return true;
  }
}

} // namespace

bool captures_agree(const regex_node& root) {
  return agrees(root);
}

regex_edge first_of(const regex_node& x) {
  return shape_of(x).first;
}

regex_edge last_of(const regex_node& x) {
  switch (x.kind) {
  case regex_kind::set:
    return {x.set, false};
  case regex_kind::group:
    return last_of(x.children.front());
  case regex_kind::repeat: {
    auto edge = last_of(x.children.front());
    edge.nullable |= x.min == 0;
    return edge;
  }
  case regex_kind::alternate: {
    regex_edge all;
    for (const auto& child : x.children) {
      const auto edge = last_of(child);
      all.set.add(edge.set);
      all.nullable |= edge.nullable;
    }
    all.set.normalize();
    return all;
  }
  case regex_kind::concat: {
    regex_edge all{{}, true};
    for (auto k = x.children.size(); k-- > 0 && all.nullable;)
      all = sequence_edge(std::move(all), last_of(x.children[k]));
    return all;
  }
  default:
    return {{}, true};
  }
}

} // namespace ebb
