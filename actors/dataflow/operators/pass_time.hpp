/// What operators do with time that they hold nothing back from.
#pragma once

#include "actors/dataflow/operator.hpp"

namespace ebb {

/// A watermark, or that there is none to wait for, goes on; other items mean nothing.
inline void pass_time(const stream_item& item, output& out) {
  if (item.kind == item_kind::watermark)
    out.advance(item.time);
  else if (item.kind == item_kind::idle)
    out.idle();
}

} // namespace ebb
