/// The parts of a Stream manifest, one function a part.
#pragma once

#include "actors/plan/manifest_reader.hpp"

namespace ebb::manifest {

inline constexpr std::size_t max_sources = 64;
inline constexpr std::size_t max_operators = 256;
inline constexpr std::size_t max_sinks = 64;

[[nodiscard]] result<source_definition> read_source(const reader& in, const located& at);
[[nodiscard]] result<operator_definition> read_operator(const reader& in, const located& at,
                                                        std::uint16_t max_parallelism);
/// `name` and `from` stay empty where they are not given.
[[nodiscard]] result<sink_definition> read_sink(const reader& in, const located& at);

/// The one connector among the keys of a source or sink. Connectors that this version lacks are
/// refused by name.
[[nodiscard]] result<located> only_connector(const reader& in, const located& at,
                                             std::span<const std::string_view> known);

/// `format` of a file, told by the file's ending where it is not given.
[[nodiscard]] result<record_format> read_format(const reader& in, const located& file,
                                                std::string_view path);
[[nodiscard]] result<char> read_delimiter(const reader& in, const located& at);

/// Columns of the tables of the nexmark source.
[[nodiscard]] schema nexmark_columns(nexmark_table table);

/// Whether SQL mentions `name` as a word outside of strings and comments (as SQL folds names).
[[nodiscard]] bool mentions(std::string_view sql, std::string_view name);

} // namespace ebb::manifest
