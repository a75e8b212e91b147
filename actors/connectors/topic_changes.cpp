#include "actors/connectors/topic_changes.hpp"

#include "actors/connectors/debezium_writer.hpp"
#include "actors/connectors/topic_partitions.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr auto no_row = row_change::no_row;

char op_of(const row_change& x) noexcept {
  return x.before == no_row ? 'c' : x.after == no_row ? 'd' : 'u';
}

/// Rows `picks` of the column, NULL where there is none.
column side_of(const column& from, std::vector<std::uint32_t> picks) {
  const auto count = static_cast<std::uint32_t>(picks.size());
  if (std::all_of(picks.begin(), picks.end(), [](auto x) { return x == no_row; }))
    return make_null_column(from.type, count);
  std::vector<std::uint32_t> missing;
  for (std::uint32_t i = 0; i < count; ++i)
    if (picks[i] == no_row) {
      missing.push_back(i);
      picks[i] = 0;
    }
  auto made = gather(from, picks.data(), count);
  for (const auto i : missing)
    set_null(made, i);
  return made;
}

column both_sides(const column& before, const column& after) {
  return concatenate(std::vector<const column*>{&before, &after});
}

class change_message_writer final : public record_writer {
public:
  change_message_writer(const schema& columns, const std::vector<std::string>& primary_key)
      : objects_(columns), width_(columns.size()), keys_(numbers_of(primary_key, columns)) {}

  result<void> write(const batch& messages, output_buffer& out) override {
    batch before;
    batch after;
    before.rows = after.rows = messages.rows;
    for (std::size_t k = 0; k < width_; ++k) {
      before.columns.push_back(messages.columns[1 + k]);
      after.columns.push_back(messages.columns[1 + width_ + k]);
    }
    for (std::uint32_t i = 0; i < messages.rows; ++i) {
      const auto has = sides_of(messages, i, width_, keys_);
      write_change(objects_, messages.columns[0].text_of(i), {&before, has.before ? i : no_row},
                   {&after, has.after ? i : no_row}, out);
    }
    count_rows(messages.rows);
    return {};
  }

protected:
  void write_row(const batch&, std::uint32_t, output_buffer&) override {}

private:
  json_objects objects_;
  std::size_t width_;
  std::vector<std::uint32_t> keys_;
};

} // namespace

batch_ptr messages_of(const batch& rows, const std::vector<row_change>& changes,
                      std::string_view ops) {
  const auto count = static_cast<std::uint32_t>(changes.size());
  EBB_ASSERT(ops.empty() || ops.size() == count);
  auto made = std::make_shared<batch>();
  made->rows = count;
  text_builder words(sql_type{type_kind::text}, count);
  std::vector<std::uint32_t> before(count);
  std::vector<std::uint32_t> after(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const char op = ops.empty() ? op_of(changes[i]) : ops[i];
    words.append({&op, 1});
    before[i] = changes[i].before;
    after[i] = changes[i].after;
  }
  made->columns.reserve(1 + 2 * rows.columns.size());
  made->columns.push_back(words.take());
  for (const auto* picks : {&before, &after})
    for (const auto& x : rows.columns)
      made->columns.push_back(side_of(x, *picks));
  return made;
}

message_sides sides_of(const batch& messages, std::uint32_t i, std::size_t width,
                       const std::vector<std::uint32_t>& keys) {
  EBB_ASSERT(messages.columns.size() == 1 + 2 * width);
  const auto op = messages.columns[0].text_of(i);
  if (op == "d")
    return {true, false};
  if (op != "u")
    return {false, true};
  return {keys.empty() || !messages.columns[1 + keys.front()].is_null(i), true};
}

batch rows_of_messages(const batch& messages, std::size_t width,
                       const std::vector<std::uint32_t>& keys,
                       const std::vector<std::uint32_t>& columns) {
  std::vector<std::uint32_t> picks; // rows before, then rows after
  std::vector<std::uint32_t> distances;
  bool goes = false;
  for (std::uint32_t i = 0; i < messages.rows; ++i) {
    const auto has = sides_of(messages, i, width, keys);
    goes = goes || has.before;
    if (has.before)
      picks.push_back(i);
    if (has.after)
      picks.push_back(messages.rows + i);
    distances.resize(picks.size(), i);
  }
  batch made;
  made.rows = static_cast<std::uint32_t>(picks.size());
  for (const auto k : columns) {
    const auto& after = messages.columns[1 + width + k];
    if (!goes) {
      made.columns.push_back(after);
      continue;
    }
    const auto both = both_sides(messages.columns[1 + k], after);
    made.columns.push_back(gather(both, picks.data(), made.rows));
  }
  if (!goes)
    return made;
  made.weights = buffer_ptr::of<std::int32_t>(made.rows);
  auto* const weights = made.weights.as<std::int32_t>();
  for (std::uint32_t i = 0; i < made.rows; ++i)
    weights[i] = picks[i] < messages.rows ? -1 : 1;
  made.origin.rows = buffer_ptr::of<std::uint32_t>(made.rows);
  std::copy(distances.begin(), distances.end(), made.origin.rows.as<std::uint32_t>());
  return made;
}

column newest_values(const batch& messages, std::size_t width, std::uint32_t number) {
  EBB_ASSERT(messages.columns.size() == 1 + 2 * width);
  std::vector<std::uint32_t> picks(messages.rows);
  for (std::uint32_t i = 0; i < messages.rows; ++i)
    picks[i] = messages.columns[0].text_of(i) == "d" ? i : messages.rows + i;
  const auto both = both_sides(messages.columns[1 + number], messages.columns[1 + width + number]);
  return gather(both, picks.data(), messages.rows);
}

std::vector<std::uint32_t> numbers_of(const std::vector<std::string>& names,
                                      const schema& columns) {
  std::vector<std::uint32_t> made;
  for (const auto& name : names) {
    const auto number = column_named(columns, name);
    EBB_ASSERT(number >= 0);
    made.push_back(static_cast<std::uint32_t>(number));
  }
  return made;
}

std::unique_ptr<record_writer>
make_change_message_writer(const schema& columns, const std::vector<std::string>& primary_key) {
  return std::make_unique<change_message_writer>(columns, primary_key);
}

} // namespace ebb
