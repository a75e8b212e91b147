/// Where the sequences of an operator's rows stand: an entry that is loaded before all rows, so that
/// new rows get sequences behind those that are not loaded yet.
///
/// An entry of `unkeyed_group` for each instance; after a restart at another parallelism those of
/// instances that are no more are erased by the one that owns their first key group.
#pragma once

#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/state_keys.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

class saved_sequences {
public:
  static constexpr std::uint16_t state = 5;

  /// `stores`: how many stores of rows the operator has.
  saved_sequences(const operator_context& context, std::size_t stores)
      : own_(context), restored_(stores, 0) {}

  /// Begins a save: `next` are the stores' sequences to come.
  void begin_save(std::vector<std::uint64_t> next) {
    frozen_ = std::move(next);
  }

  /// Once a save, at any time.
  void save_slice(std::uint32_t& left, state_sink& sink) {
    if (frozen_.empty())
      return;
    sink.select_group(unkeyed_group);
    for (const auto writer : left_behind_)
      sink.erase(state, key_of(writer));
    put(frozen_, sink);
    left -= std::min<std::uint32_t>(left, 1);
    frozen_.clear();
  }

  /// As of stream_operator::save with `unkeyed_group` and all entries.
  void put(const std::vector<std::uint64_t>& next, state_sink& sink) const {
    if (own_.count == 0)
      return;
    std::string value(1, version);
    for (const auto x : next)
      put_sequence(x, value);
    sink.put(state, key_of(own_.first), value);
  }

  [[nodiscard]] result<void> load(std::string_view key, std::string_view value) {
    EBB_ASSIGN(const auto writer, take_writer(key));
    if (own_.contains(writer) && writer != own_.first)
      left_behind_.push_back(writer);
    if (!key.empty() || value.empty() || value.front() != version)
      return make_error(ec::corrupt, "a state entry's sequences cannot be read");
    value.remove_prefix(1);
    for (auto& x : restored_) {
      EBB_ASSIGN(const auto next, take_sequence(value));
      x = std::max(x, next);
    }
    known_ = true;
    return {};
  }

  /// Such an entry was loaded. Else rows were saved by a version that did not write them.
  [[nodiscard]] bool known() const noexcept {
    return known_;
  }

  [[nodiscard]] std::uint64_t restored(std::size_t store) const noexcept {
    return restored_[store];
  }

private:
  static constexpr char version = 1;

  [[nodiscard]] static std::string key_of(std::uint16_t writer) {
    std::string key;
    put_writer(writer, key);
    return key;
  }

  owned_groups own_;
  bool known_ = false;
  std::vector<std::uint64_t> restored_; ///< by store
  std::vector<std::uint64_t> frozen_;   ///< empty = nothing is to be written
  std::vector<std::uint16_t> left_behind_;
};

} // namespace ebb
