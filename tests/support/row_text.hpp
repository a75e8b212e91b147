/// Values of rows as text, for tests that compare rows.
#pragma once

#include "actors/dataflow/value_text.hpp"
#include "schemas/batch.hpp"

#include <string>

namespace ebb::test {

/// `NULL`, microseconds of a TIMESTAMP, else as SQL writes the value.
inline void append_cell(const column& x, std::uint32_t i, std::string& text) {
  if (x.is_null(i))
    text += "NULL";
  else if (x.type.kind == type_kind::timestamp)
    text += std::to_string(x.data<micros>()[i]);
  else
    append_value_text(x, i, text);
}

} // namespace ebb::test
