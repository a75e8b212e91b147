/// What the API server says, and what that means. Pure.
#pragma once

#include "k8s-bridge/client/kube_world.hpp"
#include "schemas/error.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace ebb {

using kube_json = nlohmann::json;

/// At most 64 deep. ec::corrupt.
[[nodiscard]] result<kube_json> parse_kube_json(std::string_view text);

/// Member by names, null where one is missing or no object. The object outlives it.
[[nodiscard]] const kube_json* member(const kube_json& of,
                                      std::initializer_list<const char*> names);
/// The same; empty or 0 where it is not of that type.
[[nodiscard]] std::string text_at(const kube_json& of, std::initializer_list<const char*> names);
[[nodiscard]] std::int64_t number_at(const kube_json& of, std::initializer_list<const char*> names);

struct kube_answer {
  int status = 0; ///< of HTTP; 0 = there was no answer
  kube_json body;
  std::string reason; ///< the server's, `AlreadyExists`
  micros retry_after = 0;
  std::optional<error> problem; ///< absent: it is done

  [[nodiscard]] bool ok() const noexcept {
    return !problem;
  }

  [[nodiscard]] bool is_not_found() const noexcept {
    return status == 404;
  }

  [[nodiscard]] bool is_conflict() const noexcept {
    return status == 409;
  }

  /// Another try may heal it.
  [[nodiscard]] bool is_passing() const noexcept {
    return status == 0 || status == 409 || status == 429 || status >= 500 || status == 401
           || status == 403 || status == 408;
  }
};

/// `what` was being done, for the message: `create pod x`.
[[nodiscard]] kube_answer read_answer(const std::string& what, result<kube_response> from);

/// A Status object's error, also one that comes as a watch's ERROR event.
[[nodiscard]] error status_error(const std::string& what, const kube_json& status);

} // namespace ebb
