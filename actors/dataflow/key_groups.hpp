/// Tables by key group. Internal to key_index.
#pragma once

#include "actors/dataflow/key_encoding.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// One table a key group; but one for all groups while there are few keys, since most panes are
/// small and a table a group would cost each of them several KiB.
template <class Table>
class key_groups {
public:
  explicit key_groups(std::uint16_t groups) : groups_(groups), tables_(1) {}

  [[nodiscard]] Table& of(std::uint64_t hash) noexcept {
    return tables_[split_ ? key_group_of(hash, groups_) : 0];
  }

  [[nodiscard]] const Table& of(std::uint64_t hash) const noexcept {
    return tables_[split_ ? key_group_of(hash, groups_) : 0];
  }

  [[nodiscard]] bool split() const noexcept {
    return split_;
  }

  /// Makes room for one key more: `move(from, to)` puts the keys of the one table into the tables
  /// that `to(hash)` gives, once there are many.
  template <class Move>
  void expect(std::uint32_t keys, const Move& move) {
    if (split_ || keys < split_at || groups_ == 1)
      return;
    std::vector<Table> next(groups_);
    move(tables_[0],
         [&](std::uint64_t hash) -> Table& { return next[key_group_of(hash, groups_)]; });
    tables_ = std::move(next);
    split_ = true;
  }

  /// Empties the tables. Whoever clears an index fills it again with about as many keys.
  void clear(std::uint32_t keys) {
    if (split_ && keys < split_at / 2) {
      tables_ = std::vector<Table>(1);
      split_ = false;
    }
    for (auto& table : tables_)
      table.clear();
  }

  /// The one table that has a group's keys, maybe among others (see `split`).
  [[nodiscard]] const Table& table_of_group(std::uint16_t group) const noexcept {
    return tables_[split_ ? group : 0];
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    std::size_t bytes = tables_.capacity() * sizeof(Table);
    for (const auto& table : tables_)
      bytes += table.byte_size();
    return bytes;
  }

private:
  static constexpr std::uint32_t split_at = 512;

  std::uint16_t groups_;
  bool split_ = false;
  std::vector<Table> tables_;
};

} // namespace ebb
