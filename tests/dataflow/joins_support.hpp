/// Rows of numbers that become columns of any type, a driver for operators, and a store for their
/// state: what the tests of stateful operators share.
#pragma once

#include "actors/dataflow/function.hpp"
#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/operator_spec.hpp"
#include "schemas/batch.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace ebb::test {

using cell = std::optional<std::int64_t>;
using cells = std::vector<cell>;

inline const sql_type bigint_type{type_kind::bigint};
inline const sql_type text_type{type_kind::text};
inline const sql_type time_type{type_kind::timestamp};
inline const sql_type numeric_type{type_kind::numeric};
inline const sql_type array_type = sql_type{type_kind::bigint}.array_of();
inline const sql_type double_type{type_kind::double_precision};

/// Column k of the rows; each type writes the number in its own way.
[[nodiscard]] column column_of(const sql_type& type, const std::vector<cells>& rows, std::size_t k);
[[nodiscard]] cell read_cell(const column& x, std::uint32_t i);
[[nodiscard]] batch_ptr batch_of(const std::vector<sql_type>& types, const std::vector<cells>& rows,
                                 const std::vector<micros>& watermarks = {});
[[nodiscard]] std::vector<cells> rows_of(const batch& x);

[[nodiscard]] std::string to_string(const std::vector<cells>& rows);

/// `left.a >= right.b` over BIGINT columns of the joined row.
[[nodiscard]] expr_ptr at_least(std::uint32_t a, std::uint32_t b);

/// Collects what an operator emits.
struct collector final : output {
  void emit(batch_ptr rows) override;
  void advance(micros watermark) override;
  void idle() override;

  std::vector<cells> rows;
  std::vector<micros> watermarks;
  std::vector<micros> before; ///< watermark that had been passed on before each row
  bool restored = false;      ///< watermarks may be told again
  std::size_t idles = 0;
  std::size_t largest_batch = 0;
};

[[nodiscard]] stream_item rows_item(std::uint32_t input, batch_ptr rows,
                                    micros other_channels = max_time);
[[nodiscard]] stream_item watermark_item(std::uint32_t input, micros time);
[[nodiscard]] stream_item idle_item(std::uint32_t input);
[[nodiscard]] stream_item end_item(std::uint32_t input);

/// Key group, state, key.
using state_entry_place = std::tuple<std::uint16_t, std::uint16_t, std::string>;

/// Entries that hold many rows, or say which are gone, as an entry for each row that is there: how
/// rows are shared among entries does not matter.
[[nodiscard]] std::map<state_entry_place, std::string>
in_rows(const std::map<state_entry_place, std::string>& entries);

/// Saved state by key group, state and key, as a checkpoint chain would hold it.
class saved_state {
public:
  /// Applies what changed since the mark of the last save.
  void save(stream_operator& x, std::uint16_t key_groups);
  /// Saves everything anew and compares it with what the increments added up to.
  void check_full(const stream_operator& x, std::uint16_t key_groups) const;
  /// Loads everything into a fresh operator.
  void load(stream_operator& x);

  [[nodiscard]] std::size_t size() const noexcept {
    return entries_.size();
  }

private:
  using place = std::tuple<std::uint16_t, std::uint16_t, std::string>;
  std::map<place, std::string> entries_;
  change_mark mark_ = 0;
};

/// Drives one operator: each item is stepped to its end with small budgets, and at random places
/// the operator is saved and replaced by one that loads the state.
class driver {
public:
  driver(std::function<std::unique_ptr<stream_operator>()> make, std::uint64_t seed,
         std::uint32_t budget, bool with_restores, std::uint16_t key_groups = 8);

  void feed(stream_item item);

  [[nodiscard]] operator_counters counters() const;

  collector out;

private:
  void restore();

  std::function<std::unique_ptr<stream_operator>()> make_;
  std::mt19937_64 random_;
  std::uint32_t budget_;
  bool with_restores_;
  std::uint16_t key_groups_;
  std::unique_ptr<stream_operator> operator_;
  saved_state state_;
  std::vector<std::optional<stream_item>> last_watermarks_{2};
  operator_counters before_; ///< of the operators that were replaced
};

/// A seed, printed, so that a failing run can be repeated: EBB_SEED=n in the environment.
[[nodiscard]] std::uint64_t next_seed(const char* what);

} // namespace ebb::test
