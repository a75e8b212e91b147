/// Loading of aggregate_table: saved groups are gathered as columns and added many at a time.
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/aggregate_table.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <utility>

namespace ebb {

namespace {

constexpr std::uint32_t groups_at_once = 1024;

std::vector<column> take_all(std::vector<value_builder>& builders) {
  std::vector<column> columns;
  columns.reserve(builders.size());
  for (auto& x : builders)
    columns.push_back(x.take());
  return columns;
}

std::vector<value_builder> builders_of(const std::vector<sql_type>& types) {
  std::vector<value_builder> builders;
  builders.reserve(types.size());
  for (const auto& type : types)
    builders.emplace_back(type, groups_at_once);
  return builders;
}

} // namespace

struct aggregate_table::loading {
  explicit loading(const aggregate_shape& shape) : keys(builders_of(shape.key_types)) {
    for (const auto& types : shape.states)
      states.push_back(builders_of(types));
  }

  std::vector<value_builder> keys;
  std::vector<std::vector<value_builder>> states; ///< of each call
  std::uint32_t groups = 0;
};

aggregate_table::aggregate_table(const aggregate_shape& shape)
    : shape_(shape), index_(shape.key_types, shape.key_groups) {
  for (const auto& call : shape.calls)
    calls_.push_back(make_accumulators(call, {}));
}

aggregate_table::~aggregate_table() = default;

result<void> aggregate_table::load(std::string_view key, std::string_view value) {
  if (value.empty() || value.front() != saved_version)
    return make_error(ec::corrupt, "unknown version of a group's state");
  value.remove_prefix(1);
  if (!loading_)
    loading_ = std::make_unique<loading>(shape_);
  auto& x = *loading_;
  for (auto& to : x.keys)
    EBB_TRY(index_.exact() ? decode_key_value(key, to) : to.append_encoded(value));
  if (index_.exact() && !key.empty())
    return make_error(ec::corrupt, "a stored key is longer than its columns");
  for (auto& call : x.states)
    for (auto& to : call)
      EBB_TRY(to.append_encoded(value));
  if (!value.empty())
    return make_error(ec::corrupt, "a group's state is longer than its columns");
  return ++x.groups == groups_at_once ? finish_load() : result<void>{};
}

result<void> aggregate_table::finish_load() {
  if (!loading_)
    return {};
  const auto x = std::exchange(loading_, nullptr);
  const auto keys = take_all(x->keys);
  const auto pointers = pointers_to(keys);
  std::vector<std::uint64_t> hashes(x->groups);
  hash_keys(pointers, x->groups, hashes.data());
  scratch_.resize(x->groups);
  index_.resolve_restored(pointers, hashes.data(), x->groups, scratch_.data());
  make_room();
  for (std::size_t c = 0; c < calls_.size(); ++c)
    EBB_TRY(calls_[c]->merge_state(scratch_, take_all(x->states[c])));
  return {};
}

} // namespace ebb
