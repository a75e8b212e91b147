#include "actors/connectors/topic_columns.hpp"

#include "actors/connectors/file_names.hpp"
#include "actors/connectors/topic_partitions.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

std::string names_of(const schema& columns) {
  std::string names;
  for (const auto& x : columns)
    names += (names.empty() ? "" : ", ") + x.name;
  return names;
}

std::string nearest_or_all(const std::string& name, const schema& columns) {
  std::vector<std::string> names;
  for (const auto& x : columns)
    names.push_back(x.name);
  const auto nearest = nearest_name(name, names);
  return nearest.empty() ? "its columns are " + names_of(columns) : "did you mean " + nearest + "?";
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& x : names)
    all += (all.empty() ? "" : ", ") + x;
  return all;
}

/// Whether each of `names` is one of `all`.
bool are_among(const std::vector<std::string>& names, const std::vector<std::string>& all) {
  return std::all_of(names.begin(), names.end(), [&](const auto& x) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& y) { return equal_ignoring_case(x, y); });
  });
}

error in_source(const source_definition& source, ec code, std::string message, std::string hint) {
  auto problem =
      make_error(code, "source " + source.name + ": " + std::move(message), std::move(hint));
  problem.place = source.place;
  problem.place.field += problem.place.field.empty() ? "schema" : ".schema";
  return problem;
}

error in_sink(const sink_definition& sink, std::string message, std::string hint) {
  auto problem = make_error(ec::invalid_argument, "sink " + sink.name + ": " + std::move(message),
                            std::move(hint));
  problem.place = sink.place;
  problem.place.field += problem.place.field.empty() ? "topic" : ".topic";
  return problem;
}

/// Several columns that only ignoring case makes the same; then none of them is meant.
bool is_ambiguous(const schema& columns, const std::string& name) {
  const auto number = column_named(columns, name);
  if (number < 0 || columns[static_cast<std::size_t>(number)].name == name)
    return false;
  const schema rest(columns.begin() + number + 1, columns.end());
  return column_named(rest, name) >= 0;
}

error ambiguous(const std::string& name, const std::string& where) {
  return make_error(ec::invalid_argument,
                    "several columns of " + where + " are called " + name + " but for their case",
                    "write the name of one of them exactly, in double quotes");
}

/// Whether a value of type `from` is one of type `to` as it is.
bool takes(const sql_type& to, const sql_type& from) noexcept {
  if (to == from)
    return true;
  const bool unbounded = to.kind == from.kind && to.precision == 0 && to.length == 0;
  return unbounded && (to.kind == type_kind::numeric || to.kind == type_kind::text);
}

} // namespace

format_problem check_format(const source_definition& source, const std::string& topic, bool changes,
                            const std::vector<std::string>& primary_key) {
  const bool wanted = std::get<topic_source>(source.connector).format == record_format::debezium;
  if (changes && !wanted)
    return {"topic " + topic + " holds changes", "add format: debezium to the source"};
  if (wanted && !changes)
    return {"topic " + topic + " holds rows, not changes",
            "leave out format: debezium, or give the topic that format"};
  if (!primary_key.empty()
      && !(source.primary_key.size() == primary_key.size()
           && are_among(source.primary_key, primary_key)))
    return {"the rows of topic " + topic + " are told apart by PRIMARY KEY (" + joined(primary_key)
                + ")",
            "add it to the source's schema: PRIMARY KEY (" + joined(primary_key) + ")"};
  return {};
}

format_problem check_format(const sink_definition& sink, const std::string& topic, bool changes) {
  const bool wanted = std::get<topic_sink>(sink.connector).format == record_format::debezium;
  if (changes && !wanted)
    return {"topic " + topic + " takes changes", "add format: debezium to the sink"};
  if (wanted && !changes)
    return {"topic " + topic + " takes rows, not changes",
            "leave out format: debezium, or give the topic that format"};
  return {};
}

format_problem check_unique_key(const std::string& topic,
                                const std::vector<std::string>& primary_key,
                                const std::optional<std::vector<std::string>>& key) {
  if (primary_key.empty())
    return {};
  // Changes of one row keep their order where they are of one key, too.
  if (key && are_among(*key, primary_key))
    return {};
  return {"the rows of topic " + topic + " are told apart by PRIMARY KEY (" + joined(primary_key)
              + "), and the result's "
              + (key && !key->empty() ? "by (" + joined(*key) + ")" : "by no such columns"),
          "group the result by (" + joined(primary_key)
              + "), or write to a topic without a PRIMARY KEY"};
}

