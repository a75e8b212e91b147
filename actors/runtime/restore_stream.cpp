#include "actors/runtime/restore_stream.hpp"

#include <utility>

namespace ebb {

namespace {

/// Key groups [first, last), in a subtask's order.
struct owned_places {
  state_place from;
  state_place to;
};

result<void> load_all(subtask& task, const state_chunk& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (auto loaded = task.load(entries.at(i)); !loaded) {
      auto problem = std::move(loaded).error();
      // Its checksum is right: so another version has written it.
      if (problem.code == ec::corrupt)
        problem.code = ec::unsupported;
      return problem;
    }
  return {};
}

result<void> load_between(subtask& task, const owned_places& places, stored_state& state) {
  state_chunk entries;
  EBB_TRY(state.read(places.from, places.to, entries));
  return load_all(task, entries);
}

result<void> load_first(subtask& task, const owned_places& own, stored_state& state) {
  state_chunk entries;
  for (const auto number : task.first_states())
    for (auto group = own.from.key_group; group < own.to.key_group; ++group)
      EBB_TRY(state.read_one({group, number, {}}, entries));
  EBB_TRY(load_all(task, entries));
  for (const auto number : task.first_operators())
    for (auto group = own.from.key_group; group < own.to.key_group; ++group)
      EBB_TRY(load_between(task,
                           {{group, state_number(number, 0), {}},
                            {group, state_number(static_cast<std::uint16_t>(number + 1), 0), {}}},
                           state));
  return {};
}

/// What is left is read by jobs of `io`.
result<std::unique_ptr<cold_ranges>> leave_cold(const owned_places& own, const stored_state& state,
                                                io_executor& io, subtask_setup& setup) {
  EBB_ASSIGN(setup.stored, state.reopen());
  setup.io = &io;
  setup.state_lane = io.open_lane();
  return std::make_unique<cold_ranges>(own.from, setup.stored->cuts(own.from, own.to), own.to);
}

} // namespace

result<void> restore_state(const stream_start& start, stored_state& state, std::uint64_t small,
                           io_executor& io, supervisor_setup& setup) {
  const owned_places without_key{{unkeyed_group, 0, {}}, {unkeyed_group, UINT16_MAX, {}}};
  const bool at_once = state.byte_size() <= small;
  for (auto& x : setup.subtasks) {
    if (!x.task)
      continue; // of another part
    auto& task = *x.task;
    const auto [first, last] = task.key_groups();
    const owned_places own{{first, 0, {}}, {last, 0, {}}};
    std::unique_ptr<cold_ranges> cold;
    if (task.has_state()) {
      EBB_TRY(load_between(task, without_key, state));
      EBB_TRY(at_once ? load_between(task, own, state) : load_first(task, own, state));
      if (!at_once && first < last && task.loads_late()) {
        EBB_ASSIGN(cold, leave_cold(own, state, io, x));
      }
    }
    task.resume(start.epoch, std::move(cold));
  }
  return {};
}

} // namespace ebb
