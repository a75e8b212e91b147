/// Messages of every kind with values at the edges, and how they are compared.
#pragma once

#include "schemas/link_records.hpp"

#include <string>
#include <vector>

namespace ebb::links_test {

[[nodiscard]] stream_entry sample_stream();
[[nodiscard]] checkpoint_record sample_record();

/// At least one for each operation.
[[nodiscard]] std::vector<call_operation> sample_operations();

/// At least one for each kind of value, and errors.
[[nodiscard]] std::vector<call_outcome> sample_outcomes();

/// At least one for each kind.
[[nodiscard]] std::vector<peer_message> sample_peer_messages();
[[nodiscard]] std::vector<link_message> sample_messages();

/// Value by value; rows by their bytes.
[[nodiscard]] bool is_same(const call_outcome& a, const call_outcome& b);
[[nodiscard]] bool is_same(const link_message& a, const link_message& b);

/// A TEXT and a BIGINT column.
[[nodiscard]] batch_ptr sample_rows(std::uint32_t rows);

} // namespace ebb::links_test
