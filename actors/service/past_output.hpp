/// What becomes of output behind a savepoint, as messages say it and as the runtime does.
#pragma once

#include "actors/runtime/start_check.hpp"
#include "schemas/link_records.hpp"

namespace ebb {

[[nodiscard]] constexpr past_output past_output_of(link_past_output x) noexcept {
  switch (x) {
  case link_past_output::refuse:
    return past_output::refuse;
  case link_past_output::rewind:
    return past_output::rewind;
  case link_past_output::keep:
    return past_output::keep;
  }
  return past_output::refuse;
}

} // namespace ebb
