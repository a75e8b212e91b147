#include "tests/dataflow/checkpoint_cases.hpp"

#include "actors/dataflow/operators/saved_sequences.hpp"

#include <algorithm>

namespace ebb::test {

const std::vector<sql_type> event_types{time_type, bigint_type, bigint_type, text_type};
const std::vector<sql_type> window_types{time_type, time_type, bigint_type, bigint_type};

std::vector<scripted_item> script_of(const std::vector<std::vector<sql_type>>& inputs,
                                     const make_row& row, std::mt19937_64& random,
                                     std::size_t items, std::size_t rows_max) {
  std::vector<scripted_item> script;
  std::vector<micros> watermarks(inputs.size(), min_time);
  micros now = 0;
  for (std::size_t i = 0; i < items; ++i) {
    const auto input = static_cast<std::uint32_t>(random() % inputs.size());
    now += static_cast<micros>(random() % 12);
    if (random() % 4 == 0) {
      auto& watermark = watermarks[input];
      watermark = std::max(watermark, now - static_cast<micros>(random() % 40));
      script.push_back({input, nullptr, watermark});
      continue;
    }
    std::vector<cells> rows;
    for (std::size_t k = random() % rows_max; k-- > 0;)
      rows.push_back(row(random, input, now - static_cast<micros>(random() % 45)));
    if (!rows.empty())
      script.push_back({input, batch_of(inputs[input], rows), 0});
  }
  for (std::uint32_t input = 0; input < inputs.size(); ++input)
    script.push_back({input, nullptr, max_time});
  return script;
}

cells event_row(std::mt19937_64& random, std::uint32_t, micros time) {
  const auto key = static_cast<std::int64_t>(random() % 20);
  return {cell(time), key == 0 ? cell() : cell(key),
          cell(static_cast<std::int64_t>(random() % 100)),
          cell(static_cast<std::int64_t>(random() % 7))};
}

cells window_row(std::mt19937_64& random, std::uint32_t, micros time) {
  const auto start = time - ((time % 50) + 50) % 50;
  const auto key = static_cast<std::int64_t>(random() % 12);
  return {cell(start), cell(start + 50), key == 0 ? cell() : cell(key),
          cell(static_cast<std::int64_t>(random() % 10))};
}

checkpoint_case case_of(const std::string& name, std::vector<std::vector<sql_type>> inputs,
                        std::vector<route> routes, std::vector<std::vector<std::uint32_t>> keys,
                        const operator_spec& spec, const make_row& row, std::mt19937_64& random) {
  checkpoint_case x;
  x.name = name;
  x.inputs = inputs;
  x.routes = std::move(routes);
  x.route_keys = std::move(keys);
  x.make = [spec](operator_context context) { return make_operator(spec, std::move(context)); };
  x.script = script_of(inputs, row, random);
  x.loads_late = std::holds_alternative<window_top_n_spec>(spec)
                 || std::holds_alternative<over_spec>(spec)
                 || std::holds_alternative<window_join_spec>(spec);
  x.by_group = std::holds_alternative<changelog_join_spec>(spec)
               || std::holds_alternative<stream_join_spec>(spec)
               || std::holds_alternative<changelog_top_n_spec>(spec)
               || std::holds_alternative<changelog_over_spec>(spec)
               || std::holds_alternative<group_aggregate_spec>(spec);
  if (x.by_group)
    x.optional_state = saved_sequences::state;
  return x;
}

window_spec window_of(window_kind kind, micros size, micros slide) {
  window_spec w;
  w.kind = kind;
  w.time_column = kind == window_kind::attached ? -1 : 0;
  w.size = size;
  w.slide = slide;
  return w;
}

} // namespace ebb::test
