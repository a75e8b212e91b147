/// Where the text of a sink goes.
#pragma once

#include "actors/connectors/file_io.hpp"
#include "actors/dataflow/endpoint.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace ebb {

/// Called by jobs on the I/O pool, one at a time. Not usable after an error. Destroyed without
/// `finish` it keeps nothing that looks whole.
class output_target {
public:
  virtual ~output_target() = default;
  [[nodiscard]] virtual result<void> write(const char* bytes, std::size_t size) = 0;

  /// The epoch has ended: what it wrote is safe when this returns. Rows are not filled in.
  [[nodiscard]] virtual result<sealed_output> seal(epoch_number epoch) {
    static_cast<void>(epoch);
    return sealed_output{};
  }

  /// The stream has ended; what it wrote since the last seal belongs to no epoch.
  [[nodiscard]] virtual result<void> finish() = 0;
};

/// Without epochs: `publish` runs once all is written and the writer has finished (may be null).
[[nodiscard]] std::unique_ptr<output_target>
make_plain_target(std::unique_ptr<byte_writer> writer, std::function<result<void>()> publish);

} // namespace ebb
