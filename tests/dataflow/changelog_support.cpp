#include "tests/dataflow/changelog_support.hpp"

#include "actors/dataflow/value_text.hpp"
#include "tests/support/row_text.hpp"

#include <algorithm>

namespace ebb::test {

batch_ptr changes_of(const std::vector<sql_type>& types, const changed_rows& x) {
  auto rows = std::make_shared<batch>(*batch_of(types, x.rows));
  if (std::any_of(x.weights.begin(), x.weights.end(), [](auto w) { return w != 1; })) {
    rows->weights = buffer_ptr::of<std::int32_t>(x.weights.size());
    std::copy(x.weights.begin(), x.weights.end(), rows->weights.as<std::int32_t>());
  }
  return rows;
}

changed_rows changing_input::next(std::mt19937_64& random, std::size_t rows) {
  changed_rows made;
  while (made.rows.size() < rows) {
    const bool deletes = !rows_.empty() && random() % 100 < deletes_;
    if (deletes) {
      const auto at = random() % rows_.size();
      made.rows.push_back(rows_[at]);
      made.weights.push_back(-1);
      rows_[at] = rows_.back();
      rows_.pop_back();
      continue;
    }
    auto row = make_row_(random);
    const auto times = deletes_ != 0 && random() % 10 == 0 ? 2 : 1;
    made.weights.push_back(times);
    for (int t = 0; t < times; ++t)
      rows_.push_back(row);
    made.rows.push_back(std::move(row));
  }
  return made;
}

std::vector<std::string> lines(const row_counts& rows) {
  std::vector<std::string> all;
  for (const auto& [text, count] : rows)
    all.push_back(std::to_string(count) + " x " + text);
  return all;
}

std::string row_text(const batch& x, std::uint32_t i) {
  std::string text;
  for (const auto& c : x.columns) {
    text += text.empty() ? "" : " | ";
    test::append_cell(c, i, text);
  }
  return text;
}

void change_collector::emit(batch_ptr rows) {
  ++batches;
  largest_batch = std::max<std::size_t>(largest_batch, rows->rows);
  BOOST_REQUIRE(!rows->watermarks);
  const auto* weights = rows->weights ? rows->weights.as<const std::int32_t>() : nullptr;
  bool inserting = false;
  row_counts deleted;
  for (std::uint32_t i = 0; i < rows->rows; ++i) {
    const auto text = row_text(*rows, i);
    const auto weight = weights == nullptr ? 1 : weights[i];
    BOOST_REQUIRE_NE(weight, 0);
    BOOST_REQUIRE_MESSAGE(weight > 0 || !inserting, "a deletion behind an insertion: " + text);
    inserting = weight > 0;
    if (weight < 0)
      deleted[text] += 1;
    else
      BOOST_REQUIRE_MESSAGE(!deleted.contains(text), "deleted and inserted: " + text);
    auto& count = table[text];
    count += weight;
    BOOST_REQUIRE_MESSAGE(count >= 0, "deleted, but not there: " + text);
    if (count == 0)
      table.erase(text);
  }
}

void feed(stream_operator& op, stream_item item, output& out, std::uint32_t budget) {
  auto* next = &item;
  for (bool more = true; more; next = nullptr) {
    step_budget left{budget};
    auto stepped = op.step(next, left, out);
    BOOST_REQUIRE_MESSAGE(bool(stepped), (stepped ? std::string() : stepped.error().message));
    more = *stepped;
  }
}

change_mark save_away(stream_operator& op, change_mark since) {
  struct nowhere final : state_sink {
    void put(std::uint16_t, std::string_view, std::string_view) override {}

    void erase(std::uint16_t, std::string_view) override {}

    void erase_prefix(std::uint16_t, std::string_view) override {}
  } sink;

  const auto mark = op.mark();
  op.begin_save(since);
  while (op.save_slice(1000, sink))
    ;
  return mark;
}

std::vector<scripted_item> changing_script(const std::vector<std::vector<sql_type>>& types,
                                           std::vector<changing_input> inputs,
                                           std::mt19937_64& random, std::size_t items,
                                           std::size_t rows_max) {
  std::vector<scripted_item> script;
  for (std::size_t i = 0; i < items; ++i) {
    const auto input = static_cast<std::uint32_t>(random() % inputs.size());
    if (random() % 5 == 0)
      script.push_back({input, nullptr, static_cast<micros>(i)});
    else
      script.push_back(
          {input, changes_of(types[input], inputs[input].next(random, 1 + random() % rows_max)),
           0});
  }
  for (std::uint32_t input = 0; input < inputs.size(); ++input)
    script.push_back({input, nullptr, max_time});
  return script;
}

} // namespace ebb::test
