/// Rows as JSON objects (INTERFACES: Writing JSON).
#pragma once

#include "actors/connectors/file_text.hpp"
#include "schemas/batch.hpp"

#include <string>
#include <vector>

namespace ebb {

/// Writes the rows of one schema. Used by one thread.
class json_objects {
public:
  explicit json_objects(const schema& columns);

  /// Appends row i, without a line end.
  void write(const batch& rows, std::uint32_t i, output_buffer& out);

private:
  void write_value(const column& x, std::uint32_t i, char* to, output_buffer& out);
  void write_long(const column& x, std::uint32_t i, output_buffer& out);
  void write_numeric(const column& x, std::uint32_t i, output_buffer& out);
  void write_array(const column& x, std::uint32_t i, output_buffer& out);

  std::vector<std::string> keys_; ///< `{"a":`, `,"b":`
  std::string scratch_;
};

} // namespace ebb
