/// Rows of a topic as a client gets them: lines of JSON, or server-sent events.
#pragma once

#include "actors/connectors/file_format.hpp"
#include "actors/service/topics/topic_cursor.hpp"
#include "actors/service/topics/topic_settings.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Used by one thread at a time.
class message_text {
public:
  enum class event_ids : std::uint8_t {
    none,
    offset,    ///< of the row
    positions, ///< the next offsets of all partitions that are read: a client can go on with them
  };

  struct form {
    bool events = false; ///< server-sent: `id`, `data`, an empty line
    bool meta = false;   ///< {partition, offset, time, value} in place of the row
    event_ids ids = event_ids::none;
  };

  message_text(const topic_settings& topic, const form& how);

  /// Appends the rows. `after`: positions behind them, of all partitions that are read.
  [[nodiscard]] result<void> add(const topic_cursor::unit& what,
                                 const std::vector<topic_cursor::position>& after,
                                 std::string& out);

private:
  void add_line(const topic_cursor::unit& what, std::uint64_t offset, std::string_view row,
                std::string_view time, std::string& out) const;

  const form form_;
  const std::unique_ptr<record_writer> writer_;
  output_buffer rows_;
};

/// `0:17,1:4`: positions as the header Ebb-Next and ids of events have them.
[[nodiscard]] std::string position_text(const std::vector<topic_cursor::position>& x);

/// The reverse; nothing where it is no such text.
[[nodiscard]] std::optional<std::vector<topic_cursor::position>>
parse_positions(std::string_view x);

} // namespace ebb
