/// Rows that wait for a time: kept as often as they came, found by what they are, taken when they
/// are due.
#pragma once

#include "actors/dataflow/operators/changing_rows.hpp"
#include "actors/dataflow/operators/net_batch.hpp"
#include "actors/dataflow/operators/row_finder.hpp"
#include "actors/dataflow/operators/time_queue.hpp"

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace ebb {

/// Not thread-safe. Rows removed with `remove` can be read until the next `add` or `make_room`.
class timed_rows {
public:
  static constexpr std::uint32_t no_row = row_store::no_row;

  timed_rows(const std::vector<sql_type>& types, std::vector<std::uint32_t> keys,
             std::uint16_t state, std::uint16_t key_groups)
      : kept_(types, std::move(keys), true, state, key_groups) {}

  [[nodiscard]] const row_store& rows() const noexcept {
    return kept_.rows();
  }

  /// Keeps rows picks[0..) of the batch, each with its time and its hash (net_batch) by row of the
  /// batch. max_time = it waits for ever.
  [[nodiscard]] result<void> add(const batch& from, const std::vector<std::uint32_t>& picks,
                                 const std::vector<micros>& times,
                                 const std::vector<std::uint64_t>& hashes);

  /// A kept row that is equal to row i of the batch; no_row = none.
  [[nodiscard]] std::uint32_t find(const batch& from, std::uint32_t i, std::uint64_t hash,
                                   const net_batch& net) const;

  void remove(std::uint32_t row);

  /// Appends the rows that wait for times up to `now`. They stay until `remove`.
  void take_due(micros now, std::vector<std::uint32_t>& out);

  /// max_time = none waits for a time. May be too early.
  [[nodiscard]] micros next_due() const noexcept {
    return earliest_;
  }

  /// Gives back memory of rows that went.
  [[nodiscard]] result<void> make_room();

  // As of stream_operator.
  void mark() {
    kept_.mark();
  }

  void begin_save(change_mark since) {
    kept_.begin_save(since);
  }

  [[nodiscard]] bool erase_slice(std::uint32_t& left, state_sink& sink) {
    return kept_.erase_slice(left, sink);
  }

  [[nodiscard]] bool save_slice(std::uint32_t& left, state_sink& sink) {
    return kept_.save_slice(left, sink);
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
    kept_.save(key_group, since, sink);
  }

  [[nodiscard]] bool owns(std::uint16_t state) const noexcept {
    return kept_.owns(state);
  }

  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value);

  /// After loads: `time_of(row)` is what the row waits for.
  void finish_load(const std::function<micros(std::uint32_t)>& time_of);

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return kept_.byte_size() + finder_.byte_size() + queue_.size() * sizeof(waiting_row)
           + rows().rows() * (sizeof(std::uint32_t) + sizeof(micros) + 1);
  }

private:
  void grow();
  void wait(std::uint32_t row, micros time);

  changing_rows kept_;
  row_finder finder_;
  row_array<std::uint32_t> hashes_;
  row_array<micros> times_;
  row_array<std::uint8_t> there_;
  time_queue queue_; ///< also names rows that are gone, until their time
  micros earliest_ = max_time;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint32_t> from_;
  std::vector<std::uint32_t> to_;
  std::vector<waiting_row> taken_;
};

} // namespace ebb
