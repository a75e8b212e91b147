/// Calls to the control process in the name of one placement of a stream.
#pragma once

#include "actors/links/link_calls.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <variant>

namespace ebb {

/// Thread-safe.
class placement_calls {
public:
  /// `patience`: how long one call may take, the time without a connection included.
  placement_calls(std::shared_ptr<link_calls> calls, stream_placement from,
                  std::chrono::milliseconds patience)
      : calls_(std::move(calls)), from_(std::move(from)), patience_(patience) {}

  /// Blocks. Errors as link_calls::call; ec::internal where the answer is another call's.
  template <class T>
  [[nodiscard]] result<T> get(call_operation operation) const {
    auto outcome = calls_->call(from_, std::move(operation), patience_);
    if (!outcome)
      return std::move(outcome).error();
    auto* value = std::get_if<T>(&*outcome);
    if (value == nullptr)
      return make_error(ec::internal, "the control process has answered another call");
    return std::move(*value);
  }

private:
  std::shared_ptr<link_calls> calls_;
  stream_placement from_;
  std::chrono::milliseconds patience_;
};

} // namespace ebb
