// Manifests: any bytes give streams that keep the reader's promises, or an error with a place and
// advice.

#include "actors/plan/manifest.hpp"
#include "tests/fuzz/support.hpp"

#include <algorithm>

namespace {

using namespace ebb; // NOLINT

const std::string file = "folder/fuzz.yaml";

bool is_identifier(const std::string& name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
}

void check_type(const sql_type& type) {
  EBB_FUZZ_CHECK(type.kind != type_kind::unknown, to_string(type));
  EBB_FUZZ_CHECK(type.precision >= 0 && type.precision <= 38, to_string(type));
  EBB_FUZZ_CHECK(type.length >= 0, to_string(type));
}

void check_source(const source_definition& source) {
  EBB_FUZZ_CHECK(is_identifier(source.name), source.name);
  EBB_FUZZ_CHECK(!source.columns.empty(), source.name);
  std::vector<std::string> names;
  for (const auto& column : source.columns) {
    EBB_FUZZ_CHECK(!column.name.empty(), source.name);
    check_type(column.type);
    names.push_back(column.name);
  }
  const auto has = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const auto& key : source.primary_key)
    EBB_FUZZ_CHECK(has(key), key);
  if (source.time) {
    EBB_FUZZ_CHECK(has(source.time->column), source.time->column);
    EBB_FUZZ_CHECK(source.time->max_delay >= 0, source.name);
    EBB_FUZZ_CHECK(!source.time->idle_after || *source.time->idle_after > 0, source.name);
  }
  std::sort(names.begin(), names.end());
  EBB_FUZZ_CHECK(std::adjacent_find(names.begin(), names.end()) == names.end(), source.name);
}

void check_stream(const stream_definition& stream) {
  EBB_FUZZ_CHECK(!stream.name.empty() && stream.name.size() <= 63, stream.name);
  EBB_FUZZ_CHECK(stream.folder == "folder", stream.folder);
  EBB_FUZZ_CHECK(stream.parallelism >= 1 && stream.parallelism <= stream.max_parallelism,
                 stream.name);
  EBB_FUZZ_CHECK(!stream.sources.empty() && !stream.sinks.empty(), stream.name);
  std::vector<std::string> names;
  for (const auto& source : stream.sources) {
    check_source(source);
    names.push_back(source.name);
  }
  for (const auto& step : stream.operators) {
    EBB_FUZZ_CHECK(is_identifier(step.name), step.name);
    EBB_FUZZ_CHECK(step.sql.find_first_not_of(" \t\r\n") != std::string::npos, step.name);
    EBB_FUZZ_CHECK(step.parallelism.value_or(1) >= 1
                       && step.parallelism.value_or(1) <= stream.max_parallelism,
                   step.name);
    names.push_back(step.name);
  }
  for (const auto& sink : stream.sinks)
    EBB_FUZZ_CHECK(std::find(names.begin(), names.end(), sink.from) != names.end(), sink.from);
  std::sort(names.begin(), names.end());
  EBB_FUZZ_CHECK(std::adjacent_find(names.begin(), names.end()) == names.end(), stream.name);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<error> warnings;
  const auto streams = parse_manifest(text, file, warnings);
  // The byte order mark is no column of the first line.
  const auto body = text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
  for (const auto& warning : warnings)
    fuzz::check_manifest_error(warning, body, file);
  if (!streams) {
    fuzz::check_manifest_error(streams.error(), body, file);
    return 0;
  }
  EBB_FUZZ_CHECK(!streams->empty(), "");
  for (const auto& stream : *streams)
    check_stream(stream);
  return 0;
}