result<std::vector<std::uint32_t>> columns_to_read(const source_definition& source,
                                                   const topic_info& topic) {
  if (const auto x = check_format(source, topic.name, topic.changes, topic.primary_key);
      !x.message.empty())
    return in_source(source, ec::invalid_argument, x.message, x.hint);
  std::vector<std::uint32_t> chosen;
  for (const auto& wanted : source.columns) {
    if (is_ambiguous(topic.columns, wanted.name)) {
      const auto problem = ambiguous(wanted.name, "topic " + topic.name);
      return in_source(source, problem.code, problem.message, problem.hint);
    }
    const auto number = column_named(topic.columns, wanted.name);
    if (number < 0)
      return in_source(source, ec::invalid_argument,
                       "topic " + topic.name + " has no column " + wanted.name,
                       nearest_or_all(wanted.name, topic.columns));
    const auto& there = topic.columns[static_cast<std::size_t>(number)];
    if (there.type != wanted.type)
      return in_source(source, ec::invalid_argument,
                       "column " + wanted.name + " is " + to_string(wanted.type)
                           + " in the schema and " + to_string(there.type) + " in topic "
                           + topic.name,
                       "declare it as " + to_string(there.type) + ", and cast it in the query");
    chosen.push_back(static_cast<std::uint32_t>(number));
  }
  return chosen;
}

result<topic_rows_maker> topic_rows_maker::make(const sink_definition& sink, const schema& columns,
                                                const topic_info& topic) {
  if (const auto x = check_format(sink, topic.name, topic.changes); !x.message.empty())
    return in_sink(sink, x.message, x.hint);
  topic_rows_maker made;
  made.changes_ = topic.changes;
  made.sink_ = sink.name;
  made.topic_ = topic.name;
  made.columns_ = topic.columns;
  std::vector<bool> used(columns.size());
  for (const auto& to : topic.columns) {
    if (is_ambiguous(columns, to.name)) {
      const auto problem = ambiguous(to.name, "the result");
      return in_sink(sink, problem.message, "rename all but one of them with AS");
    }
    const auto number = column_named(columns, to.name);
    made.from_.push_back(number);
    if (number < 0 && to.not_null)
      return in_sink(sink,
                     "column " + to.name + " of topic " + topic.name
                         + " is NOT NULL, and the result has no such column",
                     "select something AS " + to.name);
    if (number < 0)
      continue;
    const auto& from = columns[static_cast<std::size_t>(number)];
    used[static_cast<std::size_t>(number)] = true;
    if (!takes(to.type, from.type))
      return in_sink(sink,
                     "column " + from.name + " is " + to_string(from.type) + " and "
                         + to_string(to.type) + " in topic " + topic.name,
                     "cast it in the query: CAST(" + from.name + " AS " + to_string(to.type)
                         + ") AS " + from.name);
  }
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!used[i])
      return in_sink(sink, "topic " + topic.name + " has no column " + columns[i].name,
                     "its columns are " + names_of(topic.columns)
                         + ": leave it out of the query, or name it AS one of them");
  return made;
}

std::uint32_t topic_rows_maker::column_of(std::uint32_t number) const {
  const auto found = std::find(from_.begin(), from_.end(), static_cast<int>(number));
  EBB_ASSERT(found != from_.end());
  return static_cast<std::uint32_t>(found - from_.begin());
}

result<batch_ptr> topic_rows_maker::rows_of(const batch& from) const {
  const auto* weights = from.weights.as<const std::int32_t>();
  if (!changes_ && from.weights
      && std::any_of(weights, weights + from.rows, [](auto x) { return x != 1; }))
    return make_error(ec::unsupported,
                      "sink " + sink_ + ": the result has changes of earlier rows, and topic "
                          + topic_ + " takes new rows only",
                      "write a query whose result is only added to");
  auto made = std::make_shared<batch>();
  made->rows = from.rows;
  made->weights = from.weights;
  made->columns.reserve(columns_.size());
  for (std::size_t k = 0; k < columns_.size(); ++k) {
    const auto& to = columns_[k];
    if (from_[k] < 0) {
      made->columns.push_back(make_null_column(to.type, from.rows));
      continue;
    }
    auto& x = made->columns.emplace_back(from.columns[static_cast<std::size_t>(from_[k])]);
    x.type = to.type;
    if (!to.not_null || !x.has_nulls())
      continue;
    for (std::uint32_t i = 0; i < from.rows; ++i)
      if (x.is_null(i))
        return make_error(ec::bad_record,
                          "sink " + sink_ + ": column " + to.name + " of topic " + topic_
                              + " is NOT NULL, and a row of the result has NULL",
                          "leave such rows out with WHERE, or give a value with coalesce");
  }
  return batch_ptr{std::move(made)};
}

} // namespace ebb
