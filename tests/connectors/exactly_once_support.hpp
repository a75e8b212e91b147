/// A sink of files in a temporary folder, with epochs that are sealed and applied.
#pragma once

#include "actors/connectors/apply_output.hpp"
#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_sink.hpp"
#include "tests/connectors/files_io_support.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ebb::test {

using outputs = std::vector<sealed_output>;

inline const schema sink_columns = {column_of("a", type_kind::bigint),
                                    column_of("b", type_kind::text)};

inline batch_ptr rows_of(std::int64_t first, std::uint32_t count) {
  auto x = std::make_shared<batch>();
  x->rows = count;
  auto a = make_column(sql_type{type_kind::bigint}, count);
  text_builder b{sql_type{type_kind::text}, count};
  for (std::uint32_t i = 0; i < count; ++i) {
    a.mutable_data<std::int64_t>()[i] = first + i;
    b.append("row " + std::to_string(first + i));
  }
  x->columns.push_back(std::move(a));
  x->columns.push_back(b.take());
  return x;
}

inline std::string json_of(std::int64_t first, std::int64_t count) {
  std::string text;
  for (auto i = first; i < first + count; ++i)
    text += "{\"a\":" + std::to_string(i) + ",\"b\":\"row " + std::to_string(i) + "\"}\n";
  return text;
}

inline std::string csv_of(std::int64_t first, std::int64_t count) {
  std::string text;
  for (auto i = first; i < first + count; ++i)
    text += std::to_string(i) + ",row " + std::to_string(i) + "\n";
  return text;
}

inline sink_definition sink_named(const char* name) {
  sink_definition x;
  x.name = name;
  x.place.field = "spec.sinks[0]";
  return x;
}

inline file_sink file_at(const std::string& path) {
  file_sink x;
  x.path = path;
  x.format = path.find("csv") == std::string::npos ? record_format::json : record_format::csv;
  return x;
}

// A sink of a stream with checkpoints in a folder.
struct session {
  const temporary_folder& folder;
  file_sink options;
  bool exactly_once = true;
  outputs last = {};
  std::uint32_t subtask = 0;
  std::uint32_t parallelism = 1;
  std::uint64_t generation = 0;
  std::string stream_uid = "u1";
  std::string data_folder = {};
  inline_executor io = {};

  [[nodiscard]] result<std::unique_ptr<sink_writer>> try_open() {
    connector_context context;
    context.io = &io;
    context.wake = [] {};
    context.data_folder = data_folder;
    context.stream = "s";
    context.stream_uid = stream_uid;
    context.folder = folder.path();
    context.output_folder = exactly_once ? folder / "out" : "";
    context.subtask = subtask;
    context.parallelism = parallelism;
    context.generation = generation;
    context.outputs = last;
    return open_file_sink(sink_named("rows"), options, sink_columns, context);
  }

  [[nodiscard]] std::unique_ptr<sink_writer> open() {
    auto sink = try_open();
    BOOST_REQUIRE_MESSAGE(sink, (sink ? "" : to_string(sink.error())));
    return *std::move(sink);
  }

  [[nodiscard]] std::string apply(const sealed_output& output) const {
    auto done = apply_waiting_output(folder.path(), output);
    return done ? "applied" : to_string(done.error());
  }
};

inline sealed_output seal(sink_writer& sink, epoch_number epoch) {
  BOOST_REQUIRE(sink.seal(epoch));
  auto made = sink.sealed();
  BOOST_REQUIRE_MESSAGE(made, (made ? "" : to_string(made.error())));
  BOOST_REQUIRE(*made);
  auto again = sink.sealed();
  BOOST_REQUIRE(again);
  BOOST_TEST(!*again);
  return **made;
}

inline void write(sink_writer& sink, const batch_ptr& rows) {
  BOOST_REQUIRE(sink.write(rows));
}

inline std::string expanded(const temporary_folder& folder, const std::string& name) {
  auto reader = open_reader(folder / name, name, [] { return false; });
  BOOST_REQUIRE(reader);
  std::string text;
  for (;;) {
    char block[5000];
    auto count = (*reader)->read(block, sizeof block);
    BOOST_REQUIRE_MESSAGE(count, (count ? "" : to_string(count.error())));
    if (*count == 0)
      return text;
    text.append(block, *count);
  }
}

inline std::size_t files_in(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

} // namespace ebb::test
