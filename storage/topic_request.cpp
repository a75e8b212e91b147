#include "storage/topic_request.hpp"

namespace ebb {

const char* to_string(append_status status) noexcept {
  switch (status) {
  case append_status::appended:
    return "appended";
  case append_status::duplicate:
    return "duplicate";
  case append_status::conflict:
    return "conflict";
  case append_status::over_quota:
    return "over quota";
  case append_status::invalid:
    return "invalid";
  case append_status::failed:
    return "failed";
  }
  return "unknown";
}

std::uint64_t row_count(const topic_append& x) noexcept {
  std::uint64_t rows = 0;
  for (const auto& part : x.parts)
    rows += part.rows->rows;
  return rows;
}

std::size_t byte_size(const topic_append& x) noexcept {
  std::size_t bytes = sizeof x + x.idempotency_key.size();
  if (x.producer)
    bytes += x.producer->producer.size();
  for (const auto& part : x.parts)
    bytes += byte_size(*part.rows) + part.partitions.size() * sizeof(std::uint32_t);
  return bytes;
}

} // namespace ebb
