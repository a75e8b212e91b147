/// Copies text out of buffers that are mostly waste.
#pragma once

#include "schemas/batch.hpp"

namespace ebb {

/// A few rows picked from a large batch keep its whole text alive, so memory could be many times
/// the bytes counted. Where a text column's buffers are more than four times its text, the text is
/// copied; else the same batch comes back.
[[nodiscard]] batch_ptr compact_text(batch_ptr rows);

} // namespace ebb
