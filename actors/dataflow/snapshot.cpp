#include "actors/dataflow/snapshot.hpp"

#include "schemas/assert.hpp"

#include <limits>

namespace ebb {

void state_chunk::add(const entry& x) {
  EBB_ASSERT(x.key.size() <= std::numeric_limits<std::uint32_t>::max()
             && x.value.size() <= std::numeric_limits<std::uint32_t>::max());
  places_.push_back({bytes_.size(), static_cast<std::uint32_t>(x.key.size()),
                     static_cast<std::uint32_t>(x.value.size()), x.key_group, x.state, x.what});
  bytes_ += x.key;
  bytes_ += x.value;
}

state_chunk::entry state_chunk::at(std::size_t i) const noexcept {
  const auto& x = places_[i];
  const std::string_view bytes(bytes_);
  return {x.what, x.key_group, x.state, bytes.substr(x.at, x.key_size),
          bytes.substr(x.at + x.key_size, x.value_size)};
}

} // namespace ebb
