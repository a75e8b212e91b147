/// Which columns of a topic are those of a source or a sink: by name, exactly, else ignoring case.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/runtime/topic_access.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// What is wrong with a source that reads a topic of this format with this PRIMARY KEY; empty =
/// nothing. The second is what to do.
struct format_problem {
  std::string message;
  std::string hint;
};

[[nodiscard]] format_problem check_format(const source_definition& source, const std::string& topic,
                                          bool changes,
                                          const std::vector<std::string>& primary_key);
/// The same of a sink.
[[nodiscard]] format_problem check_format(const sink_definition& sink, const std::string& topic,
                                          bool changes);
/// The same of a sink whose rows update, and are told apart by the columns `key`.
[[nodiscard]] format_problem check_unique_key(const std::string& topic,
                                              const std::vector<std::string>& primary_key,
                                              const std::optional<std::vector<std::string>>& key);

/// The topic's column of each column of the source. Types must be equal.
[[nodiscard]] result<std::vector<std::uint32_t>> columns_to_read(const source_definition& source,
                                                                 const topic_info& topic);

/// Puts rows into the order and the types of a topic's columns.
class topic_rows_maker {
public:
  /// `columns`: of the rows that the sink gets; each must be one of the topic's. Columns that the
  /// topic has more are NULL. Types must be equal, or the topic's without the bound of VARCHAR or
  /// NUMERIC.
  [[nodiscard]] static result<topic_rows_maker>
  make(const sink_definition& sink, const schema& columns, const topic_info& topic);

  /// The topic's column of one of the sink's.
  [[nodiscard]] std::uint32_t column_of(std::uint32_t number) const;

  /// ec::bad_record where a value is NULL and must not be. Weights stay where the topic takes
  /// changes; else they are an error.
  [[nodiscard]] result<batch_ptr> rows_of(const batch& from) const;

private:
  std::string sink_;
  std::string topic_;
  schema columns_;
  bool changes_ = false;
  std::vector<int> from_; ///< by column of the topic; -1 = NULL
};

} // namespace ebb
