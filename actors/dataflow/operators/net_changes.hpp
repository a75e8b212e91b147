/// What an operator emits of rows that were revised: deletions of old rows, then insertions of new
/// ones, without those that are equal.
#pragma once

#include "schemas/batch.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace ebb {

/// Clears `differs[i]` where row i of two sets of columns is the same to the last bit, for rows
/// with `differs[i]` set.
void keep_different(std::span<const column> before, std::span<const column> after,
                    std::span<std::uint8_t> differs);

/// Rows `deleted` of `before`, then rows `inserted` of `after`.
[[nodiscard]] column deleted_and_inserted(const column& before,
                                          std::span<const std::uint32_t> deleted,
                                          const column& after,
                                          std::span<const std::uint32_t> inserted);

/// Weights of so many deletions and insertions; null where nothing is deleted.
[[nodiscard]] buffer_ptr weights_of(std::uint32_t deleted, std::uint32_t inserted);

} // namespace ebb
