/// The state that a recorded epoch consists of, as it lies in its store.
#pragma once

#include "actors/dataflow/snapshot.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Read-only; the store may remove what it lies in meanwhile. Functions block, and are called by
/// one thread at a time. Damage is an error, never a wrong entry.
class stored_state {
public:
  virtual ~stored_state() = default;

  /// Another view of the same, for another thread.
  [[nodiscard]] virtual result<std::unique_ptr<stored_state>> reopen() const = 0;

  [[nodiscard]] virtual std::uint64_t byte_size() const = 0;

  /// Places that cut [from, to) into parts that are read in one go: rising, inside.
  [[nodiscard]] virtual std::vector<state_place> cuts(const state_place& from,
                                                      const state_place& to) const = 0;

  /// Appends the live entries of [from, to) in order, as puts.
  [[nodiscard]] virtual result<void> read(const state_place& from, const state_place& to,
                                          state_chunk& out) = 0;

  /// Appends the live entry with this key, if there is one.
  [[nodiscard]] virtual result<void> read_one(const state_place& at, state_chunk& out) = 0;
};

} // namespace ebb
