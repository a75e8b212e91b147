/// Aggregate functions: accumulators in dense arrays, one place (slot) a group.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// The accumulators of one aggregate call for all groups of one table. Not thread-safe.
/// Slots are dense numbers given out by a `key_index`; a slot starts empty.
class accumulators {
public:
  virtual ~accumulators() = default;

  /// Makes room for slots 0..count; new ones are empty. Existing ones keep their values.
  virtual void resize(std::uint32_t count) = 0;

  /// Empties one slot for reuse.
  virtual void clear(std::uint32_t slot) = 0;

  /// Empties slots 0..count.
  virtual void clear_all(std::uint32_t count) {
    for (std::uint32_t slot = 0; slot < count; ++slot)
      clear(slot);
  }

  /// Adds row i of `args` to `slots[i]`, for i in [0, slots.size()), where bit i of `included`
  /// is set (null = all). Arguments may be constant. `weights` as in batch (null = all +1).
  [[nodiscard]] virtual result<void> update(std::span<const std::uint32_t> slots,
                                            std::span<const column> args,
                                            const std::uint8_t* included,
                                            const std::int32_t* weights) = 0;

  /// Adds `from`'s slot from_slots[i] to our into_slots[i]. `from` is of the same call.
  [[nodiscard]] virtual result<void> merge(std::span<const std::uint32_t> into_slots,
                                           const accumulators& from,
                                           std::span<const std::uint32_t> from_slots) = 0;

  /// True where `subtract` undoes `merge` exactly.
  [[nodiscard]] virtual bool invertible() const noexcept {
    return false;
  }

  /// Takes back what `merge` with the same arguments has added. Only where invertible.
  virtual void subtract(std::span<const std::uint32_t> into_slots, const accumulators& from,
                        std::span<const std::uint32_t> from_slots) {
    static_cast<void>(into_slots);
    static_cast<void>(from);
    static_cast<void>(from_slots);
  }

  /// Results of the slots, in order.
  [[nodiscard]] virtual result<column> finish(std::span<const std::uint32_t> slots) const = 0;

  /// The accumulated state as columns, so that it can cross an exchange or be stored; types as
  /// `aggregate_function::state_types`. `merge_state` adds such rows: row i to slots[i].
  [[nodiscard]] virtual std::vector<column> state(std::span<const std::uint32_t> slots) const = 0;
  [[nodiscard]] virtual result<void> merge_state(std::span<const std::uint32_t> slots,
                                                 std::span<const column> state) = 0;

  /// Bytes held, for statistics.
  [[nodiscard]] virtual std::size_t byte_size() const noexcept = 0;
};

/// ORDER BY inside an aggregate, or of a top-N: input column, direction, place of NULLs.
struct sort_key {
  std::uint32_t column = 0;
  bool descending = false;
  bool nulls_first = false;

  bool operator==(const sort_key&) const = default;
};

/// One overload of an aggregate. Plain data; owned by the catalog.
struct aggregate_function {
  std::string name; ///< `count`, `sum`, …; `count(*)` has no parameters
  std::vector<sql_type> params;
  /// Result type for argument types with modifiers.
  sql_type (*result_type)(std::span<const sql_type> args) = nullptr;
  /// Columns of `accumulators::state`.
  std::vector<sql_type> (*state_types)(std::span<const sql_type> args) = nullptr;
  std::unique_ptr<accumulators> (*make)(std::span<const sql_type> args) = nullptr;
  /// The order of rows does not show in the result, so partial results may be merged (two-phase).
  bool order_free = true;
};

/// Overloads of an aggregate name, empty when there is none.
[[nodiscard]] std::span<const aggregate_function> find_aggregates(std::string_view name);
/// Every aggregate name, sorted.
[[nodiscard]] std::vector<std::string> aggregate_names();

/// One call in a query. Arguments are columns of the operator's input (a projection computed them).
struct aggregate_call {
  const aggregate_function* function = nullptr;
  std::vector<std::uint32_t> args;
  std::vector<sql_type> arg_types;
  sql_type type;                  ///< of the result
  bool distinct = false;          ///< DISTINCT; NULLs and order as PostgreSQL
  std::int32_t filter = -1;       ///< BOOLEAN input column of FILTER (WHERE …), or -1
  std::vector<sort_key> order_by; ///< for string_agg, array_agg
};

/// Accumulators for a call, DISTINCT and ORDER BY included (they wrap the plain ones). The args
/// that `update` takes are the call's args, then one column for each sort key.
[[nodiscard]] std::unique_ptr<accumulators> make_accumulators(const aggregate_call& call,
                                                              std::span<const sql_type> input);

/// Types of the columns that `make_accumulators(call)->state` gives.
[[nodiscard]] std::vector<sql_type> state_types(const aggregate_call& call);

} // namespace ebb
