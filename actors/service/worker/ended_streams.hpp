/// Placements that have ended and that the control process may still ask about. Pure.
#pragma once

#include "schemas/link_records.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

/// How a placement ended is said when it has, and again after each welcome that accepts it, until
/// the control process lets the worker forget it: by a `stop_stream` with `kill`, which is answered
/// with the end once more and for the last time (a kill may have crossed the end), or by a welcome
/// that does not accept it. Kills of placements that are not known are not answered.
class ended_streams {
public:
  void add(stream_ended x, std::uint64_t generation);

  /// A newer placement of the stream has come: earlier ones are forgotten.
  void replace(const std::string& uid, std::uint64_t placement);

  /// For the hello.
  [[nodiscard]] std::vector<hosted_stream> hosted() const;

  [[nodiscard]] const stream_ended* find(const std::string& uid, std::uint64_t placement) const;

  /// The last thing to say of it.
  [[nodiscard]] std::optional<stream_ended> forget(const std::string& uid, std::uint64_t placement);

  /// What is to be said again; the others are forgotten.
  [[nodiscard]] std::vector<stream_ended> welcomed(const control_welcome& x);

  [[nodiscard]] std::size_t size() const noexcept {
    return streams_.size();
  }

private:
  struct entry {
    stream_ended end;
    std::uint64_t generation = 0;
  };

  std::map<std::pair<std::string, std::uint64_t>, entry> streams_; ///< by uid and placement
};

} // namespace ebb
