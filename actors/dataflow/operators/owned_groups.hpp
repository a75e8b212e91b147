/// Which key groups an instance owns, and where state lies that belongs to no key.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/time_keys.hpp"

#include <algorithm>

namespace ebb {

/// Saves ask for what changed after one of the last so many marks, or for everything.
inline constexpr change_mark marks_kept = 16;

/// Groups [first, first + count): those of which `target_of_group` (exchange.hpp) says that they
/// are the instance's.
struct owned_groups {
  std::uint16_t first = 0;
  std::uint16_t count = 0;

  explicit owned_groups(const operator_context& context) {
    const auto start = [&](std::uint64_t subtask) {
      return static_cast<std::uint16_t>((subtask * context.key_groups + context.parallelism - 1)
                                        / context.parallelism);
    };
    first = start(context.subtask);
    count = static_cast<std::uint16_t>(start(context.subtask + std::uint64_t{1}) - first);
  }

  [[nodiscard]] bool contains(std::uint16_t group) const noexcept {
    return group >= first && group - first < count;
  }

  /// One of them, evenly.
  [[nodiscard]] std::uint16_t pick(std::uint64_t number) const noexcept {
    return static_cast<std::uint16_t>(first + number % std::max<std::uint16_t>(1, count));
  }
};

/// What tells entries of `unkeyed_group` of different instances apart: the first group that the
/// writer owned. Two bytes.
inline void put_writer(std::uint16_t first, std::string& key) {
  key.push_back(static_cast<char>(first >> 8));
  key.push_back(static_cast<char>(first & 0xff));
}

[[nodiscard]] inline result<std::uint16_t> take_writer(std::string_view& key) {
  if (key.size() < 2)
    return make_error(ec::corrupt, "a state key is too short for its writer");
  const auto writer = static_cast<std::uint16_t>(static_cast<unsigned char>(key[0]) << 8
                                                 | static_cast<unsigned char>(key[1]));
  key.remove_prefix(2);
  return writer;
}

/// The last tick of an operator by processing time, so that time does not go back across a restart.
inline void save_clock(const operator_context& context, micros now, state_sink& sink) {
  std::string key;
  put_writer(owned_groups(context).first, key);
  std::string value;
  append_time_key(now, value);
  sink.put(0, key, value);
}

/// The latest of all instances counts. Error: not such an entry.
[[nodiscard]] inline result<void> load_clock(std::uint16_t state, std::string_view value,
                                             micros& now) {
  EBB_ASSIGN(const auto time, take_time_key(value));
  if (state != 0)
    return make_error(ec::corrupt, "unknown state of an operator by processing time");
  now = std::max(now, time);
  return {};
}

} // namespace ebb
