#include "actors/runtime/state_rows.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/block_writer.hpp"
#include "actors/dataflow/operators/state_keys.hpp"
#include "actors/dataflow/snapshot.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "actors/plan/pinned_plan.hpp"
#include "actors/plan/state_layout.hpp"
#include "storage/merged_state.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
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
  for (const auto& x : stream.operators) {
    if (is_dropped(x) && operator_name(x) == target)
      return make_error(ec::not_found, "the state of operator " + target + " was dropped",
                        "the manifest has changed since; ebb checkpoints lists savepoints that "
                        "may have it");
    if (!is_dropped(x))
      names += (names.empty() ? "" : ", ") + operator_name(x);
  }
  return make_error(ec::not_found, "operator " + target + " keeps no state",
                    names.empty() ? "no operator of this stream does"
                                  : "state is kept by " + names);
}

/// One entry as it is shown.
struct shown_entry {
  std::string key;
  std::string value;
};

/// Rows that are kept many to an entry, each as if it were one.
class row_entries {
public:
  /// Takes an entry that says which rows of a block are gone; it comes before the block's.
  void take_gone(std::uint16_t state, std::string_view value) {
    auto& gone = gone_[static_cast<std::uint16_t>(state + row_states - gone_states)];
    value.remove_prefix(std::min<std::size_t>(1, value.size()));
    while (auto sequence = take_sequence(value))
      gone.insert(*sequence);
  }

  /// The rows of a block, by the layout of one row. What cannot be read is left out.
  [[nodiscard]] std::vector<shown_entry> read(const state_layout& layout, std::uint16_t state,
                                              std::string_view value) {
    const auto& gone = gone_[state];
    std::vector<shown_entry> rows;
    static_cast<void>(read_block(value, [&](const row_pack& pack) -> result<void> {
      const auto& columns = pack.rows.columns;
      for (std::uint32_t i = 0; i < pack.rows.rows && columns.size() == layout.value.size(); ++i)
        if (!gone.contains(pack.sequences[i]))
          rows.push_back({show_parts(layout.key, key_of(layout, pack, i), false),
                          show_parts(layout.value, value_of(layout, pack, i), true)});
      return {};
    }));
    return rows;
  }

  void begin_group() {
    gone_.clear();
  }

private:
  static std::string key_of(const state_layout& layout, const row_pack& pack, std::uint32_t i) {
    std::string key;
    for (const auto& part : layout.key) {
      const auto column = std::find_if(layout.value.begin(), layout.value.end(),
                                       [&](const state_part& x) { return x.name == part.name; });
      if (part.as == state_part::form::key && column != layout.value.end())
        encode_key_value(pack.rows.columns[static_cast<std::size_t>(column - layout.value.begin())],
                         i, key);
      else
        put_sequence(pack.sequences[i], key);
    }
    return key;
  }

  static std::string value_of(const state_layout& layout, const row_pack& pack, std::uint32_t i) {
    std::string value;
    for (std::size_t k = 0; k < layout.value.size(); ++k) {
      const auto& x = pack.rows.columns[k];
      if (layout.value[k].type.kind == type_kind::array && !x.is_null(i))
        value += x.text_of(i); // kept as the bytes of the value
      else
        append_value(x, i, value);
    }
    return value;
  }

  std::map<std::uint16_t, std::set<std::uint64_t>> gone_; ///< of the key group, by the rows' state
};

} // namespace

result<state_rows> read_state_rows(const state_question& what, const stream_entry& stream,
                                   const checkpoint_record& record) {
  const auto is_of = [&](const std::string& identity) {
    return !is_dropped(identity) && operator_name(identity) == what.target;
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
  row_entries packed;
  std::uint16_t group = 0;
  for (;;) {
    EBB_ASSIGN(const bool more, cursor.next());
    if (!more)
      break;
    const auto& x = cursor.entry();
    const auto number = std::size_t{operator_of(x.state)};
    if (number >= stream.operators.size() || !is_of(stream.operators[number]))
      continue;
    const auto state_number = state_of(x.state);
    const bool holds_rows = holds_packs(state_number);
    if (std::exchange(group, x.key_group) != x.key_group)
      packed.begin_group();
    if (says_what_is_gone(state_number)) {
      packed.take_gone(x.state, x.value);
      continue;
    }
    const auto kind_of_state =
        holds_rows ? static_cast<std::uint16_t>(state_number - row_states) : state_number;
    const auto layout = std::find_if(layouts.begin(), layouts.end(), [&](const auto& y) {
      return y.identity == stream.operators[number] && y.state == kind_of_state;
    });
    const bool known = layout != layouts.end();
    const auto kind = stream.operators[number] + ": "
                      + (known ? layout->name : "state " + std::to_string(kind_of_state));
    if (holds_rows && known) {
      for (auto& row : packed.read(*layout, x.state, x.value)) {
        if (!what.key.empty() && row.key.find(what.key) == std::string::npos)
          continue;
        if (all.rows.size() == what.limit) {
          all.more = true;
          break;
        }
        all.rows.push_back(
            {kind, std::to_string(x.key_group), std::move(row.key), std::move(row.value)});
      }
      if (all.more)
        break;
      continue;
    }
    const auto key = show_parts(known ? layout->key : std::vector<state_part>{}, x.key, false);
    if (!what.key.empty() && key.find(what.key) == std::string::npos)
      continue;
    const auto value = show_parts(known ? layout->value : std::vector<state_part>{}, x.value, true);
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
