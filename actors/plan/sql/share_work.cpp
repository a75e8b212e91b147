#include "actors/plan/sql/share_work.hpp"

#include "actors/dataflow/function.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace ebb::sql {

namespace {

bool worth_sharing(const expr& x) {
  return x.kind == expr_kind::call || x.kind == expr_kind::case_ || x.kind == expr_kind::coalesce;
}

std::size_t mix(std::size_t a, std::size_t b) {
  return a ^ (b + 0x9E3779B97F4A7C15U + (a << 6) + (a >> 2));
}

// Of the node itself; equal nodes (same_expr) have equal ones.
std::size_t hash_of_node(const expr& x) {
  auto value = mix(static_cast<std::size_t>(x.kind), x.index);
  value = mix(value, reinterpret_cast<std::size_t>(x.function));
  if (x.kind != expr_kind::literal || x.value.is_null(0) || x.type.kind == type_kind::array)
    return value;
  const auto is_text = holds_text(x.type.kind);
  const std::string_view bytes =
      is_text ? x.value.text_of(0)
              : std::string_view(x.value.data<char>(), value_width(x.type.kind));
  return mix(value, std::hash<std::string_view>{}(bytes));
}

// How often a subtree occurs, and whether it is computed once.
struct occurrence {
  expr_ptr x;
  std::size_t count = 0;
  bool shared = false;
};

// The repeated subtrees of some expressions, which are evaluated in the order of `add`.
class repeats {
public:
  // `always`: evaluated for every row.
  void add(const expr_ptr& x, bool always) {
    visit(x);
    roots_.push_back({x, always});
  }

  // Chooses what is computed once, ahead of all else: what some occurrence computes for every row.
  // What may fail must not come before another error of its row, so nothing before it may fail.
  void choose() {
    bool failing = false;
    for (const auto& [x, always] : roots_)
      choose(x, always, failing);
  }

  // `x` is to be computed once; null if it is not.
  [[nodiscard]] const occurrence* find(const expr_ptr& x) {
    const auto* same = worth_sharing(*x) ? seen(x) : nullptr;
    return same != nullptr && same->shared ? same : nullptr;
  }

private:
  occurrence* seen(const expr_ptr& x) {
    const auto found = by_node_.find(x.get());
    return found == by_node_.end() ? nullptr : &seen_[found->second];
  }

  // Later arguments see only the rows that reach them: of AND and OR those that may fail, of CASE
  // and COALESCE all.
  static bool is_chosen(const expr& x, std::size_t i) {
    return i > 0
           && (x.kind == expr_kind::case_ || x.kind == expr_kind::coalesce
               || ((x.kind == expr_kind::and_ || x.kind == expr_kind::or_) && x.args[i]->may_fail));
  }

  // Returns the subtree's hash.
  std::size_t visit(const expr_ptr& x) {
    auto value = hash_of_node(*x);
    for (const auto& arg : x->args)
      value = mix(value, visit(arg));
    if (worth_sharing(*x))
      note(x, value);
    return value;
  }

  void choose(const expr_ptr& x, bool always, bool& failing) {
    if (worth_sharing(*x)) {
      auto& same = *seen(x);
      if (same.count > 1 && always && !(x->may_fail && failing))
        same.shared = true;
      if (same.shared)
        return;
    }
    for (std::size_t i = 0; i < x->args.size(); ++i)
      choose(x->args[i], always && !is_chosen(*x, i), failing);
    failing = failing || (x->kind == expr_kind::call && x->function->may_fail);
  }

  void note(const expr_ptr& x, std::size_t value) {
    auto& same = by_hash_[value];
    auto found = std::find_if(same.begin(), same.end(),
                              [&](const auto i) { return same_expr(*seen_[i].x, *x); });
    if (found == same.end()) {
      found = same.insert(same.end(), seen_.size());
      seen_.push_back({x});
    }
    ++seen_[*found].count;
    by_node_.insert_or_assign(x.get(), *found);
  }

