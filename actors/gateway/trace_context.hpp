/// W3C trace context of requests.
#pragma once

#include <random>
#include <string>
#include <string_view>

namespace ebb {

/// Whether it is a traceparent of version 00 with ids that are not all zero.
[[nodiscard]] bool is_traceparent(std::string_view text) noexcept;

/// The trace that a traceparent belongs to: 32 digits. Empty where it is none.
[[nodiscard]] std::string trace_id_of(std::string_view traceparent);

/// Makes new ones, not sampled. Ids are random, not secret. Not thread-safe.
class trace_source {
public:
  trace_source();

  [[nodiscard]] std::string next();

private:
  std::mt19937_64 random_;
};

} // namespace ebb
