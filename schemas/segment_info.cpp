#include "schemas/segment_info.hpp"

#include "schemas/assert.hpp"

#include <fmt/format.h>

namespace ebb {

std::string to_string(const digest128& x) {
  return fmt::format("{:016x}{:016x}", x.high, x.low);
}

const char* to_string(segment_kind kind) noexcept {
  switch (kind) {
  case segment_kind::delta:
    return "delta";
  case segment_kind::base:
    return "base";
  case segment_kind::output:
    return "output";
  }
  EBB_UNREACHABLE("segment kind");
}

} // namespace ebb
