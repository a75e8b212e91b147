/// What sinks say that write in the background, found by a cast.
#pragma once

#include "schemas/error.hpp"

namespace ebb {

/// A sink whose errors are found behind its calls. While it is behind it is sent nothing more, and
/// so no other call would tell them.
class checked_sink {
public:
  virtual ~checked_sink() = default;
  /// An error found since; asked after each wake.
  [[nodiscard]] virtual result<void> check() const = 0;
};

} // namespace ebb
