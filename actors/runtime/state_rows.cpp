#include "actors/runtime/state_rows.hpp"

#include "actors/dataflow/snapshot.hpp"
#include "actors/plan/state_layout.hpp"
#include "storage/merged_state.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace ebb {

namespace {

/// A record's segments, trailer and tree verified.
result<merged_state> open_state(const std::string& folder, const stream_entry& stream,
                                const checkpoint_record& record) {
  std::vector<std::shared_ptr<segment_reader>> readers;
  for (const auto& x : record.segments) {
    EBB_ASSIGN(auto reader,
               segment_reader::open(folder + '/' + x.id, {x, stream.uid, stream.key_groups}));
    readers.push_back(std::move(reader));
  }
  return merged_state(std::move(readers));
}

std::string operator_name(const std::string& identity) {
  return identity.substr(0, identity.find('/'));
}

error keeps_none(const stream_entry& stream, const std::string& target) {
  std::string names;
  for (const auto& x : stream.operators)
    names += (names.empty() ? "" : ", ") + operator_name(x);
  return make_error(ec::not_found, "operator " + target + " keeps no state",
                    names.empty() ? "no operator of this stream does"
                                  : "state is kept by " + names);
}

} // namespace

result<state_rows> read_state_rows(const state_question& what, const stream_entry& stream,
                                   const checkpoint_record& record) {
  const auto is_of = [&](const std::string& identity) {
    return operator_name(identity) == what.target;
  };
  if (std::none_of(stream.operators.begin(), stream.operators.end(), is_of))
    return keeps_none(stream, what.target);
  const auto layouts = state_layouts_from(stream.plan);
  EBB_ASSIGN(const auto state, open_state(what.folder, stream, record));
  EBB_ASSIGN(auto cursor, state.scan(0, unkeyed_group));
  state_rows all;
  all.epoch = record.epoch;
  all.when = record.when;
  // Entries without a key, by kind and value: the first key group, and how many there are.
  std::map<std::pair<std::string, std::string>, std::pair<std::uint16_t, std::uint32_t>> notes;
  for (;;) {
    EBB_ASSIGN(const bool more, cursor.next());
    if (!more)
      break;
    const auto& x = cursor.entry();
    const auto number = std::size_t{operator_of(x.state)};
    if (number >= stream.operators.size() || !is_of(stream.operators[number]))
      continue;
    const auto kind_of_state = state_of(x.state);
    const auto layout = std::find_if(layouts.begin(), layouts.end(), [&](const auto& y) {
      return y.identity == stream.operators[number] && y.state == kind_of_state;
    });
    const bool known = layout != layouts.end();
    const auto key = show_parts(known ? layout->key : std::vector<state_part>{}, x.key, false);
    if (!what.key.empty() && key.find(what.key) == std::string::npos)
      continue;
    const auto value = show_parts(known ? layout->value : std::vector<state_part>{}, x.value, true);
    const auto kind = stream.operators[number] + ": "
                      + (known ? layout->name : "state " + std::to_string(kind_of_state));
    if (key.empty()) {
      // What an operator notes for each key group is mostly the same.
      auto& seen = notes[{kind, value}];
      seen.first = seen.second == 0 ? x.key_group : seen.first;
      ++seen.second;
      continue;
    }
    if (all.rows.size() == what.limit) {
      all.more = true;
      break;
    }
    all.rows.push_back(
        {kind, x.key_group == unkeyed_group ? "-" : std::to_string(x.key_group), key, value});
  }
  if (what.key.empty())
    for (const auto& [note, where] : notes)
      all.rows.push_back({note.first,
                          where.second == 1 ? std::to_string(where.first)
                                            : std::to_string(where.second) + " groups",
                          "", note.second});
  return all;
}

} // namespace ebb
