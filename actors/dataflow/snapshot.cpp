#include "actors/dataflow/snapshot.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <limits>

namespace ebb {

void state_chunk::add(const entry& x) {
  EBB_ASSERT(x.key.size() <= std::numeric_limits<std::uint32_t>::max()
             && x.value.size() <= std::numeric_limits<std::uint32_t>::max());
  const auto bytes = x.key.size() + x.value.size();
  if (bytes > room_) {
    room_ = std::max(bytes, chunk_piece::usual_bytes);
    // Most snapshots do not fill their first piece.
    bytes_.emplace_back(room_, !bytes_.empty());
    next_ = bytes_.back().get();
  }
  if (size_ % places_a_piece == 0)
    places_.emplace_back().reserve(places_a_piece);
  places_.back().push_back({next_, static_cast<std::uint32_t>(x.key.size()),
                            static_cast<std::uint32_t>(x.value.size()), x.key_group, x.state,
                            x.what});
  next_ = std::copy(x.key.begin(), x.key.end(), next_);
  next_ = std::copy(x.value.begin(), x.value.end(), next_);
  room_ -= bytes;
  bytes_size_ += bytes;
  ++size_;
}

state_chunk::entry state_chunk::at(std::size_t i) const noexcept {
  const auto& x = places_[i / places_a_piece][i % places_a_piece];
  return {x.what, x.key_group, x.state, {x.at, x.key_size}, {x.at + x.key_size, x.value_size}};
}

} // namespace ebb
