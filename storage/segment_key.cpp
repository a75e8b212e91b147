#include "storage/segment_key.hpp"

#include <algorithm>
#include <xxhash.h>

namespace ebb {

stored_key::stored_key(segment_area area, std::uint16_t key_group, std::uint16_t state,
                       std::string_view key) noexcept {
  bytes_[0] = static_cast<char>(area);
  bytes_[1] = static_cast<char>(key_group >> 8);
  bytes_[2] = static_cast<char>(key_group & 0xff);
  bytes_[3] = static_cast<char>(state >> 8);
  bytes_[4] = static_cast<char>(state & 0xff);
  const auto kept = std::min(key.size(), stored_key_max - prefix_bytes);
  if (kept != 0)
    std::memcpy(bytes_.data() + prefix_bytes, key.data(), kept);
  size_ = prefix_bytes + kept;
  if (kept == key.size())
    return;
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(key.data(), key.size()));
  std::memcpy(bytes_.data() + size_, hash.digest, sizeof hash.digest);
  size_ += sizeof hash.digest;
}

stored_key_parts split_stored_key(std::string_view stored) noexcept {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(stored[i]));
  };
  stored_key_parts parts;
  parts.area = static_cast<segment_area>(stored[0]);
  parts.key_group = static_cast<std::uint16_t>(byte(1) << 8 | byte(2));
  parts.state = static_cast<std::uint16_t>(byte(3) << 8 | byte(4));
  parts.is_long = stored.size() > stored_key_max;
  parts.key = stored.substr(stored_key::prefix_bytes,
                            std::min(stored.size(), stored_key_max) - stored_key::prefix_bytes);
  return parts;
}

} // namespace ebb
