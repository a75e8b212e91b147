/// The calls of a service, made by commands.
#pragma once

#include "tools/client/http_client.hpp"
#include "tools/client/json.hpp"
#include "tools/client/settings.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb::client {

using query = std::vector<std::pair<std::string, std::string>>;

/// `/v1/streams/NAME`: parts of a path, encoded.
[[nodiscard]] std::string path_of(const std::vector<std::string>& parts);
[[nodiscard]] std::string with_query(std::string path, const query& parameters);

/// The first line of several, without its end; takes it off.
[[nodiscard]] std::string_view take_line(std::string_view& lines);

/// One service. Answers that are not good become their problem's error. Errors: those of the
/// client, and problem_error().
class api {
public:
  /// From options, environment and contexts; connects at the first call.
  [[nodiscard]] static result<api> open(const connection_options& options);

  explicit api(settings from);

  /// JSON of a GET. The namespace is added to the parameters.
  [[nodiscard]] result<http_response> get(const std::string& path, query parameters = {});

  /// As get(), but lost connections and a busy service are tried again, for half a minute: a
  /// service may be replaced while one looks at it.
  [[nodiscard]] result<http_response> get_patiently(const std::string& path,
                                                    const query& parameters = {});

  /// All pages of a list, as one object with `items`. `body` is as the service sent it where it
  /// is one page.
  struct whole_list {
    json all;
    std::string body;
  };

  [[nodiscard]] result<whole_list> list(const std::string& path, bool patiently = false);

  [[nodiscard]] result<http_response> post(const std::string& path, query parameters,
                                           std::string_view body = {},
                                           const std::string& content_type = {});
  [[nodiscard]] result<http_response> remove(const std::string& path);

  /// Gives the head of an NDJSON answer, then its lines, several at a time as they come, each with
  /// its end; false = enough. ec::io where it ends before it is complete.
  using whole_lines = std::function<result<bool>(std::string_view lines)>;
  [[nodiscard]] result<void> lines(const std::string& path, query parameters,
                                   const http_headers& headers, bool follow,
                                   const http_client::head_seen& see, const whole_lines& take);

  /// Path and query with the namespace, for requests that a command makes itself.
  [[nodiscard]] std::string target(const std::string& path, query parameters) const;

  [[nodiscard]] const std::string& name_space() const noexcept {
    return settings_.name_space;
  }

  void use_name_space(const std::string& name) {
    settings_.name_space = name;
  }

  [[nodiscard]] http_client& client() noexcept {
    return client_;
  }

private:
  [[nodiscard]] result<http_response> ask(const http_request& request);

  settings settings_;
  http_client client_;
};

} // namespace ebb::client
