#include "storage/digest.hpp"

#include "schemas/assert.hpp"
#include "storage/files.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>
#include <xxhash.h>

namespace ebb {

namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10;

} // namespace

struct digester::state {
  XXH3_state_t* hash = XXH3_createState();

  state() = default;

  ~state() {
    XXH3_freeState(hash);
  }

  state(const state&) = delete;
  state& operator=(const state&) = delete;
};

digester::digester() : state_(std::make_unique<state>()) {
  EBB_ASSERT(state_->hash != nullptr);
  XXH3_128bits_reset(state_->hash);
}

digester::~digester() = default;

void digester::add(const char* bytes, std::size_t size) noexcept {
  XXH3_128bits_update(state_->hash, bytes, size);
}

digest128 digester::value() const noexcept {
  const auto value = XXH3_128bits_digest(state_->hash);
  return {value.high64, value.low64};
}

result<digest128> digest_of_file(const std::string& path) {
  EBB_ASSIGN(const auto file, owned_file::open_to_read(path));
  EBB_ASSIGN(const auto bytes, file.size());
  digester hash;
  std::vector<char> block(block_bytes);
  for (std::uint64_t at = 0; at != bytes;) {
    const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), bytes - at));
    EBB_TRY(file.read_at(at, block.data(), some));
    hash.add(block.data(), some);
    at += some;
  }
  return hash.value();
}

} // namespace ebb
