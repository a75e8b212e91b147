/// The tokens that the server knows now.
#pragma once

#include "actors/gateway/token_store.hpp"

#include <optional>
#include <string>

namespace ebb {

/// Follows the file of tokens: what people add or revoke holds from the next refresh. Not
/// thread-safe.
class token_guard {
public:
  /// An empty folder: there are no tokens, everybody is let in.
  [[nodiscard]] static result<token_guard> open(const std::string& folder);

  /// Null: everybody is let in. Never null again once there were tokens, also when the file goes
  /// or is damaged: then nobody is.
  [[nodiscard]] const token_store* tokens() const noexcept {
    return tokens_ ? &*tokens_ : nullptr;
  }

  /// Whether a request with the token of this id (empty: with none) would still be let in.
  [[nodiscard]] bool holds(std::string_view id, micros now) const;

  /// Whether some token would be good at `now`.
  [[nodiscard]] bool any_good(micros now) const;

  /// Reads the file again if it has changed, and writes times of use.
  void refresh();

  void used(std::string_view id, micros now) {
    unsaved_ = tokens_->used(id, now) || unsaved_;
  }

private:
  std::optional<token_file> file_;
  std::optional<token_store> tokens_;
  std::string version_;
  bool unsaved_ = false;
};

} // namespace ebb
