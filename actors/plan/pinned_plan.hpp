/// What a stream's entry in the control database remembers of its plan: which operators have kept
/// state, what it is made of, and in which checkpoints it is. Pure.
#pragma once

#include "schemas/control_records.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// The state of an operator, as a plan describes it.
struct kept_state {
  std::string identity;  ///< stateful_steps.hpp
  std::string signature; ///< types, windows, functions: how its entries are read
  std::string shape;     ///< what the values are, by name; empty = not known, fits all

  bool operator==(const kept_state&) const = default;
};

/// Epochs (after, until] of which checkpoints have the operator's state.
struct epoch_span {
  std::uint64_t after = 0;
  std::uint64_t until = UINT64_MAX; ///< UINT64_MAX = it goes on

  bool operator==(const epoch_span&) const = default;
};

/// An operator's number is its place, and is never used again for something else.
struct pinned_operator {
  kept_state state;
  std::vector<epoch_span> spans;
  std::uint64_t dropped_by =
      0; ///< no segment of this generation or later has its entries; 0 = used

  bool operator==(const pinned_operator&) const = default;
};

/// How changes come to one who keeps rows (change_paths.hpp).
struct change_path {
  std::string taker; ///< `sink out`, or an operator's identity
  std::string what;  ///< from where, which rows, what of them; without control characters
  // Not remembered:
  std::vector<std::string> origins = {};  ///< operators that keep what it deletes, next to it
  std::vector<std::string> upstream = {}; ///< all whose state it hangs on
};

struct pinned_path {
  std::string taker;
  std::string what;
  std::vector<epoch_span> spans; ///< of checkpoints when it was so

  bool operator==(const pinned_path&) const = default;
};

struct pinned_plan {
  std::vector<pinned_operator> operators;
  std::vector<pinned_path> paths;
  std::string version;      ///< of the ebb that made the plan; empty = not known
  std::string manifest;     ///< digest of the text that it was made from; empty = not known
  std::uint32_t format = 0; ///< of operators' entries; 0 = before formats had numbers
  std::uint32_t words = 0;  ///< that shapes and paths are put in; 0 = those of the query's text

  /// State that the present plan's newest checkpoint has.
  [[nodiscard]] std::vector<kept_state> used() const;

  /// Makes those operators used that were when `epoch` was written. `last`: the highest epoch there
  /// may be; `generation`: of the run that begins.
  void go_back_to(std::uint64_t epoch, std::uint64_t last, std::uint64_t generation);

  /// Takes the plan that runs from now on: what is not in it, or not the same, is dropped; what is
  /// new gets a number.
  void adopt(std::span<const kept_state> now, std::uint64_t last, std::uint64_t generation);

  /// Paths of the present plan.
  [[nodiscard]] std::vector<change_path> used_paths() const;
  void adopt_paths(std::span<const change_path> now, std::uint64_t last);

  /// Those of `identities` that are used begin with empty state at the next `adopt`.
  void empty(std::span<const std::string> identities, std::uint64_t last, std::uint64_t generation);

  /// What the values of used states are is no longer known: the same manifest tells it.
  void forget_shapes();

  /// Until format 2, states of one kind in one operator were numbered by stage, and so differently at
  /// another parallelism: which is which is not known, so such states become ones that no plan has.
  void forget_numbers_by_stage();

  bool operator==(const pinned_plan&) const = default;
};

/// Grows whenever an operator writes entries that earlier versions cannot read, or identities mean
/// something else.
inline constexpr std::uint32_t state_format = 2;

/// Grows whenever shapes and paths of a plan are put in other words.
inline constexpr std::uint32_t state_words = 1;

/// Numbers of operators are less.
inline constexpr std::size_t pinned_operators_max = 4096;

/// Whether the state can be gone on with.
[[nodiscard]] bool fits(const kept_state& before, const kept_state& now) noexcept;

[[nodiscard]] pinned_plan read_pinned(const stream_entry& from);
/// Into `operators` and `plan_fingerprint`.
void write_pinned(const pinned_plan& from, stream_entry& to);

/// Of an entry of `stream_entry::operators`.
[[nodiscard]] bool is_dropped(std::string_view name) noexcept;

[[nodiscard]] std::string digest_of_text(std::string_view text);
/// Of this program.
[[nodiscard]] const char* engine_version() noexcept;

} // namespace ebb
