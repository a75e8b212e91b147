/// The pattern of a call of to_char() or to_number(): read once where it is constant, else row by
/// row.
#pragma once

#include "actors/dataflow/functions/number_pattern.hpp"
#include "actors/dataflow/functions/time_kernel.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace ebb::time_kernel {

struct bound_pattern final : bound_call {
  number_pattern::pattern how;
};

/// The pattern is the second argument; nothing is bound where it is not constant.
[[nodiscard]] inline result<std::shared_ptr<const bound_call>>
bind_numbers(std::span<const expr_ptr> args) {
  const auto& text = *args[1];
  if (text.kind != expr_kind::literal || text.value.is_null(0))
    return std::shared_ptr<const bound_call>();
  auto out = std::make_shared<bound_pattern>();
  EBB_ASSIGN(out->how, number_pattern::parse(text.value.text_of(0)));
  return std::shared_ptr<const bound_call>(std::move(out));
}

class row_patterns {
public:
  explicit row_patterns(const call_context& context)
      : bound_(context.bound == nullptr ? nullptr
                                        : &static_cast<const bound_pattern*>(context.bound)->how) {}

  /// The pattern of a row whose second argument is `text`; valid until the next call.
  [[nodiscard]] result<const number_pattern::pattern*> of(std::string_view text) {
    if (bound_ != nullptr)
      return bound_;
    EBB_ASSIGN(own_, number_pattern::parse(text));
    return &own_;
  }

private:
  const number_pattern::pattern* bound_;
  number_pattern::pattern own_;
};

} // namespace ebb::time_kernel
