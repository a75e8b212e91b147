/// What a batch of changes says, with what it says twice said once.
#pragma once

#include "schemas/batch.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace ebb {

/// One change: rows of a batch; `no_row` = there is none on that side.
struct row_change {
  static constexpr std::uint32_t no_row = UINT32_MAX;
  std::uint32_t before = no_row;
  std::uint32_t after = no_row;
};

/// Of rows that have a unique key, the change from the first row to the last (both sides where
/// there are both); of others, the sum of their weights. Deletions come first. Used by one thread.
class change_fold {
public:
  /// `width`: columns that tell rows apart; `key`: those that do so alone.
  change_fold(std::size_t width, std::optional<std::vector<std::uint32_t>> key)
      : width_(width), key_(std::move(key)) {}

  /// Valid until the next call.
  [[nodiscard]] const std::vector<row_change>& of(const batch& rows);

private:
  // What happens to one key, or to one row, in a batch.
  struct sum {
    row_change what;
    std::int64_t weight = 0;
  };

  void fold_keyed(const batch& rows);
  void fold_counted(const batch& rows);
  void encode_all(const batch& rows, std::uint32_t i, std::string& to) const;
  [[nodiscard]] bool same_row(const batch& rows, std::uint32_t a, std::uint32_t b);
  [[nodiscard]] sum& find(const std::string& encoded);

  const std::size_t width_;
  const std::optional<std::vector<std::uint32_t>> key_;
  std::unordered_map<std::string, std::size_t> places_;
  std::vector<sum> sums_; ///< in the order in which their keys came
  std::vector<row_change> changes_;
  std::string encoded_;
  std::string other_;
};

} // namespace ebb
