/// A stream's files in the control process, for a worker that shares no folder with it.
#pragma once

#include "actors/links/placement_calls.hpp"
#include "storage/object_store.hpp"

#include <chrono>
#include <memory>

namespace ebb {

/// Each function is a call that blocks, and is repeated over a new connection where that does no
/// harm; so what was sent of a file is not sent again. Errors besides those of the store: see
/// `link_calls::call`. One piece a call is on the way, so memory and what waits in the link are
/// bounded by the callers.
class remote_objects final : public object_store {
public:
  /// `patience`: how long one call may take, the time without a connection included.
  remote_objects(std::shared_ptr<link_calls> calls, stream_placement from,
                 std::chrono::milliseconds patience = std::chrono::seconds(30));

  result<std::uint64_t> put(stored_area area, const std::string& name,
                            const stored_piece& piece) override;
  result<std::string> read(stored_area area, const std::string& name, std::uint64_t offset,
                           std::uint64_t bytes) override;
  result<std::vector<std::string>> list(stored_area area) override;
  result<void> remove(stored_area area, std::span<const std::string> names,
                      std::uint64_t generation) override;

private:
  placement_calls calls_;
};

} // namespace ebb
