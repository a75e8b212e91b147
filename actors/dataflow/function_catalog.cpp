#include "actors/dataflow/function.hpp"

#include <algorithm>

namespace ebb {

void function_catalog::add(scalar_function function) {
  auto name = function.name;
  by_name_[std::move(name)].push_back(std::make_unique<scalar_function>(std::move(function)));
}

std::span<const std::unique_ptr<scalar_function>>
function_catalog::overloads(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  if (found == by_name_.end())
    return {};
  return found->second;
}

const scalar_function* function_catalog::find(std::string_view name,
                                              std::span<const sql_type> params) const {
  for (const auto& candidate : overloads(name)) {
    const auto& wanted = candidate->params;
    if (candidate->variadic ? params.size() < wanted.size() : params.size() != wanted.size())
      continue;
    bool fits = true;
    for (std::size_t i = 0; i < params.size() && fits; ++i) {
      const auto& want = wanted[std::min(i, wanted.size() - 1)];
      fits = want.kind == params[i].kind && want.element == params[i].element;
    }
    if (fits)
      return candidate.get();
  }
  return nullptr;
}

const scalar_function* function_catalog::find_cast(const sql_type& from, const sql_type& to) const {
  for (const auto& candidate : overloads("cast")) {
    const auto& source = candidate->params.front();
    if (source.kind == from.kind && source.element == from.element
        && candidate->returns.kind == to.kind && candidate->returns.element == to.element)
      return candidate.get();
  }
  return nullptr;
}

std::vector<std::string> function_catalog::names() const {
  std::vector<std::string> result;
  result.reserve(by_name_.size());
  for (const auto& [name, overloads] : by_name_)
    result.push_back(name);
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace ebb
