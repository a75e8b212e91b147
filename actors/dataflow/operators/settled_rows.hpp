/// The rows that a `settle` operator holds of one key: usually one, for a moment two or more.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Tells rows in their byte form (value_builder.hpp) apart as SQL does, NULL with NULL.
class row_equality {
public:
  explicit row_equality(std::vector<sql_type> types);

  [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const {
    return a == b || (!exact_ && canonical(a) == canonical(b));
  }

private:
  [[nodiscard]] std::string canonical(std::string_view row) const;

  std::vector<sql_type> types_;
  bool exact_; ///< equal rows have equal bytes
};

/// Distinct rows with weights other than 0, in the order in which they came last. Bytes, since
/// there is one of these for each key.
class settled_rows {
public:
  [[nodiscard]] bool empty() const noexcept {
    return bytes_.empty();
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return bytes_.size();
  }

  /// A row comes (positive weight) or goes.
  void add(std::string_view row, std::int64_t weight, const row_equality& equal);

  /// The row that came last of those that are there; empty = there is none.
  [[nodiscard]] std::string_view newest() const noexcept;

  /// An entry's value: of each row its weight, as a BIGINT, and its values.
  void save(std::string& out) const;
  /// False where `row_end` finds no row. `row_end(bytes)`: length of the row at the beginning of
  /// bytes, 0 = there is none.
  template <class RowEnd>
  [[nodiscard]] bool load(std::string_view value, const RowEnd& row_end) {
    while (!value.empty()) {
      std::int64_t weight = 0;
      if (!take_weight(value, weight))
        return false;
      const auto length = row_end(value);
      if (length == 0)
        return false;
      append(value.substr(0, length), weight);
      value.remove_prefix(length);
    }
    return true;
  }

private:
  struct place {
    std::int64_t weight = 0;
    std::string_view row;
    std::size_t end = 0;
  };

  [[nodiscard]] place at(std::size_t start) const noexcept;
  [[nodiscard]] static bool take_weight(std::string_view& value, std::int64_t& weight) noexcept;
  void append(std::string_view row, std::int64_t weight);

  std::string bytes_; ///< of each row: weight, length (4 bytes), values
};

} // namespace ebb
