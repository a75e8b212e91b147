/// What an operator is: a pure, resumable transformer of stream items.
///
/// The host (a subtask) feeds one item, then calls `step` until it reports that nothing is left,
/// pausing between steps while it has no output credit. A barrier may pass between two steps.
/// No operator sees a clock, a thread or a file; time comes in as items.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

enum class item_kind : std::uint8_t {
  batch,
  watermark, ///< `time`: no row before it will come on this input
  idle,      ///< the input is idle: it does not hold watermarks back until its next item
  tick,      ///< `time`: processing time, never falling; comes to operators that ask for it
  end,       ///< no more items on this input (its watermark has gone to max_time before)
};

/// One thing that arrives at an operator's input.
struct stream_item {
  item_kind kind = item_kind::batch;
  std::uint32_t input = 0; ///< which input of the operator
  batch_ptr rows;          ///< batch
  micros time = min_time;  ///< watermark, tick
  /// batch: watermark that the *other* channels of this input allow (max_time when there is no
  /// other active one). A row's effective watermark is min(batch::watermarks[row], other_channels).
  micros other_channels = max_time;
};

/// Work allowed in one step; the operator counts it down and returns with `more` at zero.
struct step_budget {
  std::uint32_t rows = 4096;
};

/// Where an operator puts what it makes. Items keep their order.
class output {
public:
  virtual ~output() = default;
  virtual void emit(batch_ptr rows) = 0;
  virtual void advance(micros watermark) = 0;
  virtual void idle() = 0;
};

/// Counters of one operator instance.
struct operator_counters {
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t late_rows = 0;
  std::uint64_t state_bytes = 0;
};

/// Key group of entries that belong to no key: per source partition, or the same in all instances.
/// Every instance is given all of them back.
inline constexpr std::uint16_t unkeyed_group = 0xffff;

/// Receives and gives back state entries. A key group's entries come in key order.
class state_sink {
public:
  virtual ~state_sink() = default;

  /// The entries that follow belong to this key group. `save` need not call it; `save_slice` must.
  virtual void select_group(std::uint16_t key_group) {
    static_cast<void>(key_group);
  }

  /// `state` numbers the operator's states; `key` is canonically encoded (key_encoding.hpp) and
  /// starts with the pane end where the state has panes. An entry replaces one of the same key.
  virtual void put(std::uint16_t state, std::string_view key, std::string_view value) = 0;
  virtual void erase(std::uint16_t state, std::string_view key) = 0;
  /// Everything under this prefix is gone (a fired pane).
  virtual void erase_prefix(std::uint16_t state, std::string_view prefix) = 0;
};

/// What an operator needs of restored state that is not loaded yet. Keys as in `state_sink`.
class state_wishes {
public:
  virtual ~state_wishes() = default;

  /// All entries of the key group are loaded: nothing of it need be wished.
  [[nodiscard]] virtual bool loaded(std::uint16_t key_group) const = 0;
  /// The entry with this key, if there is one.
  virtual void wish(std::uint16_t key_group, std::uint16_t state, std::string_view key) = 0;
  /// All entries of the state whose keys are less than `to`; empty = all.
  virtual void wish_below(std::uint16_t key_group, std::uint16_t state, std::string_view to) = 0;
  virtual void wish_all() = 0;
};

/// Counts state changes: entries touched after `mark()` have a larger number.
using change_mark = std::uint32_t;

class stream_operator {
public:
  virtual ~stream_operator() = default;

  /// Takes one item (null = go on with the last one) and works within the budget. Returns true when
  /// there is more to do: then the next call must pass null. Errors stop the stream; rows of
  /// expression errors are already named in the message.
  [[nodiscard]] virtual result<bool> step(stream_item* item, step_budget& budget, output& out) = 0;

  /// True for operators that want `tick` items before each batch and periodically.
  [[nodiscard]] virtual bool wants_ticks() const noexcept {
    return false;
  }

  /// Earliest processing time at which the operator wants a tick though no row comes; max_time =
  /// none.
  [[nodiscard]] virtual micros next_tick() const noexcept {
    return max_time;
  }

  [[nodiscard]] virtual operator_counters counters() const = 0;

  /// Starts a new change number and returns the old one: what changes from now on has a larger one.
  virtual change_mark mark() {
    return 0;
  }

  /// Writes the entries of one key group that changed after `since` (0 = all entries), sorted by
  /// key. Stateless operators write nothing. Also called with `unkeyed_group`.
  virtual void save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
    static_cast<void>(key_group);
    static_cast<void>(since);
    static_cast<void>(sink);
  }

  /// True where steps may run between `begin_save` and the last `save_slice`: what is written is
  /// the state as it was at `begin_save`. Else the host uses `save`, and runs no step meanwhile.
  [[nodiscard]] virtual bool saves_frozen() const noexcept {
    return false;
  }

  /// Freezes what changed after `since` (0 = all entries) in O(1), just after `mark`. An unfinished
  /// save is given up.
  virtual void begin_save(change_mark since) {
    static_cast<void>(since);
  }

  /// Writes about so many of the frozen entries, those of `unkeyed_group` included, in any order of
  /// key groups and keys (an erase_prefix before the puts under it). Returns true while there are
  /// more.
  [[nodiscard]] virtual bool save_slice(std::uint32_t entries, state_sink& sink) {
    static_cast<void>(entries);
    static_cast<void>(sink);
    return false;
  }

  /// True where entries may be loaded after the first mark, between steps, as `wish` names them.
  /// Else all are loaded before.
  [[nodiscard]] virtual bool loads_late() const noexcept {
    return false;
  }

  /// Even so, states with one entry a key group, with an empty key, that are loaded before the
  /// first mark; entries of `unkeyed_group` are as well.
  [[nodiscard]] virtual bool loads_first(std::uint16_t state) const noexcept {
    static_cast<void>(state);
    return false;
  }

  /// While entries are not loaded: names those that `item` needs. They are loaded before `step`
  /// gets it; others may come between any two steps.
  virtual void wish(const stream_item& item, state_wishes& wishes) {
    static_cast<void>(item);
    wishes.wish_all();
  }

  /// There are no more entries to load.
  virtual void all_loaded() {}

  /// Takes one entry back; it has not changed since the first mark. The first item is a watermark
  /// with time min_time: the operator sends on what it had promised and goes on with what it was
  /// emitting.
  [[nodiscard]] virtual result<void> load(std::uint16_t key_group, std::uint16_t state,
                                          std::string_view key, std::string_view value) {
    static_cast<void>(key_group);
    static_cast<void>(state);
    static_cast<void>(key);
    static_cast<void>(value);
    return make_error(ec::internal, "this operator has no state to load");
  }
};

/// `error` with its row replaced by the row's source and offset, where the batch still has them,
/// else by the operator's name.
[[nodiscard]] error name_row(error problem, const batch& input, std::string_view operator_name);

} // namespace ebb
