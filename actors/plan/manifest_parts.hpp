/// The parts of a manifest, one function a part.
#pragma once

#include "actors/plan/manifest_reader.hpp"
#include "actors/plan/plan_graph.hpp"

#include <map>

namespace ebb::manifest {

inline constexpr std::size_t max_sources = 64;
inline constexpr std::size_t max_operators = 256;
inline constexpr std::size_t max_sinks = 64;

/// What `metadata` says.
struct document_name {
  std::string name_space;
  std::string name; ///< qualified
};

[[nodiscard]] result<document_name> read_metadata(const reader& in, const located& document);
[[nodiscard]] result<stream_definition> read_stream(const reader& in, const located& document,
                                                    const std::string& folder);
[[nodiscard]] result<topic_definition> read_topic(const reader& in, const located& document);

[[nodiscard]] result<source_definition> read_source(const reader& in, const located& at);
[[nodiscard]] result<operator_definition> read_operator(const reader& in, const located& at,
                                                        std::uint16_t max_parallelism);
/// `name` and `from` stay empty where they are not given.
[[nodiscard]] result<sink_definition> read_sink(const reader& in, const located& at);

/// `pod`: what a manifest may say of the pods that run it.
[[nodiscard]] result<void> check_pod(const reader& in, const located& spec);

/// The one connector among the keys of a source or sink. Connectors that this version lacks are
/// refused by name.
[[nodiscard]] result<located> only_connector(const reader& in, const located& at,
                                             std::span<const std::string_view> known);

/// `path` of a file; `example` says what to write.
[[nodiscard]] result<std::string> read_path(const reader& in, const located& file,
                                            std::string_view example, const char* hint);
/// `format` of a file, told by the file's ending where it is not given.
[[nodiscard]] result<record_format> read_format(const reader& in, const located& file,
                                                std::string_view path);
[[nodiscard]] result<char> read_delimiter(const reader& in, const located& at);

/// Column definitions in SQL.
[[nodiscard]] result<parsed_schema> read_schema(const reader& in, const located& at);
/// A column by its exact name, else folded as SQL folds it; null when there is none.
[[nodiscard]] const field* find_column(const schema& columns, const std::string& name);
/// The hint `did you mean x?`, or all names there are.
[[nodiscard]] std::string nearest_column(const schema& columns, const std::string& name);
/// `name` of a connector `topic`.
[[nodiscard]] result<std::string> read_topic_name(const reader& in, const located& topic);

/// `format` of a connector `topic`: json, where it is not given, or debezium.
[[nodiscard]] result<record_format> read_message_format(const reader& in, const located& topic);

/// Columns of the tables of the nexmark source.
[[nodiscard]] schema nexmark_columns(nexmark_table table);

/// Whether SQL mentions `name` as a word outside of strings and comments (as SQL folds names).
[[nodiscard]] bool mentions(std::string_view sql, std::string_view name);

/// Name → where it was given, so that a second use can point at the first.
class name_table {
public:
  [[nodiscard]] result<void> add(const reader& in, const located& at, const std::string& name,
                                 const char* what);

  [[nodiscard]] bool has(const std::string& name) const {
    return names_.count(name) != 0;
  }

  [[nodiscard]] std::vector<std::string> names() const;

private:
  std::map<std::string, std::uint32_t> names_;
};

} // namespace ebb::manifest
