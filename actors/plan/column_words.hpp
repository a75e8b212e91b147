/// What the columns of a step are, in words that do not depend on how a query is spelt: by the
/// names that columns have where an operator of the manifest begins. Pure.
#pragma once

#include "actors/plan/stage_plan.hpp"

#include <map>
#include <string>
#include <vector>

namespace ebb {

/// Names of columns on one line each; the second of a name is `name#2`.
[[nodiscard]] std::vector<std::string> names_of(const std::vector<plan_column>& columns);

/// Of one plan, which outlives it.
class column_words {
public:
  explicit column_words(const stage_plan& plan) : plan_(plan) {}

  /// `k`, `(v + 1)`. Two columns of a step have different words. The same at every parallelism.
  [[nodiscard]] const std::vector<std::string>& of(const stage& at, const stage_step& step);

  /// Of what comes into a step: by their names where another operator has made them.
  [[nodiscard]] std::vector<std::string> into(const stage& at, const stage_step& step,
                                              const step_input& input);

  /// Of all inputs, one behind the other.
  [[nodiscard]] std::vector<std::string> into(const stage& at, const stage_step& step);

private:
  std::vector<std::string> made_by(const stage& at, const stage_step& step);

  const stage_plan& plan_;
  std::map<const stage_step*, std::vector<std::string>> known_;
};

} // namespace ebb
