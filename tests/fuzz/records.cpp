#include "tests/fuzz/records.hpp"

#include "actors/connectors/file_chunk.hpp"

#include <algorithm>
#include <cstring>

namespace ebb::fuzz {

namespace {

constexpr std::size_t text_max = std::size_t{1} << 16;
constexpr std::uint32_t batch_rows = 64;

field column_of(std::string name, sql_type type, bool not_null = false) {
  return {std::move(name), type, not_null};
}

std::string repeated(std::string_view raw) {
  constexpr std::size_t step = 100;
  std::string out;
  for (std::size_t i = 0; i < raw.size() && out.size() < text_max; ++i) {
    if (raw[i] != '\x1b' || out.empty() || i + 1 == raw.size()) {
      out += raw[i];
      continue;
    }
    const auto count = static_cast<unsigned char>(raw[++i]) * step;
    out.append(count, out.back());
  }
  return out;
}

byte_chunk chunk_of(std::string_view text) {
  auto chunk = make_chunk(text.size());
  std::memcpy(chunk.begin, text.data(), text.size());
  chunk.end += text.size();
  // What lies behind the text must not matter.
  std::memset(chunk.end, '"', static_cast<std::size_t>(chunk_padding));
  return chunk;
}

void check_batch(const batch& x, const schema& columns) {
  EBB_FUZZ_CHECK(x.rows > 0 && x.columns.size() == columns.size(), "");
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const auto& c = x.columns[k];
    EBB_FUZZ_CHECK(c.rows == x.rows && c.type == columns[k].type, columns[k].name);
    for (std::uint32_t i = 0; i < c.rows; ++i) {
      EBB_FUZZ_CHECK(!columns[k].not_null || !c.is_null(i), columns[k].name);
      if (c.type.kind == type_kind::text)
        EBB_FUZZ_CHECK(is_utf8(c.text_of(i)), c.text_of(i));
    }
  }
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines)
    out += line + '\n';
  return out;
}

std::string all_of(output_buffer& out) {
  std::string text;
  for (auto block = out.pop(true); block.size != 0; block = out.pop(true))
    text.append(block.memory.as<char>(), block.size);
  return text;
}

} // namespace

schema record_columns(std::uint32_t which) {
  const sql_type text{type_kind::text};
  switch (which) {
  case 1:
    return {column_of("a", {type_kind::boolean}),
            column_of("b", {type_kind::smallint}),
            column_of("c", {type_kind::integer}),
            column_of("d", {type_kind::bigint}),
            column_of("e", {type_kind::real}),
            column_of("f", {type_kind::double_precision}),
            column_of("g", {type_kind::numeric}),
            column_of("h", {type_kind::numeric, type_kind::unknown, 10, 2})};
  case 2:
    return {column_of("a", text),
            column_of("b", {type_kind::text, type_kind::unknown, 0, 0, 3}),
            column_of("c", {type_kind::bytea}),
            column_of("d", {type_kind::date}),
            column_of("e", {type_kind::timestamp}),
            column_of("f", {type_kind::timestamptz}),
            column_of("g", {type_kind::interval})};
  case 3:
    return {column_of("a", text, true)};
  case 4:
    return {column_of("a", sql_type{type_kind::integer}.array_of()),
            column_of("b", sql_type{type_kind::text}.array_of()),
            column_of("c", {type_kind::timestamp}, true)};
  default:
    return {column_of("a", {type_kind::bigint}), column_of("b", text),
            column_of("c", {type_kind::double_precision})};
  }
}

std::string written(record_writer& writer, const std::vector<batch_ptr>& batches) {
  output_buffer bytes;
  writer.begin(bytes);
  for (const auto& x : batches)
    EBB_FUZZ_CHECK(static_cast<bool>(writer.write(*x, bytes)), "");
  writer.end(bytes);
  return all_of(bytes);
}

