#include "tools/simulation/input.hpp"

#include "tools/simulation/dice.hpp"

namespace ebb::sim {

namespace {

constexpr micros first_time = 1'704'067'200'000'000; // 2024-01-01
constexpr micros time_step = 40'000;

} // namespace

input_row source_input::row(std::uint32_t partition, std::uint32_t offset) const noexcept {
  dice random(seed ^ dice::mixed((std::uint64_t{partition} << 32) + offset + 1));
  input_row x;
  x.key = static_cast<std::int64_t>(random.below(keys));
  x.value = static_cast<std::int64_t>(random.below(1000));
  x.time = first_time + offset * time_step - static_cast<micros>(random.below(max_delay));
  x.partition = partition;
  x.offset = offset;
  return x;
}

std::vector<input_row> source_input::all() const {
  std::vector<input_row> result;
  for (std::uint32_t p = 0; p < rows.size(); ++p)
    for (std::uint32_t o = 0; o < rows[p]; ++o)
      result.push_back(row(p, o));
  return result;
}

} // namespace ebb::sim
