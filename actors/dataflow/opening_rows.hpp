/// What operators say of rows that no input brings to the subtask that they run in, which finds
/// them by a cast.
#pragma once

namespace ebb {

/// An operator whose result has rows before its first input.
class opening_rows {
public:
  virtual ~opening_rows() = default;
  /// This instance's may have: its first item is then a watermark with time min_time, at a stream's
  /// first start as after its state was loaded. What it has emitted belongs to its state, so that
  /// it is not emitted again.
  [[nodiscard]] virtual bool opens() const noexcept = 0;
};

} // namespace ebb
