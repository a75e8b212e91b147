/// Which columns of a topic are those of a source or a sink: by name, exactly, else ignoring case.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/runtime/topic_access.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

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

  /// ec::bad_record where a value is NULL and must not be.
  [[nodiscard]] result<batch_ptr> rows_of(const batch& from) const;

private:
  std::string sink_;
  std::string topic_;
  schema columns_;
  std::vector<int> from_; ///< by column of the topic; -1 = NULL
};

} // namespace ebb
