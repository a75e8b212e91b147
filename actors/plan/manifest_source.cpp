// Sources of a manifest: their schema, event time and connector.

#include "actors/plan/manifest_parts.hpp"
#include "actors/plan/plan_graph.hpp"

#include <algorithm>
#include <limits>

namespace ebb::manifest {

namespace {

constexpr auto any_number = std::numeric_limits<std::uint64_t>::max();

result<file_source> read_file(const reader& in, const located& at) {
  EBB_TRY(in.keys(at, {"path", "format", "delimiter", "null", "follow", "maxRecord"}));
  file_source out;
  EBB_ASSIGN(out.path, read_path(in, at, "path: flights.csv",
                                 "name a file, a folder or a pattern such as *.csv"));
  out.place = in.place(reader::field(at, "path"));
  EBB_ASSIGN(out.format, read_format(in, at, out.path));
  if (const auto x = reader::field(at, "follow")) {
    EBB_ASSIGN(out.follow, in.boolean(x));
  }
  if (const auto x = reader::field(at, "maxRecord")) {
    EBB_ASSIGN(out.max_record, in.size(x));
    constexpr auto most = std::uint64_t{1} << 30;
    if (out.max_record == 0 || out.max_record > most)
      return in.fail(x, "maxRecord must be from 1 byte to 1Gi");
  }
  for (const auto* key : {"delimiter", "null"}) {
    const auto x = reader::field(at, key);
    if (x && out.format != record_format::csv)
      return in.fail(x, std::string(key) + " is only for format csv", "leave it out");
  }
  if (const auto x = reader::field(at, "delimiter")) {
    EBB_ASSIGN(out.delimiter, read_delimiter(in, x));
  }
  if (const auto x = reader::field(at, "null")) {
    out.null.clear();
    EBB_ASSIGN(const auto items, in.items(x, "spellings", 64));
    for (const auto& item : items) {
      EBB_ASSIGN(auto spelling, in.text(item, "a spelling of NULL"));
      out.null.push_back(std::move(spelling));
    }
  }
  return out;
}

result<nexmark_source> read_nexmark(const reader& in, const located& at) {
  EBB_TRY(in.keys(at, {"table", "events", "eventsPerSecond", "rate", "seed"}));
  nexmark_source out;
  EBB_ASSIGN(const auto table, in.required(at, "table", "table: bid"));
  EBB_ASSIGN(const auto which, in.word(table, {"person", "auction", "bid"}));
  out.table = static_cast<nexmark_table>(which);
  if (const auto x = reader::field(at, "events")) {
    EBB_ASSIGN(out.events, in.integer(x, 1, INT64_MAX));
  }
  if (const auto x = reader::field(at, "eventsPerSecond")) {
    EBB_ASSIGN(out.events_per_second, in.integer(x, 1, 1'000'000'000));
  }
  if (const auto x = reader::field(at, "rate")) {
    EBB_ASSIGN(out.rate, in.integer(x, 1, 1'000'000'000));
  }
  if (const auto x = reader::field(at, "seed")) {
    EBB_ASSIGN(out.seed, in.integer(x, 0, any_number));
  }
  return out;
}

/// The expression of one generated column; checked here, where its place is known.
result<std::string> read_expression(const reader& in, const located& at,
                                    const ebb::field& column) {
  EBB_ASSIGN(auto sql, in.text(at, "a SQL expression over n"));
  const auto place = in.place_of_sql(at, sql);
  schema numbers;
  numbers.push_back({"n", sql_type{type_kind::bigint}, true});
  if (auto bound = bind_expression(sql, numbers); !bound) {
    auto problem = std::move(bound).error();
    if (problem.hint.empty())
      problem.hint = "write a SQL expression over n, the number of the row from 0: n % 10";
    return in.place_sql_error(std::move(problem), place);
  }
  auto type = column.type;
  type.length = 0; // what is too long is known of each value
  if (auto cast = bind_expression("CAST((" + sql + "\n) AS " + to_string(type) + ')', numbers); !cast)
    return in.fail(at, "column " + column.name + ": " + cast.error().message,
                   "write an expression that gives " + to_string(column.type)
                       + ", or change the column's type in the schema");
  return sql;
}

/// `columns` is an object of name → expression, a list of such objects, or a list of expressions in
/// the order of the schema.
result<std::vector<std::string>> read_columns(const reader& in, const located& at,
                                              const schema& columns) {
  std::vector<std::string> out(columns.size());
  std::vector<bool> given(columns.size());
  const auto set = [&](const yaml_node& key, const yaml_node& value,
                       const std::string& path) -> result<void> {
    const auto* found = find_column(columns, key.text);
    if (found == nullptr)
      return in.fail({&key, path}, "the schema has no column " + key.text,
                     nearest_column(columns, key.text));
    const auto i = static_cast<std::size_t>(found - columns.data());
    if (given[i])
      return in.fail({&key, path}, "column " + key.text + " is given twice", "keep one");
    given[i] = true;
    EBB_ASSIGN(out[i], read_expression(in, {&value, path}, columns[i]));
    return {};
  };
  if (at.node->kind == yaml_kind::map) {
    for (std::size_t i = 0; i < at.node->keys.size(); ++i)
      EBB_TRY(set(at.node->keys[i], at.node->values[i], at.path + '.' + at.node->keys[i].text));
  } else {
    EBB_ASSIGN(const auto items, in.items(at, "columns", 1'600));
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto& node = *items[i].node;
      if (node.kind == yaml_kind::map) {
        for (std::size_t k = 0; k < node.keys.size(); ++k)
          EBB_TRY(set(node.keys[k], node.values[k], items[i].path + '.' + node.keys[k].text));
      } else if (i >= columns.size()) {
        return in.fail(items[i], "the schema has no column for this expression");
      } else {
        given[i] = true;
        EBB_ASSIGN(out[i], read_expression(in, items[i], columns[i]));
      }
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!given[i])
      return in.fail(at, "column " + columns[i].name + " of the schema has no expression",
                     "add " + columns[i].name + ": \"n\"");
  return out;
}

result<generator_source> read_generator(const reader& in, const located& at,
                                        const schema& columns) {
  EBB_TRY(in.keys(at, {"rows", "rate", "columns"}));
  generator_source out;
  if (const auto x = reader::field(at, "rows")) {
    EBB_ASSIGN(out.rows, in.integer(x, 1, INT64_MAX));
  }
  if (const auto x = reader::field(at, "rate")) {
    EBB_ASSIGN(out.rate, in.integer(x, 1, 1'000'000'000));
  }
  EBB_ASSIGN(const auto x, in.required(at, "columns", "columns: {id: \"n\"}"));
  EBB_ASSIGN(out.columns, read_columns(in, x, columns));
  return out;
}

result<topic_source> read_from_topic(const reader& in, const located& at) {
  EBB_TRY(in.keys(at, {"name", "from", "format"}));
  topic_source out;
  EBB_ASSIGN(out.name, read_topic_name(in, at));
  EBB_ASSIGN(out.format, read_message_format(in, at));
  if (const auto x = reader::field(at, "from")) {
    EBB_ASSIGN(const auto which, in.word(x, {"earliest", "latest"}));
    out.latest = which == 1;
  }
  return out;
}

result<void> check_max_ahead(const reader& in, const located& at, const source_definition& source) {
  const auto* file = std::get_if<file_source>(&source.connector);
  const auto* topic = std::get_if<topic_source>(&source.connector);
  if (file == nullptr && topic == nullptr)
    return in.fail(at,
                   "maxAhead is for files and topics: generated rows have the times that the "
                   "manifest gives them",
                   "leave it out");
  if ((file != nullptr ? file->format : topic->format) == record_format::debezium)
    return in.fail(at,
                   "maxAhead is not for changes: those of a row that was left out could not be "
                   "told from others",
                   "leave it out, or check the times in a query with WHERE");
  return {};
}

result<event_time> read_event_time(const reader& in, const located& at, const schema& columns) {
  EBB_TRY(in.keys(at, {"column", "maxDelay", "maxAhead", "idleAfter"}));
  event_time out;
  EBB_ASSIGN(const auto column, in.required(at, "column", "column: the time of an event"));
  EBB_ASSIGN(const auto name, in.text(column, "the name of a column"));
  const auto* found = find_column(columns, name);
  if (found == nullptr)
    return in.fail(column, "the schema has no column " + name, nearest_column(columns, name));
  if (found->type.kind != type_kind::timestamp && found->type.kind != type_kind::timestamptz)
    return in.fail(column,
                   "column " + found->name + " is " + to_string(found->type)
                       + ", and event time must be TIMESTAMP",
                   "declare it as TIMESTAMP in the schema");
  out.column = found->name;
  out.place = in.place(column);
  if (const auto x = reader::field(at, "maxDelay")) {
    EBB_ASSIGN(out.max_delay, in.duration(x));
  }
  if (const auto x = reader::field(at, "maxAhead")) {
    EBB_ASSIGN(out.max_ahead, in.duration(x));
  }
  if (const auto x = reader::field(at, "idleAfter")) {
    EBB_ASSIGN(out.idle_after, in.duration(x, 1));
  }
  return out;
}

} // namespace

result<source_definition> read_source(const reader& in, const located& at) {
  constexpr std::string_view connectors[] = {"file", "nexmark", "generator", "topic"};
  EBB_TRY(
      in.keys(at, {"name", "schema", "eventTime", "timestampUnit", "onBadRecord", "onConflict",
                   "file", "nexmark", "generator", "topic", "kafka", "postgres", "s3", "http"}));
  source_definition out;
  out.place = in.place(at);
  EBB_ASSIGN(const auto name, in.required(at, "name", "name: flights"));
  EBB_ASSIGN(out.name, in.identifier(name));
  EBB_ASSIGN(const auto connector, only_connector(in, at, connectors));
  const auto schema_text = reader::field(at, "schema");
  const auto is_nexmark = connector.node == at.node->find("nexmark");
  if (is_nexmark) {
    EBB_ASSIGN(const auto options, read_nexmark(in, connector));
    if (schema_text)
      return in.fail(schema_text, "a nexmark source has its own columns", "leave out schema");
    out.columns = nexmark_columns(options.table);
    out.connector = options;
  } else {
    EBB_ASSIGN(const auto text, in.required(at, "schema", "schema: id BIGINT, name TEXT"));
    EBB_ASSIGN(auto parsed, read_schema(in, text));
    out.columns = std::move(parsed.columns);
    out.primary_key = std::move(parsed.primary_key);
  }
  const auto is_topic = connector.node == at.node->find("topic");
  if (connector.node == at.node->find("file")) {
    EBB_ASSIGN(out.connector, read_file(in, connector));
  } else if (is_topic) {
    EBB_ASSIGN(out.connector, read_from_topic(in, connector));
  } else if (!is_nexmark) {
    EBB_ASSIGN(out.connector, read_generator(in, connector, out.columns));
  }
  if (const auto x = reader::field(at, "eventTime")) {
    EBB_ASSIGN(out.time, read_event_time(in, x, out.columns));
    if (const auto ahead = reader::field(x, "maxAhead"))
      EBB_TRY(check_max_ahead(in, ahead, out));
  }
  if (const auto x = reader::field(at, "timestampUnit")) {
    if (is_topic)
      return in.fail(x, "timestampUnit is not for topics: their rows have types already",
                     "leave it out");
    EBB_ASSIGN(const auto unit, in.word(x, {"s", "ms", "us", "ns"}));
    out.unit = static_cast<timestamp_unit>(unit);
  }
  if (const auto x = reader::field(at, "onBadRecord")) {
    EBB_ASSIGN(const auto policy, in.word(x, {"fail", "skip", "quarantine"}));
    out.on_bad_record = static_cast<bad_record_policy>(policy);
    if (is_topic && out.on_bad_record == bad_record_policy::quarantine)
      return in.fail(x, "rows of a topic cannot be put into quarantine",
                     "use skip: the topic keeps them", ec::unsupported);
  }
  if (const auto x = reader::field(at, "onConflict")) {
    EBB_TRY(in.word(x, {"replace"}));
    if (out.primary_key.empty())
      return in.fail(x, "onConflict: replace needs a PRIMARY KEY in the schema",
                     "add PRIMARY KEY (column, …): a row takes the place of the one of its key");
    out.replaces = true;
  }
  return out;
}

schema nexmark_columns(nexmark_table table) {
  using enum type_kind;
  const auto row = [](std::initializer_list<std::pair<const char*, type_kind>> columns) {
    schema out;
    for (const auto& [name, kind] : columns)
      out.push_back({name, sql_type{kind}, true});
    return out;
  };
  switch (table) {
  case nexmark_table::person:
    return row({{"id", bigint},
                {"name", text},
                {"email_address", text},
                {"credit_card", text},
                {"city", text},
                {"state", text},
                {"date_time", timestamp},
                {"extra", text}});
  case nexmark_table::auction:
    return row({{"id", bigint},
                {"item_name", text},
                {"description", text},
                {"initial_bid", bigint},
                {"reserve", bigint},
                {"date_time", timestamp},
                {"expires", timestamp},
                {"seller", bigint},
                {"category", bigint},
                {"extra", text}});
  case nexmark_table::bid:
    break;
  }
  return row({{"auction", bigint},
              {"bidder", bigint},
              {"price", bigint},
              {"channel", text},
              {"url", text},
              {"date_time", timestamp},
              {"extra", text}});
}

} // namespace ebb::manifest
