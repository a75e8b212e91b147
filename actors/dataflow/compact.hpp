/// Copies text out of buffers that are mostly waste.
#pragma once

#include "schemas/batch.hpp"

#include <cstddef>
#include <vector>

namespace ebb {

/// Sizes of a batch.
struct batch_measure {
  std::size_t bytes = 0;         ///< as byte_size counts
  std::vector<std::size_t> text; ///< bytes of text by column; 0 where it holds none
};

/// Overwrites `out`, whose memory is used again.
void measure(const batch& rows, batch_measure& out);

/// A few rows picked from a large batch keep its whole text alive, so memory could be many times
/// the bytes counted. Where a text column's buffers are more than 16 times its text, the text is
/// copied; else the same batch comes back. `size` is what `measure` says of it.
[[nodiscard]] batch_ptr compact_text(batch_ptr rows, const batch_measure& size);

} // namespace ebb
