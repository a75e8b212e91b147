#include "actors/connectors/file_format.hpp"

namespace ebb {

result<void> record_writer::write(const batch& rows, output_buffer& out) {
  const auto* weights = rows.weights ? rows.weights.as<const std::int32_t>() : nullptr;
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    const std::int32_t times = weights == nullptr ? 1 : weights[i];
    if (times < 0)
      return make_error(ec::unsupported, "the sink cannot take back rows that it has written",
                        "write to a sink that understands changes");
    for (std::int32_t k = 0; k < times; ++k)
      write_row(rows, i, out);
    rows_ += static_cast<std::uint64_t>(times);
  }
  return {};
}

} // namespace ebb
