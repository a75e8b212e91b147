/// What one subtask contributes to a checkpoint.
#pragma once

#include "actors/dataflow/chunk_memory.hpp"
#include "actors/dataflow/endpoint.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Entries of state in the order in which they were written; later ones replace earlier ones of the
/// same key. Filled by one thread, then handed on and only read.
class state_chunk {
public:
  enum class kind : std::uint8_t { put, erase, erase_prefix };

  struct entry {
    kind what = kind::put;
    std::uint16_t key_group = 0;
    std::uint16_t state = 0; ///< of the stream (`state_number`)
    std::string_view key;
    std::string_view value;
  };

  void add(const entry& x);

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  /// Valid while the chunk is not changed.
  [[nodiscard]] entry at(std::size_t i) const noexcept;

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return bytes_size_ + size_ * sizeof(place);
  }

private:
  // In pieces: one that grows would be copied again and again, in the subtask's time.
  struct place {
    const char* at;
    std::uint32_t key_size;
    std::uint32_t value_size;
    std::uint16_t key_group;
    std::uint16_t state;
    kind what;
  };

  static constexpr std::size_t places_a_piece = 4096;

  std::vector<chunk_piece> bytes_;
  std::vector<std::vector<place>> places_; ///< all but the last hold `places_a_piece`
  std::size_t size_ = 0;
  std::size_t bytes_size_ = 0;
  std::size_t room_ = 0; ///< left in the last piece of bytes
  char* next_ = nullptr;
};

/// A place in the order of a stream's entries; `state` is of the stream (`state_number`).
struct state_place {
  std::uint16_t key_group = 0;
  std::uint16_t state = 0;
  std::string key;
};

/// States of one operator that are told apart.
inline constexpr unsigned operator_state_bits = 4;

/// Number of an operator's state within its stream.
[[nodiscard]] constexpr std::uint16_t state_number(std::uint16_t operator_number,
                                                   std::uint16_t state) noexcept {
  return static_cast<std::uint16_t>(operator_number << operator_state_bits | state);
}

[[nodiscard]] constexpr std::uint16_t operator_of(std::uint16_t state_number) noexcept {
  return static_cast<std::uint16_t>(state_number >> operator_state_bits);
}

/// Number of the state within its operator.
[[nodiscard]] constexpr std::uint16_t state_of(std::uint16_t state_number) noexcept {
  return static_cast<std::uint16_t>(state_number & ((1U << operator_state_bits) - 1));
}

struct source_snapshot {
  std::string source;
  std::vector<source_position> positions; ///< of this subtask's partitions
  bool ended = false; ///< and what it feeds knows: not one that was stopped just before its end
};

/// One epoch's output of one lane. A snapshot carries those of epochs before that no record lists.
struct sink_snapshot {
  std::string sink;
  epoch_number epoch = 0;
  sealed_output output;
};

struct subtask_snapshot {
  epoch_number epoch = 0;
  state_chunk state;
  std::vector<source_snapshot> sources;
  std::vector<sink_snapshot> sinks;
  micros watermark =
      min_time; ///< lowest that has arrived at a sink of the subtask; max_time = none
};

} // namespace ebb
