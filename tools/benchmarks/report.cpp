#include "tools/benchmarks/report.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace ebb::bench {

void report::line(std::string_view text) const {
  if (json_)
    return;
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void report::finish() const {
  if (json_)
    fmt::print("{}\n", results_.dump(2));
}

} // namespace ebb::bench