  std::unordered_map<std::size_t, std::vector<std::size_t>> by_hash_;
  std::unordered_map<const expr*, std::size_t> by_node_;
  std::vector<occurrence> seen_;
  std::vector<std::pair<expr_ptr, bool>> roots_;
};

// Columns of a step that computes shared subtrees: what later steps read, then the subtrees.
class shared_step {
public:
  // Rewrites an expression of a later step, over this one's columns.
  expr_ptr over(const expr_ptr& x, repeats& known) {
    return rewrite(x, [&](const expr_ptr& part) -> expr_ptr {
      if (part->kind == expr_kind::column || known.find(part) != nullptr) {
        found_ = found_ || part->kind != expr_kind::column;
        return make_column_ref(take(part), part->type, part->text);
      }
      return nullptr;
    });
  }

  [[nodiscard]] bool found() const noexcept {
    return found_;
  }

  [[nodiscard]] std::vector<expr_ptr> columns() && {
    return std::move(columns_);
  }

private:
  std::uint32_t take(const expr_ptr& x) {
    for (std::uint32_t i = 0; i < columns_.size(); ++i)
      if (same_expr(*columns_[i], *x))
        return i;
    columns_.push_back(x);
    return static_cast<std::uint32_t>(columns_.size() - 1);
  }

  std::vector<expr_ptr> columns_;
  bool found_ = false;
};

// Steps that may come before one, one before the other.
constexpr std::size_t max_steps = 8;

bool share_among_outputs(filter_project_spec& spec, std::vector<filter_project_spec>& chain,
                         std::size_t steps);

// Adds a step that computes shared subtrees; they may repeat parts of each other.
void add_step(filter_project_spec step, std::vector<filter_project_spec>& chain,
              std::size_t steps) {
  if (steps > 0)
    share_among_outputs(step, chain, steps - 1);
  chain.push_back(std::move(step));
}

// What the predicate surely computes and it or an output needs again goes before the filter.
bool share_before_filter(filter_project_spec& spec, std::vector<filter_project_spec>& chain) {
  if (!spec.predicate)
    return false;
  std::vector<expr_ptr> parts;
  split_conjuncts(spec.predicate, parts);
  repeats known;
  for (std::size_t i = 0; i < parts.size(); ++i)
    known.add(parts[i], i == 0);
  for (const auto& output : spec.outputs)
    known.add(output, false);
  known.choose();
  shared_step step;
  filter_project_spec rest;
  rest.predicate = step.over(spec.predicate, known);
  for (const auto& output : spec.outputs)
    rest.outputs.push_back(step.over(output, known));
  if (!step.found())
    return false;
  filter_project_spec before;
  before.outputs = std::move(step).columns();
  add_step(std::move(before), chain, max_steps);
  spec = std::move(rest);
  return true;
}

// What the outputs surely compute more than once goes to the filter's step.
bool share_among_outputs(filter_project_spec& spec, std::vector<filter_project_spec>& chain,
                         std::size_t steps) {
  repeats known;
  for (const auto& output : spec.outputs)
    known.add(output, true);
  known.choose();
  shared_step step;
  filter_project_spec rest;
  for (const auto& output : spec.outputs)
    rest.outputs.push_back(step.over(output, known));
  if (!step.found())
    return false;
  filter_project_spec before;
  before.predicate = spec.predicate;
  before.outputs = std::move(step).columns();
  add_step(std::move(before), chain, steps);
  spec = std::move(rest);
  return true;
}

} // namespace

std::vector<filter_project_spec> share_work(const filter_project_spec& spec) {
  std::vector<filter_project_spec> chain;
  auto rest = spec;
  share_before_filter(rest, chain);
  share_among_outputs(rest, chain, max_steps);
  chain.push_back(std::move(rest));
  return chain;
}

} // namespace ebb::sql
