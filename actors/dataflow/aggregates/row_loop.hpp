/// Loops over the rows of an update, compiled without the checks that a batch does not need, and
/// accumulators that are one array of plain states. Internal to the folder.
#pragma once

#include "actors/dataflow/aggregate.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace ebb {

/// Calls `body(i, weight)` for each row whose bit in `included` is set (null = all) and whose value
/// in `strict` is not NULL (null = not looked at).
template <class Body>
void each_row(std::uint32_t rows, const column* strict, const std::uint8_t* included,
              const std::int32_t* weights, const Body& body) {
  if (strict != nullptr && !strict->has_nulls())
    strict = nullptr;
  if (strict != nullptr && strict->constant) {
    if (strict->is_null(0))
      return;
    strict = nullptr;
  }
  if (strict == nullptr && included == nullptr) {
    if (weights == nullptr) {
      for (std::uint32_t i = 0; i < rows; ++i)
        body(i, std::int64_t{1});
    } else {
      for (std::uint32_t i = 0; i < rows; ++i)
        body(i, std::int64_t{weights[i]});
    }
    return;
  }
  const auto* valid = strict == nullptr ? included : strict->validity.as<const std::uint8_t>();
  const auto* also = strict == nullptr ? nullptr : included;
  // Word by word, since often few bits are set.
  constexpr std::uint32_t bits = 64;
  for (std::uint32_t first = 0; first < rows; first += bits) {
    const auto count = std::min(bits, rows - first);
    const auto word_at = [&](const std::uint8_t* from) {
      std::uint64_t word = 0;
      std::memcpy(&word, from + first / 8, (count + 7) / 8);
      return word;
    };
    auto word = word_at(valid);
    if (also != nullptr)
      word &= word_at(also);
    if (count < bits)
      word &= (std::uint64_t{1} << count) - 1;
    for (; word != 0; word &= word - 1) {
      const auto i = first + static_cast<std::uint32_t>(std::countr_zero(word));
      body(i, weights == nullptr ? std::int64_t{1} : std::int64_t{weights[i]});
    }
  }
}

/// True where every row goes to one slot: then a loop may keep its state in registers.
[[nodiscard]] inline bool one_slot(std::span<const std::uint32_t> slots) noexcept {
  if (slots.empty() || slots.front() != slots.back() || slots.front() != slots[slots.size() / 2])
    return false;
  std::uint32_t differs = 0;
  for (const auto s : slots)
    differs |= s ^ slots.front();
  return differs == 0;
}

[[nodiscard]] inline std::uint32_t row_count(std::span<const std::uint32_t> slots) noexcept {
  return static_cast<std::uint32_t>(slots.size());
}

/// True where some row takes back an earlier one.
[[nodiscard]] inline bool has_deletes(const std::int32_t* weights, std::size_t rows) noexcept {
  return weights != nullptr && std::any_of(weights, weights + rows, [](auto w) { return w < 0; });
}

/// For aggregates that cannot take rows back.
[[nodiscard]] inline result<void> refuse_deletes(const std::int32_t* weights, std::size_t rows,
                                                 const char* name) {
  if (has_deletes(weights, rows))
    return make_error(ec::unsupported,
                      std::string(name) + " over rows that are updated is not supported",
                      "aggregate an append-only input, or one grouped by a window");
  return {};
}

/// Base of aggregates whose state of a slot is one plain value.
template <class State>
class plain_accumulators : public accumulators {
public:
  void resize(std::uint32_t count) override {
    if (states_.size() < count)
      states_.resize(count);
  }

  void clear(std::uint32_t slot) override {
    states_[slot] = State{};
  }

  void clear_all(std::uint32_t count) override {
    std::fill_n(states_.begin(), count, State{});
  }

  [[nodiscard]] std::size_t byte_size() const noexcept override {
    return states_.capacity() * sizeof(State);
  }

protected:
  std::vector<State> states_;
};

} // namespace ebb
