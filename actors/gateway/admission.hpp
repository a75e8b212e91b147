/// Whether a request may go on once its head is there, and as what. Pure.
#pragma once

#include "actors/gateway/http_request.hpp"
#include "actors/gateway/problem.hpp"
#include "actors/gateway/request_reader.hpp"
#include "actors/gateway/token_store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace ebb {

struct admission_rules {
  const route_table* routes = nullptr;
  /// Null: whoever reaches this loopback address may do everything, unless a web page of elsewhere
  /// sends it (Host and Origin must name this machine).
  const token_store* tokens = nullptr;
  micros now = 0;
};

struct admission {
  std::shared_ptr<http_request> request; ///< all but body, peer, trace and time; null: see below
  std::optional<http_problem> problem;   ///< refused
  std::string allow;                     ///< of OPTIONS: the methods; neither of the two above then
  int route = -1;                        ///< index in the table, if one was found
  std::uint64_t body_max = 0;            ///< bytes
};

/// In this order: path, method, who it is, body's type and size, Accept, parameters. Nobody learns
/// whether a thing exists before it is known who asks.
[[nodiscard]] admission admit(const request_head& head, const admission_rules& rules);

} // namespace ebb
