/// The last bytes of a file that is appended to. They tell whether it is still that file when a
/// later run goes on with it.
#pragma once

#include "actors/connectors/file_io.hpp"
#include "actors/dataflow/endpoint.hpp"
#include "schemas/error.hpp"
#include "schemas/segment_info.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace ebb {

class output_tail {
public:
  static constexpr std::size_t most = 4096;

  void add(const char* bytes, std::size_t size);

  /// Takes those before `end`. Blocks.
  [[nodiscard]] result<void> read(const descriptor& file, std::uint64_t end,
                                  const std::string& shown);

  /// Of the last `most` bytes; zero where there are none.
  [[nodiscard]] digest128 digest() const;

private:
  std::string bytes_; ///< the last ones, perhaps more than `most`
};

/// Whether what lies before the output's end in `file` is what was written there: its own bytes, or,
/// of an output without any, the last ones before it. True where the output does not know (earlier
/// versions). `file` has that many bytes. Blocks.
[[nodiscard]] result<bool> ends_with(const descriptor& file, const sealed_output& output,
                                     const std::string& shown);

} // namespace ebb
