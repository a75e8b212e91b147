#include "actors/service/topics/message_parsers.hpp"

#include "actors/connectors/topic_changes.hpp"
#include "actors/connectors/topic_partitions.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "schemas/assert.hpp"
#include "schemas/batch_codec.hpp"

#include <algorithm>
#include <cstring>

namespace ebb {

namespace {

// Most rows of a batch: a parser's columns have so much room, and are made anew for every batch.
constexpr std::array<std::uint32_t, 4> size_classes = {1, 16, 256, 4096};
constexpr std::size_t parsers_max = 8;                        // resting, of a size
constexpr std::size_t kept_body_max = std::size_t{256} << 10; // a parser keeps its last input

error body_problem(std::string message, std::string hint) {
  auto x = make_error(ec::invalid_argument, std::move(message), std::move(hint));
  x.place.field = "body";
  return x;
}

// The body as the only chunk of a text, with a line feed at its end.
byte_chunk chunk_of(std::string_view body) {
  byte_chunk x;
  x.memory = buffer_ptr::make(body.size() + 1 + chunk_padding);
  x.begin = x.memory.as<char>();
  std::memcpy(x.begin, body.data(), body.size());
  x.end = x.begin + body.size();
  if (body.empty() || body.back() != '\n')
    *x.end++ = '\n';
  std::memset(x.end, 0, chunk_padding);
  return x;
}

bool equal_values(const column& x, std::uint32_t a, std::uint32_t b) {
  std::string left;
  std::string right;
  encode_key_value(x, a, left);
  encode_key_value(x, b, right);
  return left == right;
}

std::string_view without_byte_order_mark(std::string_view body) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (body.starts_with(mark))
    body.remove_prefix(mark.size());
  return body;
}

} // namespace

message_parsers::message_parsers(std::string topic, schema columns)
    : topic_(std::move(topic)), columns_(std::move(columns)) {}

message_parsers::message_parsers(const topic_settings& topic)
    : topic_(topic.name), columns_(topic.columns), changes_(topic.changes),
      primary_key_(topic.primary_key),
      key_(topic.changes && topic.partitions > 1 ? column_named(topic.columns, topic.key) : -1) {}

message_parsers::used_parser message_parsers::take(std::size_t size_class) {
  {
    std::lock_guard guard(mutex_);
    auto& resting = resting_[size_class];
    if (!resting.empty()) {
      auto x = std::move(resting.back());
      resting.pop_back();
      return x;
    }
  }
  parse_options options;
  options.source = topic_;
  options.columns = columns_;
  options.batch_rows = size_classes[size_class];
  options.changes = changes_;
  options.key = primary_key_;
  used_parser made{std::make_unique<json_reader>(std::move(options)), 0};
  // As if it had begun before: a text of less than three bytes would wait for the rest of what may
  // be a byte order mark, and be taken for the beginning of the next request.
  const auto begun = made.reader->resume({}, {}, {});
  EBB_ASSERT(begun);
  return made;
}

void message_parsers::give_back(std::size_t size_class, used_parser x) {
  std::lock_guard guard(mutex_);
  auto& resting = resting_[size_class];
  if (resting.size() < parsers_max)
    resting.push_back(std::move(x));
}

result<std::vector<topic_part>> message_parsers::parse(message_form form, std::string_view body) {
  if (form == message_form::batch)
    return parse_batch(body);
  return parse_json(without_byte_order_mark(body), form == message_form::lines);
}

result<std::vector<topic_part>> message_parsers::parse_json(std::string_view body, bool lines) {
  auto chunk = chunk_of(body);
  if (!lines)
    // Any white space may stand between an object's tokens. Within a string a carriage return is
    // as wrong as a line feed.
    std::replace(chunk.begin, chunk.end - 1, '\n', '\r');
  const auto count = lines ? static_cast<std::size_t>(std::count(chunk.begin, chunk.end, '\n')) : 1;
  std::size_t size_class = 0;
  while (size_class + 1 < size_classes.size() && size_classes[size_class] < count)
    ++size_class;
  auto parser = take(size_class);
  const bool keep = chunk.size() <= kept_body_max;
  parser.reader->feed(chunk);
  std::vector<topic_part> parts;
  for (;;) {
    batch_ptr rows;
    auto state = parser.reader->next(size_classes[size_class], rows);
    if (!state) {
      auto problem = std::move(state).error();
      problem.place.file.clear();
      problem.place.line =
          lines ? static_cast<std::uint32_t>(problem.place.line - parser.lines) : 0;
      problem.hint = lines ? "correct the line and send all of them again: none was kept"
                           : "the body is one object by the topic's schema";
      return problem;
    }
    if (*state != record_parser::state::batch)
      break;
    if (changes_) {
      auto changes = changes_of(*rows, parser.reader->take_ops(), parser.lines);
      if (!changes) {
        auto problem = std::move(changes).error();
        problem.place.line = lines ? problem.place.line : 0;
        return problem;
      }
      rows = *std::move(changes);
    }
    parts.push_back({std::move(rows), {}});
  }
  parser.lines += count;
  if (keep)
    give_back(size_class, std::move(parser));
  if (parts.empty())
    return body_problem("the body holds no message",
                        lines ? "send one JSON object a line" : "send a JSON object");
  return parts;
}

result<batch_ptr> message_parsers::changes_of(const batch& rows, std::string_view ops,
                                              std::uint64_t lines_before) const {
  std::vector<row_change> changes;
  std::string changed;
  const auto* weights = rows.weights.as<const std::int32_t>();
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    auto& x = changes.emplace_back();
    changed += ops[i];
    if (!rows.weights || weights[i] > 0) {
      x.after = i;
      continue;
    }
    x.before = i;
    if (ops[i] != 'u')
      continue;
    x.after = ++i;
    if (key_ < 0 || equal_values(rows.columns[static_cast<std::size_t>(key_)], x.before, x.after))
      continue;
    const auto& name = columns_[static_cast<std::size_t>(key_)].name;
    auto problem = make_error(ec::bad_record,
                              "the update changes " + name
                                  + ", which chooses the partition of a row's changes",
                              "send a deletion (d) of the old row and a creation (c) of the new "
                              "one; none was kept");
    const auto distance = rows.origin.rows ? rows.origin.rows.as<const std::uint32_t>()[i] : i;
    problem.place.line = static_cast<std::uint32_t>(rows.origin.first + distance - lines_before);
    problem.place.field = name;
    return problem;
  }
  return messages_of(rows, changes, changed);
}

result<std::vector<topic_part>> message_parsers::parse_batch(std::string_view body) const {
  if (changes_)
    return body_problem("topic " + topic_ + " takes changes, and a batch holds rows",
                        "send Debezium records as JSON: application/x-ndjson");
  auto memory = buffer_ptr::make(body.size());
  std::memcpy(memory.as<char>(), body.data(), body.size());
  auto viewed = view_batch(memory, body.size());
  if (!viewed)
    return body_problem("the body is no batch: " + viewed.error().message,
                        "send a message of schemas/batch.capnp, or JSON");
  EBB_TRY(check_rows(*viewed, columns_));
  if (viewed->rows == 0)
    return body_problem("the body holds no message", "send a batch with rows");
  viewed->watermarks = {};
  viewed->hashes = {};
  viewed->weights = {};
  std::vector<topic_part> parts;
  parts.push_back({std::make_shared<const batch>(*std::move(viewed)), {}});
  return parts;
}

} // namespace ebb
