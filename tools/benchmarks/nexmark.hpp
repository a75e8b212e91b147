/// The Nexmark queries as streams to measure.
#pragma once

#include "actors/plan/manifest.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::bench {

struct named_text {
  std::string name, text;
};

/// The queries of deployments/examples/nexmark, in the order of their numbers.
[[nodiscard]] const std::vector<named_text>& nexmark_queries();

/// One of them; it must exist.
[[nodiscard]] const std::string& nexmark_query(std::string_view name);

/// A manifest that runs one query. `rate` 0 = as fast as it goes; `sinks` are connectors in YAML.
struct nexmark_run {
  std::string sql;
  std::uint64_t events = 0;
  std::uint64_t events_per_second = 100'000;
  std::uint64_t rate = 0;
  std::uint32_t parallelism = 1;
  std::vector<std::string> sinks = {"discard: {hash: true}"};
};

[[nodiscard]] std::string nexmark_manifest(const nexmark_run& run);

} // namespace ebb::bench
