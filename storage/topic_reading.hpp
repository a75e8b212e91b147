/// The inside of a topic's reader.
#pragma once

#include "storage/topic_file.hpp"
#include "storage/topic_reader.hpp"
#include "storage/topic_slot.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

/// What a read may still take.
struct topic_room {
  std::size_t bytes = 0;
  std::uint64_t rows = 0;
  bool full = false;
};

/// Reads on from `slice.next` to `end`, all of which the file should hold, as long as there is
/// room. ec::corrupt where it does not hold it.
[[nodiscard]] result<void> read_topic_file(const topic_file& from, const lmdb_transaction& in,
                                           std::uint32_t partition, std::uint64_t end,
                                           topic_room& room, topic_slice& slice);

/// Reads the files of a log.
class topic_file_reading final : public topic_reader::implementation {
public:
  /// Without a slot: in another process than the writer's.
  topic_file_reading(std::string folder, const std::shared_ptr<topic_slot>& slot)
      : folder_(std::move(folder)), slot_(slot),
        open_(slot ? slot : std::make_shared<topic_slot>()) {}

  result<topic_slice> read(std::uint32_t partition, std::uint64_t offset,
                           const topic_read_limits& limits) override;
  result<std::vector<topic_bounds>> bounds() override;

private:
  struct view;

  result<std::shared_ptr<const topic_state>> current();
  result<view> look();
  result<std::shared_ptr<topic_file>> open_sealed(const sealed_topic_file& which);
  result<topic_slice> read(const view& now, std::uint32_t partition, std::uint64_t offset,
                           const topic_read_limits& limits);

  std::string folder_;
  std::shared_ptr<const topic_slot> slot_;
  std::shared_ptr<topic_slot> open_;         ///< the sealed files that are open
  std::shared_ptr<const topic_state> state_; ///< without a slot
};

} // namespace ebb
