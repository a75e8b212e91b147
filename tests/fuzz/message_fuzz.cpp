// The body of a request that sends messages: two characters say its form and the topic's columns,
// then the body. Of the form `3` the body is JSON lines whose batch is sent, with some bytes of it
// changed, since random changes of a whole batch seldom come past the first checks.
//
// However it comes, a body is taken whole or not at all; what is taken keeps what the topic's
// columns promise; as JSON and as a batch it is the same.

#include "actors/connectors/file_format.hpp"
#include "actors/service/topics/message_parsers.hpp"
#include "schemas/batch_codec.hpp"
#include "tests/fuzz/records.hpp"

#include <algorithm>

namespace {

using namespace ebb; // NOLINT

std::string bytes_of(const batch& x) {
  const auto message = encode_batch(x);
  return {message.as<char>(), message.size()};
}

std::vector<std::string> rows_of(const std::vector<topic_part>& parts) {
  std::vector<std::string> rows;
  for (const auto& part : parts)
    for (auto& row : fuzz::rows_of(*part.rows))
      rows.push_back(std::move(row));
  return rows;
}

// What the parser says, as text.
std::string answer_of(const result<std::vector<topic_part>>& got) {
  std::string out;
  if (!got)
    return to_string(got.error()) + " field " + got.error().place.field;
  for (const auto& row : rows_of(*got))
    out += row + '\n';
  return out;
}

void check_problem(const error& x, message_form form, std::string_view body) {
  fuzz::check_error(x);
  const auto seen = to_string(x);
  EBB_FUZZ_CHECK(x.code == ec::bad_record || x.code == ec::invalid_argument, seen);
  EBB_FUZZ_CHECK(!x.hint.empty() && x.place.file.empty(), seen);
  const auto lines = static_cast<std::size_t>(std::count(body.begin(), body.end(), '\n')) + 1;
  switch (form) {
  case message_form::object:
    EBB_FUZZ_CHECK(x.place.line == 0, seen);
    break;
  case message_form::lines:
    EBB_FUZZ_CHECK(x.place.line <= lines && (x.place.line > 0 || x.place.field == "body"), seen);
    break;
  case message_form::batch: {
    auto memory = buffer_ptr::make(std::max<std::size_t>(1, body.size()));
    std::copy(body.begin(), body.end(), memory.as<char>());
    const auto viewed = view_batch(memory, body.size());
    EBB_FUZZ_CHECK(x.place.line <= (viewed ? viewed->rows : 0), seen);
  }
  }
}

// A second way for what was taken: the batch of JSON, the JSON of a batch.
void check_taken(const std::vector<topic_part>& parts, const schema& columns) {
  message_parsers parsers("t", columns);
  const auto rows = rows_of(parts);
  EBB_FUZZ_CHECK(!rows.empty(), "no rows");
  std::vector<batch_ptr> batches;
  std::vector<std::string> by_batch;
  for (const auto& part : parts) {
    const auto& x = *part.rows;
    EBB_FUZZ_CHECK(x.rows > 0 && part.partitions.empty(), "");
    EBB_FUZZ_CHECK(!x.weights && !x.watermarks && !x.hashes, "");
    const auto checked = check_rows(x, columns);
    EBB_FUZZ_CHECK(static_cast<bool>(checked), to_string(checked.error()));
    for (std::size_t k = 0; k < columns.size(); ++k)
      for (std::uint32_t i = 0; i < x.rows; ++i)
        EBB_FUZZ_CHECK(!columns[k].not_null || !x.columns[k].is_null(i), columns[k].name);
    batches.push_back(part.rows);
    const auto again = parsers.parse(message_form::batch, bytes_of(x));
    EBB_FUZZ_CHECK(static_cast<bool>(again), to_string(again.error()));
    for (auto& row : rows_of(*again))
      by_batch.push_back(std::move(row));
  }
  EBB_FUZZ_CHECK(by_batch == rows, by_batch.front());
  const auto text = fuzz::written(*make_json_writer(columns), batches);
  const auto back = parsers.parse(message_form::lines, text);
  EBB_FUZZ_CHECK(static_cast<bool>(back), to_string(back.error()) + '\n' + text);
  EBB_FUZZ_CHECK(rows_of(*back) == rows, text);
}

result<std::vector<topic_part>> check_body(message_form form, std::string_view body,
                                           const schema& columns) {
  message_parsers parsers("t", columns);
  auto got = parsers.parse(form, body);
  const auto said = answer_of(got);
  // The parser that has read before says the same, in any state.
  EBB_FUZZ_CHECK(answer_of(parsers.parse(form, body)) == said, said);
  static_cast<void>(parsers.parse(message_form::lines, "{\n{}\n"));
  EBB_FUZZ_CHECK(answer_of(parsers.parse(form, body)) == said, said);
  if (got)
    check_taken(*got, columns);
  else
    check_problem(got.error(), form, body);
  return got;
}

// White space between tokens becomes one space, so that the object is on one line.
std::string on_one_line(std::string_view body) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (in_string || !space)
      out += c;
    else if (out.empty() || out.back() != ' ')
      out += ' ';
    if (in_string && c == '\\' && i + 1 < body.size())
      out += body[++i];
    else if (c == '"')
      in_string = !in_string;
  }
  return out;
}

void check_object(std::string_view body, const schema& columns) {
  const auto got = check_body(message_form::object, body, columns);
  message_parsers parsers("t", columns);
  const auto line = parsers.parse(message_form::lines, on_one_line(body));
  EBB_FUZZ_CHECK(static_cast<bool>(got) == static_cast<bool>(line), answer_of(line));
  if (!got)
    return;
  EBB_FUZZ_CHECK(rows_of(*got) == rows_of(*line), answer_of(line));
  EBB_FUZZ_CHECK(rows_of(*got).size() == 1, answer_of(got));
}

void check_changed(fuzz::input& in, const schema& columns) {
  const auto changes = in.take(3 * std::size_t{(in.byte() - '0') % 8U});
  message_parsers parsers("t", columns);
  const auto made = parsers.parse(message_form::lines, in.rest());
  if (!made)
    return;
  for (const auto& part : *made) {
    auto bytes = bytes_of(*part.rows);
    for (std::size_t i = 0; i + 2 < changes.size(); i += 3) {
      const auto at = static_cast<unsigned char>(changes[i])
                      + 256U * static_cast<unsigned char>(changes[i + 1]);
      bytes[at % bytes.size()] = changes[i + 2];
    }
    static_cast<void>(check_body(message_form::batch, bytes, columns));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const auto form = (in.byte() - '0') % 4U;
  const auto columns = fuzz::record_columns((in.byte() - '0') % fuzz::record_columns_count);
  switch (form) {
  case 0:
    check_object(in.rest(), columns);
    break;
  case 1:
    static_cast<void>(check_body(message_form::lines, in.rest(), columns));
    break;
  case 2:
    static_cast<void>(check_body(message_form::batch, in.rest(), columns));
    break;
  default:
    check_changed(in, columns);
  }
  return 0;
}
