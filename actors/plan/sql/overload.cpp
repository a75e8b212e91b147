#include "actors/plan/sql/overload.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

bool is_any(const sql_type& param) {
  return param.kind == type_kind::unknown;
}

bool is_any_array(const sql_type& param) {
  return param.kind == type_kind::array && param.element == type_kind::unknown;
}

bool reachable(const sql_type& param, const sql_type& arg) {
  if (same_kind(param, arg) || is_any(param))
    return true;
  if (is_any_array(param))
    return arg.kind == type_kind::unknown || arg.kind == type_kind::array;
  return can_coerce(arg, param, cast_context::implicit);
}

// Keeps the candidates for which `score` is largest.
template <class Score>
void keep_best(std::vector<std::size_t>& alive, const Score& score) {
  std::size_t best = 0;
  for (const auto i : alive)
    best = std::max(best, score(i));
  std::erase_if(alive, [&](auto i) { return score(i) < best; });
}

class chooser {
public:
  chooser(std::span<const signature> candidates, std::span<const sql_type> args)
      : candidates_(candidates), args_(args) {}

  overload_choice run() {
    for (std::size_t i = 0; i < candidates_.size(); ++i)
      if (all_args([&](std::size_t k) { return reachable(candidates_[i][k], args_[k]); }))
        alive_.push_back(i);
    if (alive_.size() < 2)
      return answer();
    keep_best(alive_, [&](std::size_t i) {
      return count_args(
          [&](std::size_t k) { return known(k) && same_kind(candidates_[i][k], args_[k]); });
    });
    if (alive_.size() < 2)
      return answer();
    keep_best(alive_, [&](std::size_t i) {
      return count_args([&](std::size_t k) {
        return known(k)
               && (same_kind(candidates_[i][k], args_[k])
                   || (is_preferred(candidates_[i][k])
                       && category_of(candidates_[i][k]) == category_of(args_[k])));
      });
    });
    if (alive_.size() < 2 || !has_unknown())
      return answer();
    if (narrow_by_category() && alive_.size() < 2)
      return answer();
    return assume_known_type();
  }

private:
  [[nodiscard]] bool known(std::size_t k) const {
    return args_[k].kind != type_kind::unknown;
  }

  [[nodiscard]] bool has_unknown() const {
    return !all_args([&](std::size_t k) { return known(k); });
  }

  template <class Test>
  [[nodiscard]] bool all_args(const Test& test) const {
    for (std::size_t k = 0; k < args_.size(); ++k)
      if (!test(k))
        return false;
    return true;
  }

  template <class Test>
  [[nodiscard]] std::size_t count_args(const Test& test) const {
    std::size_t count = 0;
    for (std::size_t k = 0; k < args_.size(); ++k)
      count += test(k) ? 1U : 0U;
    return count;
  }

  [[nodiscard]] overload_choice answer() const {
    if (alive_.empty())
      return {overload_outcome::none, 0};
    return {alive_.size() == 1 ? overload_outcome::found : overload_outcome::ambiguous,
            alive_.front()};
  }

  // For each unknown argument: strings if any candidate takes one there, else the one category that
  // all candidates agree on; a preferred type of that category wins. False if they do not agree.
  bool narrow_by_category() {
    std::vector<type_category> wanted(args_.size(), type_category::unknown);
    std::vector<bool> preferred(args_.size(), false);
    for (std::size_t k = 0; k < args_.size(); ++k) {
      if (known(k))
        continue;
      bool conflict = false;
      for (const auto i : alive_) {
        const auto category = category_of(candidates_[i][k]);
        if (wanted[k] == type_category::unknown) {
          wanted[k] = category;
          preferred[k] = is_preferred(candidates_[i][k]);
        } else if (category == wanted[k]) {
          preferred[k] = preferred[k] || is_preferred(candidates_[i][k]);
        } else if (category == type_category::string) {
          wanted[k] = category;
          preferred[k] = is_preferred(candidates_[i][k]);
          conflict = false;
        } else if (wanted[k] != type_category::string) {
          conflict = true;
        }
      }
      if (conflict)
        return false;
    }
    auto kept = alive_;
    std::erase_if(kept, [&](std::size_t i) {
      return !all_args([&](std::size_t k) {
        if (known(k))
          return true;
        return category_of(candidates_[i][k]) == wanted[k]
               && (!preferred[k] || is_preferred(candidates_[i][k]));
      });
    });
    if (!kept.empty())
      alive_ = std::move(kept);
    return true;
  }

  // If all known arguments have one type, the unknown ones are taken to be of that type too.
  overload_choice assume_known_type() {
    sql_type type;
    for (std::size_t k = 0; k < args_.size(); ++k) {
      if (!known(k))
        continue;
      if (type.kind == type_kind::unknown)
        type = bare(args_[k]);
      else if (!same_kind(type, args_[k]))
        return answer();
    }
    if (type.kind == type_kind::unknown)
      return answer();
    std::vector<std::size_t> fits;
    for (const auto i : alive_)
      if (all_args([&](std::size_t k) { return reachable(candidates_[i][k], type); }))
        fits.push_back(i);
    if (fits.size() == 1)
      alive_ = std::move(fits);
    return answer();
  }

  std::span<const signature> candidates_;
  std::span<const sql_type> args_;
  std::vector<std::size_t> alive_;
};

std::optional<std::size_t> exact_match(std::span<const signature> candidates,
                                       std::span<const sql_type> args) {
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (std::equal(args.begin(), args.end(), candidates[i].begin(), candidates[i].end(),
                   [](const auto& arg, const auto& param) { return same_kind(arg, param); }))
      return i;
  return std::nullopt;
}

} // namespace

overload_choice choose_overload(std::span<const signature> candidates,
                                std::span<const sql_type> args, bool is_operator) {
  const auto is_unknown = [](const sql_type& type) { return type.kind == type_kind::unknown; };
  if (std::none_of(args.begin(), args.end(), is_unknown))
    if (const auto i = exact_match(candidates, args))
      return {overload_outcome::found, *i};
  if (is_operator && args.size() == 2 && is_unknown(args[0]) != is_unknown(args[1])) {
    const auto& type = is_unknown(args[0]) ? args[1] : args[0];
    const std::vector<sql_type> both{bare(type), bare(type)};
    if (const auto i = exact_match(candidates, both))
      return {overload_outcome::found, *i};
  }
  return chooser{candidates, args}.run();
}

std::optional<signature> expand(std::span<const sql_type> params, bool variadic,
                                std::size_t count) {
  if (variadic ? count < params.size() : count != params.size())
    return std::nullopt;
  signature result(params.begin(), params.end());
  while (result.size() < count)
    result.push_back(params.back());
  return result;
}

std::string call_text(std::string_view name, std::span<const sql_type> args) {
  std::string result{name};
  result += '(';
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i > 0)
      result += ", ";
    result += to_string(bare(args[i]));
  }
  return result + ')';
}

} // namespace ebb::sql
