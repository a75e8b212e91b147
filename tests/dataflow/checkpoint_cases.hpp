/// Inputs and cases for tests of checkpoints.
#pragma once

#include "tests/dataflow/checkpoint_harness.hpp"
#include "tests/dataflow/joins_support.hpp"

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace ebb::test {

/// time, key, value, text as a number
extern const std::vector<sql_type> event_types;
/// window start and end, key, value
extern const std::vector<sql_type> window_types;

using make_row = std::function<cells(std::mt19937_64&, std::uint32_t input, micros time)>;

/// Batches of each input, of fewer than `rows_max` rows, with times around one that goes on, and
/// watermarks behind it.
[[nodiscard]] std::vector<scripted_item> script_of(const std::vector<std::vector<sql_type>>& inputs,
                                                   const make_row& row, std::mt19937_64& random,
                                                   std::size_t items = 100,
                                                   std::size_t rows_max = 24);

[[nodiscard]] cells event_row(std::mt19937_64& random, std::uint32_t input, micros time);
[[nodiscard]] cells window_row(std::mt19937_64& random, std::uint32_t input, micros time);

[[nodiscard]] checkpoint_case
case_of(const std::string& name, std::vector<std::vector<sql_type>> inputs,
        std::vector<route> routes, std::vector<std::vector<std::uint32_t>> keys,
        const operator_spec& spec, const make_row& row, std::mt19937_64& random);

[[nodiscard]] window_spec window_of(window_kind kind, micros size, micros slide = 0);

/// Calls check(random, seed) with seeds that are new each time, or EBB_SEED's.
template <class Check>
void with_seeds(const char* what, Check check, std::uint64_t count = 1) {
  const auto first = next_seed(what);
  for (auto seed = first; seed < first + count; ++seed)
    BOOST_TEST_CONTEXT("seed " + std::to_string(seed)) {
      std::mt19937_64 random(seed);
      check(random, seed);
    }
}

} // namespace ebb::test
