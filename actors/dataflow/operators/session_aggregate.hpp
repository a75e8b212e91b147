/// GROUP BY session windows: per key, rows at most a gap apart; emitted when the watermark is
/// beyond a session's end.
#pragma once

#include "actors/dataflow/event_timer.hpp"
#include "actors/dataflow/operators/aggregate_table.hpp"
#include "actors/dataflow/operators/batch_collector.hpp"
#include "actors/dataflow/operators/saved_entries.hpp"
#include "actors/dataflow/operators/session_store.hpp"

namespace ebb {

class session_aggregate final : public stream_operator, public event_timer {
public:
  session_aggregate(const window_aggregate_spec& spec, operator_context context);

  [[nodiscard]] result<bool> step(stream_item* item, step_budget& budget, output& out) override;
  [[nodiscard]] bool wants_ticks() const noexcept override;
  [[nodiscard]] micros next_tick() const noexcept override;
  [[nodiscard]] micros next_watermark() const noexcept override;
  [[nodiscard]] operator_counters counters() const override;

  change_mark mark() override;

  [[nodiscard]] bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override;
  [[nodiscard]] bool save_slice(std::uint32_t entries, state_sink& sink) override;
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override;
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value) override;

private:
  // States.
  static constexpr std::uint16_t progress_state = 0;
  static constexpr std::uint16_t open_sessions = 1;
  static constexpr std::uint16_t ended_sessions = 2;

  /// A save under way.
  struct frozen_save {
    change_mark since = 0;
    std::string progress;
    std::uint16_t next_group = 0; ///< of the owned ones
    std::size_t next_dropped = 0; ///< of dropped_, up to dropped_end
    std::size_t dropped_end = 0;
    bool keys_done = false;
    std::size_t next_ended = 0; ///< of expired_, up to ended_end
    std::size_t ended_end = 0;
    saved_entries early;
  };

  void accept(const stream_item& item);
  void start_batch(const stream_item& item);
  [[nodiscard]] result<void> take_rows(step_budget& budget);
  /// An error where the gap after a row reaches beyond the range of times.
  [[nodiscard]] result<void> check_ends(const column& times) const;
  /// Finds the rows' sessions, from next_row_ on, until one needs sessions to fire before it.
  void place_rows(const micros* times, const column* missing);
  /// What is to be done with a row that lies behind `watermark`.
  enum class verdict { take, drop, fire_first };
  [[nodiscard]] verdict judge(std::uint32_t key, micros time, micros watermark) const;
  [[nodiscard]] result<void> add_placed();
  [[nodiscard]] result<void> apply_merges();
  /// Moves sessions that have ended by `target_` to `expired_`.
  void expire();
  [[nodiscard]] result<void> emit_expired(step_budget& budget, output& out);
  void forget_key(std::uint32_t key);
  [[nodiscard]] std::string progress() const;
  [[nodiscard]] std::uint16_t group_of(std::uint32_t key) const;

  /// Sessions of one entry: [first, first + count) of a list.
  struct key_sessions {
    std::uint32_t key;
    std::uint32_t first;
    std::uint32_t count;
  };

  /// Puts entries, one for each of `keys`. Without sessions a key is erased where `erases`, else
  /// not mentioned. Ended sessions have their end and first row before the key.
  void put_sessions(std::span<const key_sessions> keys,
                    std::span<const session_store::session> list, std::uint16_t state, bool erases,
                    state_sink& sink) const;
  void put_keys(std::span<const std::uint32_t> keys, state_sink& sink) const;
  void put_ended(std::size_t first, std::size_t end, state_sink& sink) const;
  /// Writes out the keys that a save has frozen and that are about to change. `gone`: sessions that
  /// are no longer in the store but were when it was frozen.
  void preserve(std::span<const session_store::session> gone = {});
  [[nodiscard]] result<std::uint32_t> load_key(std::string_view key, std::string_view& value);
  [[nodiscard]] result<void> load_states(std::uint32_t number, std::string_view& value);

  operator_context context_;
  window_spec window_;
  std::vector<std::uint32_t> keys_;
  aggregate_shape shape_;
  key_index index_;
  session_store sessions_;
  std::vector<std::unique_ptr<accumulators>> calls_; ///< by session number

  std::vector<session_store::session> expired_; ///< to be emitted, from next_expired_ on
  std::size_t next_expired_ = 0;
  batch_collector collector_;
  micros fired_ = min_time; ///< sessions that end before it are in expired_ or emitted
  micros target_ = min_time;
  micros promised_ = min_time; ///< watermark to send on once they are emitted
  micros passed_ = min_time;   ///< watermark sent on
  micros now_ = 0;             ///< last tick
  bool idle_ = false;

  batch_ptr rows_; ///< being taken
  std::uint32_t next_row_ = 0;
  micros other_channels_ = max_time;
  call_rows call_rows_;
  std::vector<std::uint32_t> key_slots_; ///< by row
  std::vector<std::uint32_t> numbers_;   ///< sessions of placed rows
  std::vector<std::uint32_t> picks_;     ///< placed rows
  std::vector<std::uint32_t> doubtful_;  ///< keys that may have got no session

  change_mark mark_ = 1;

  struct dropped_key {
    change_mark at;
    std::uint16_t group;
    std::string key;
  };

  std::vector<dropped_key> dropped_; ///< keys without sessions, while marks are taken
  std::unique_ptr<frozen_save> save_;
  operator_counters counters_;
};

} // namespace ebb
