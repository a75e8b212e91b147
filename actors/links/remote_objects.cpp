#include "actors/links/remote_objects.hpp"

#include <utility>

namespace ebb {

remote_objects::remote_objects(std::shared_ptr<link_calls> calls, stream_placement from,
                               std::chrono::milliseconds patience)
    : calls_(std::move(calls), std::move(from), patience) {}

result<std::uint64_t> remote_objects::put(stored_area area, const std::string& name,
                                          const stored_piece& piece) {
  return calls_.get<std::uint64_t>(store_put_call{area, name, piece});
}

result<std::string> remote_objects::read(stored_area area, const std::string& name,
                                         std::uint64_t offset, std::uint64_t bytes) {
  EBB_ASSIGN(auto piece, calls_.get<link_bytes>(store_read_call{area, name, offset, bytes}));
  return std::move(piece.bytes);
}

result<std::vector<std::string>> remote_objects::list(stored_area area) {
  return calls_.get<std::vector<std::string>>(store_list_call{area});
}

result<void> remote_objects::remove(stored_area area, std::span<const std::string> names,
                                    std::uint64_t generation) {
  EBB_TRY(calls_.get<std::monostate>(
      store_remove_call{area, {names.begin(), names.end()}, generation}));
  return {};
}

} // namespace ebb
