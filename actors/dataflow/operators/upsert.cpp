#include "actors/dataflow/operators/upsert.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/erased_keys.hpp"
#include "actors/dataflow/operators/net_changes.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/pass_time.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace ebb {

namespace {

class upsert final : public stream_operator {
public:
  upsert(const upsert_spec& spec, operator_context context)
      : keys_(spec.keys), context_(std::move(context)), groups_(context_.key_groups) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr)
      return false;
    if (item->kind == item_kind::batch) {
      counters_.rows_in += item->rows->rows;
      budget.rows -= std::min(budget.rows, item->rows->rows);
      EBB_TRY(take_rows(*item->rows, out));
    } else {
      pass_time(*item, out);
    }
    return false;
  }

  operator_counters counters() const override {
    return counters_;
  }

  change_mark mark() override {
    if (mark_ > marks_kept)
      erased_.forget(mark_ - marks_kept);
    return mark_++;
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    if (key_group >= groups_.size())
      return;
    if (since != 0)
      erased_.save_group(key_group, since, 0, sink);
    for (const auto& [key, x] : groups_[key_group])
      if (x.changed > since)
        sink.put(0, key, x.row);
  }

  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    if (state != 0 || key_group >= groups_.size())
      return make_error(ec::corrupt, "unknown state of an upsert");
    groups_[key_group].insert_or_assign(std::string(key), entry{std::string(value), 0});
    counters_.state_bytes += key.size() + value.size() + entry_bytes;
    return {};
  }

private:
  static constexpr std::size_t entry_bytes = 128; ///< of a map's node, about

  struct entry {
    std::string row;
    change_mark changed = 0;
  };

  // What a batch does to a key.
  struct change {
    std::uint16_t group = 0;
    std::string key;
    std::optional<std::string> before; ///< row
    std::uint32_t after = no_row;      ///< of the batch
  };

  static constexpr std::uint32_t no_row = UINT32_MAX;

  result<void> take_rows(const batch& rows, output& out) {
    const auto keys = key_columns(rows, keys_);
    hashes_.resize(rows.rows);
    hash_keys(keys, rows.rows, hashes_.data());
    const auto* weights = rows.weights ? rows.weights.as<const std::int32_t>() : nullptr;
    changes_.clear();
    places_.clear();
    for (std::uint32_t i = 0; i < rows.rows; ++i) {
      encoded_.clear();
      for (const auto* key : keys)
        encode_key_value(*key, i, encoded_);
      find_change(hashes_[i]).after = weights == nullptr || weights[i] > 0 ? i : no_row;
    }
    return apply(rows, out);
  }

  change& find_change(std::uint64_t hash) {
    const auto [at, fresh] = places_.try_emplace(encoded_, changes_.size());
    if (!fresh)
      return changes_[at->second];
    auto& made = changes_.emplace_back();
    made.group = key_group_of(hash, context_.key_groups);
    made.key = encoded_;
    const auto& group = groups_[made.group];
    if (const auto known = group.find(encoded_); known != group.end())
      made.before = known->second.row;
    return made;
  }

  result<void> apply(const batch& rows, output& out) {
    std::vector<const change*> gone;
    std::vector<std::uint32_t> come;
    for (auto& x : changes_) {
      std::string row;
      if (x.after != no_row) {
        for (const auto& column : rows.columns)
          append_value(column, x.after, row);
        if (x.before == row)
          continue;
        come.push_back(x.after);
      }
      if (x.before)
        gone.push_back(&x);
      store(x, std::move(row));
    }
    if (gone.empty() && come.empty())
      return {};
    auto made = std::make_shared<batch>();
    made->rows = static_cast<std::uint32_t>(gone.size() + come.size());
    std::vector<std::string_view> left;
    for (const auto* x : gone)
      left.emplace_back(*x->before);
    for (const auto& column : rows.columns) {
      value_builder values(column.type, made->rows);
      for (auto& row : left)
        EBB_TRY(values.append_encoded(row));
      for (const auto i : come)
        values.append_copy(column, i);
      made->columns.push_back(values.take());
    }
    made->weights = weights_of(static_cast<std::uint32_t>(gone.size()),
                               static_cast<std::uint32_t>(come.size()));
    counters_.rows_out += made->rows;
    out.emit(std::move(made));
    return {};
  }

  void store(const change& x, std::string row) {
    auto& group = groups_[x.group];
    if (x.before)
      counters_.state_bytes -= x.key.size() + x.before->size() + entry_bytes;
    if (x.after == no_row) {
      if (group.erase(x.key) != 0)
        erased_.add(mark_, x.group, x.key);
      return;
    }
    counters_.state_bytes += x.key.size() + row.size() + entry_bytes;
    group.insert_or_assign(x.key, entry{std::move(row), mark_});
  }

  std::vector<std::uint32_t> keys_;
  operator_context context_;
  std::vector<std::map<std::string, entry, std::less<>>> groups_; ///< by key group
  erased_keys erased_;
  change_mark mark_ = 1;
  operator_counters counters_;
  std::vector<std::uint64_t> hashes_;
  std::vector<change> changes_; ///< in the order in which their keys came
  std::map<std::string, std::size_t, std::less<>> places_;
  std::string encoded_;
};

} // namespace

std::unique_ptr<stream_operator> make_upsert(const upsert_spec& spec, operator_context context) {
  return std::make_unique<upsert>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const upsert_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  return inputs[0];
}

} // namespace ebb
