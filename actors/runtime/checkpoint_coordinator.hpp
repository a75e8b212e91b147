/// When a stream's checkpoints begin, what their next step is, and when one is given up. Pure.
#pragma once

#include "actors/dataflow/channel_item.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

/// Durations in microseconds.
struct checkpoint_settings {
  micros interval = 10 * micros_per_second;
  /// From the begin of one checkpoint to that of the next, at least so many times what it took.
  /// Much more would feed on itself: what changes meanwhile makes the next one longer.
  std::int64_t pace = 2;
  std::int64_t alarm_intervals = 3;             ///< a phase that takes longer is told
  micros abort_after = 600 * micros_per_second; ///< a checkpoint that takes longer is given up
  std::uint32_t epoch_block = 1024;             ///< epochs reserved at once
  std::uint32_t attempts_max = 15;              ///< after so many in vain the next saves everything
};

enum class checkpoint_phase : std::uint8_t { none, snapshot, commit, apply };

enum class checkpoint_reason : std::uint8_t { interval, savepoint, final };

/// Microseconds that the phases of one checkpoint took.
struct checkpoint_timing {
  micros started = 0; ///< processing time
  micros snapshot = 0;
  micros commit = 0;
  micros apply = 0;
};

/// One checkpoint is in flight at a time, its output included. Events go in, effects come out.
/// Events of epochs that are not under way mean nothing. Times are processing time, never falling.
class checkpoint_coordinator {
public:
  struct effect {
    enum class kind : std::uint8_t {
      reserve,  ///< make a block of epochs durable, then `reserved`
      request,  ///< ask all subtasks for `epoch`
      commit,   ///< write the record of `epoch`, then `committed`
      apply,    ///< bring the output of `epoch` to its targets, then `applied`
      conclude, ///< everything is committed and applied: subtasks may finish
      alarm,    ///< the phase takes too long
      give_up,  ///< the epoch will never be recorded; its changes go with the next one
    };
    kind what;
    epoch_number epoch = 0;
    epoch_number base = 0; ///< request: last recorded epoch
    bool whole = false;    ///< request: save everything
  };

  /// `recorded`: the epoch that the stream was restored from, 0 = none.
  checkpoint_coordinator(const checkpoint_settings& settings, epoch_number recorded,
                         std::uint32_t subtasks, std::uint32_t processes, micros now);

  /// Time has passed. `activity` changes whenever the stream has done something.
  void tick(micros now, std::uint64_t activity);
  /// Epochs [first, first + settings.epoch_block) are ours.
  void reserved(epoch_number first);
  /// A process has written its part of the snapshot durably.
  void written(std::uint32_t process, epoch_number epoch, micros now);
  void committed(epoch_number epoch, micros now);
  void applied(epoch_number epoch, micros now);
  /// A subtask has worked off all its input.
  void drained(std::uint32_t subtask, micros now);
  /// A checkpoint of everything that has happened so far is to be made soon.
  void wish(micros now);

  [[nodiscard]] std::vector<effect> take_effects();

  /// When to call `tick` next; max_time = no need.
  [[nodiscard]] micros next_time() const noexcept;

  [[nodiscard]] checkpoint_phase phase() const noexcept {
    return phase_;
  }

  [[nodiscard]] epoch_number current() const noexcept {
    return phase_ == checkpoint_phase::none ? 0 : epoch_;
  }

  [[nodiscard]] epoch_number recorded() const noexcept {
    return recorded_;
  }

  [[nodiscard]] checkpoint_reason reason() const noexcept {
    return reason_;
  }

  [[nodiscard]] const checkpoint_timing& timing() const noexcept {
    return timing_;
  }

  /// Which processes have, of the current epoch.
  [[nodiscard]] const std::vector<bool>& has_written() const noexcept {
    return has_written_;
  }

  /// How many wishes the current epoch fulfils: those that came before it began.
  [[nodiscard]] std::uint64_t fulfils() const noexcept {
    return fulfils_;
  }

private:
  void begin_when_due();
  void begin();
  void enter(checkpoint_phase phase);
  void end(micros now);

  checkpoint_settings settings_;
  std::uint32_t undrained_;
  std::vector<bool> is_drained_;
  std::vector<bool> has_written_;
  std::uint32_t unwritten_ = 0;

  micros now_;
  micros due_;
  std::uint64_t activity_ = 0;
  std::uint64_t saved_activity_ = 0; ///< at the begin of the last checkpoint
  bool saved_any_ = false;

  checkpoint_phase phase_ = checkpoint_phase::none;
  checkpoint_reason reason_ = checkpoint_reason::interval;
  checkpoint_timing timing_;
  epoch_number epoch_ = 0;
  epoch_number recorded_;
  std::uint32_t attempts_ = 0; ///< since the recorded epoch
  micros phase_began_ = 0;
  bool alarmed_ = false;

  epoch_number next_ = 0; ///< of the reserved block
  epoch_number block_end_ = 0;
  bool reserving_ = false;
  std::uint64_t wishes_ = 0;
  std::uint64_t fulfilled_ = 0;
  std::uint64_t fulfils_ = 0;
  bool concluded_ = false;
  std::vector<effect> effects_;
};

} // namespace ebb
