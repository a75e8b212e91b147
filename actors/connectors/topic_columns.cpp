#include "actors/connectors/topic_columns.hpp"

#include "actors/connectors/topic_partitions.hpp"

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

result<std::vector<std::uint32_t>> columns_to_read(const source_definition& source,
                                                   const topic_info& topic) {
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
  topic_rows_maker made;
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

result<batch_ptr> topic_rows_maker::rows_of(const batch& from) const {
  const auto* weights = from.weights.as<const std::int32_t>();
  if (from.weights && std::any_of(weights, weights + from.rows, [](auto x) { return x != 1; }))
    return make_error(ec::unsupported,
                      "sink " + sink_ + ": the result has changes of earlier rows, and topic "
                          + topic_ + " takes new rows only",
                      "write a query whose result is only added to");
  auto made = std::make_shared<batch>();
  made->rows = from.rows;
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
