/// What a topic is, as its manifest says.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

struct topic_settings {
  std::string uid; ///< names its folder; new after delete and re-create
  std::string name;
  std::string name_space = "default";
  schema columns;
  std::string key;      ///< column whose value chooses the partition; empty = the log chooses
  bool changes = false; ///< its messages are changes of rows (actors/connectors/topic_changes.hpp)
  std::vector<std::string> primary_key; ///< of these rows; empty = none
  std::uint32_t partitions = 1;
  micros retention_age = 7 * micros_per_day;              ///< 0 = for ever
  std::uint64_t retention_bytes = std::uint64_t{1} << 30; ///< 0 = all
  std::uint64_t quota_bytes = 0; ///< appends beyond are refused with 429; 0 = none

  bool operator==(const topic_settings&) const = default;
};

} // namespace ebb
