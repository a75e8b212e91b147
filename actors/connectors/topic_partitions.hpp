/// Which partition of a topic a row belongs to.
#pragma once

#include "schemas/batch.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// By the hash of the key's canonical encoding, so that equal keys meet whatever their
/// representation and whoever sends them; rows whose key is NULL go to partition 0. As
/// `topic_part::partitions` takes it: one number stands for all rows. Stable across versions.
[[nodiscard]] std::vector<std::uint32_t> partitions_by_key(const column& key,
                                                           std::uint32_t partitions);

/// Of a sender of rows without keys: all of them go there, and so keep their order.
[[nodiscard]] std::uint32_t partition_of_sender(std::string_view name, std::uint32_t partitions);

/// Number of the column called `name`, exactly, else ignoring case; -1 = none. Names that differ
/// in case only are told apart by their exact spelling.
[[nodiscard]] int column_named(const schema& columns, const std::string& name);

} // namespace ebb
