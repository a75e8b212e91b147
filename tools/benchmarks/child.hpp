/// A measurement in a process of its own: its CPU time and memory are its alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <vector>

namespace ebb::bench {

struct process_cost {
  double cpu_seconds = 0;       ///< of all threads, user and system
  std::uint64_t peak_bytes = 0; ///< resident
};

/// Forks; the child calls `work`, which writes its answer of `size` bytes. Nothing when the child
/// failed; it has said why on stderr then. The caller has no other threads.
[[nodiscard]] std::optional<process_cost> run_child(const std::function<bool(void*)>& work,
                                                    void* answer, std::size_t size);

template <class T>
struct measured {
  T value;
  process_cost cost;
};

/// `work` returns an optional of plain data.
template <class T, class Work>
[[nodiscard]] std::optional<measured<T>> in_child(const Work& work) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value{};
  const auto cost = run_child(
      [&](void* to) {
        std::optional<T> made = work();
        if (made)
          *static_cast<T*>(to) = *made;
        return made.has_value();
      },
      &value, sizeof value);
  if (!cost)
    return std::nullopt;
  return measured<T>{value, *cost};
}

/// The run with the median CPU time; nothing when one of them failed. `one` makes a run.
template <class T, class One>
[[nodiscard]] std::optional<measured<T>> median_of(std::uint32_t runs, const One& one) {
  std::vector<measured<T>> all;
  for (std::uint32_t i = 0; i < runs; ++i) {
    const std::optional<measured<T>> made = one();
    if (!made)
      return std::nullopt;
    all.push_back(*made);
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.cost.cpu_seconds < b.cost.cpu_seconds; });
  return all[all.size() / 2];
}

/// CPU time of the calling thread.
[[nodiscard]] double thread_cpu_seconds();

} // namespace ebb::bench