record_input read_record_input(input in) {
  record_input out;
  auto& x = out.options;
  x.source = "s";
  x.file = "f.txt";
  x.batch_rows = batch_rows;
  constexpr bad_record_policy policies[] = {bad_record_policy::quarantine, bad_record_policy::fail,
                                            bad_record_policy::skip};
  constexpr std::uint64_t sizes[] = {std::uint64_t{16} << 20, 8, 300, 20'000};
  constexpr char delimiters[] = {',', ';', '\t', '1'};
  constexpr timestamp_unit units[] = {timestamp_unit::ms, timestamp_unit::s, timestamp_unit::us,
                                      timestamp_unit::ns};
  const auto digit = [&](std::uint32_t bound) { return (in.byte() - '0') % bound; };
  x.on_bad_record = policies[digit(3)];
  x.columns = record_columns(digit(record_columns_count));
  x.max_record = sizes[digit(4)];
  const auto manner = digit(16);
  x.delimiter = delimiters[manner % 4];
  x.unit = units[manner / 4];
  out.seed = in.byte() + std::uint64_t{1};
  if (manner % 4 == 1)
    x.null = {"NA", "\\N"};
  out.text = repeated(in.rest());
  return out;
}

reading read_records(record_parser& parser, std::string_view text, std::uint64_t seed) {
  reading out;
  random_numbers random(seed);
  // Some runs cut everywhere, others now and then; long texts are not cut into very many pieces.
  constexpr std::uint32_t most[] = {3, 40, 3000, 70'000};
  const auto largest =
      std::max(most[random.below(4)], static_cast<std::uint32_t>(text.size() / 100));
  bool ended = false;
  for (;;) {
    batch_ptr made;
    auto state = parser.next(seed == 0 ? batch_rows : 1 + random.below(batch_rows), made);
    for (const auto& x : parser.take_bad()) {
      EBB_FUZZ_CHECK(x.raw.size() <= raw_bytes_max && is_utf8(x.error), x.error);
      out.quarantined.push_back(std::to_string(x.number) + ": " + x.error + " [" + x.raw + "]");
    }
    if (!state) {
      const auto& problem = state.error();
      check_error(problem);
      out.error = to_string(problem);
      EBB_FUZZ_CHECK(problem.code == ec::bad_record && problem.place.file == "f.txt"
                         && problem.place.line > 0 && !problem.hint.empty(),
                     out.error);
      break;
    }
    if (*state == record_parser::state::batch) {
      out.batches.push_back(made);
      const auto* weights = made->weights ? made->weights.as<const std::int32_t>() : nullptr;
      for (auto& row : rows_of(*made)) {
        if (weights != nullptr && *weights++ < 0)
          row.insert(0, 1, '-');
        out.rows.push_back(std::move(row));
      }
      for (std::uint32_t i = 0; i < made->rows; ++i)
        out.origins.push_back(origin_text(*made, i));
    } else if (*state == record_parser::state::end) {
      break;
    } else if (text.empty()) {
      EBB_FUZZ_CHECK(!ended, "starving after the end of input");
      parser.end_input();
      ended = true;
    } else {
      const auto size =
          seed == 0 ? text.size() : std::min<std::size_t>(text.size(), 1 + random.below(largest));
      parser.feed(chunk_of(text.substr(0, size)));
      text.remove_prefix(size);
    }
  }
  out.good = parser.good_records();
  out.bad = parser.bad_records();
  EBB_FUZZ_CHECK(out.good == out.rows.size(), "");
  return out;
}

reading check_cuts(const record_input& x, const parser_maker& make) {
  auto whole = read_records(*make(x.options), x.text, 0);
  const auto pieces = read_records(*make(x.options), x.text, x.seed);
  EBB_FUZZ_CHECK(whole.rows == pieces.rows, joined(whole.rows) + "--\n" + joined(pieces.rows));
  EBB_FUZZ_CHECK(whole.origins == pieces.origins, joined(pieces.origins));
  EBB_FUZZ_CHECK(whole.quarantined == pieces.quarantined,
                 joined(whole.quarantined) + "--\n" + joined(pieces.quarantined));
  EBB_FUZZ_CHECK(whole.error == pieces.error, whole.error + "\n--\n" + pieces.error);
  EBB_FUZZ_CHECK(whole.good == pieces.good && whole.bad == pieces.bad, "");
  switch (x.options.on_bad_record) {
  case bad_record_policy::fail:
    EBB_FUZZ_CHECK(whole.quarantined.empty() && (whole.bad == 0 || !whole.error.empty()), "");
    break;
  case bad_record_policy::skip:
    EBB_FUZZ_CHECK(whole.quarantined.empty(), "");
    break;
  case bad_record_policy::quarantine:
    EBB_FUZZ_CHECK(whole.quarantined.size() == whole.bad, "");
    break;
  }
  return whole;
}

reading check_reader(const record_input& x, const parser_maker& make,
                     const std::function<std::unique_ptr<record_writer>()>& writer) {
  auto whole = check_cuts(x, make);
  if (whole.rows.empty())
    return whole;
  for (const auto& made : whole.batches)
    check_batch(*made, x.options.columns);
  auto usual = x.options;
  usual.null = {""};
  usual.max_record = std::uint64_t{1} << 30;
  usual.on_bad_record = bad_record_policy::fail;
  const auto text = written(*writer(), whole.batches);
  const auto back = read_records(*make(usual), text, x.seed);
  EBB_FUZZ_CHECK(back.error.empty(), back.error + '\n' + text);
  EBB_FUZZ_CHECK(back.rows == whole.rows, joined(back.rows) + "--\n" + joined(whole.rows));
  return whole;
}

} // namespace ebb::fuzz
