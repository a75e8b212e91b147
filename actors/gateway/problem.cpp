#include "actors/gateway/problem.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace ebb {

http_problem make_problem(int status, std::string type, std::string detail, std::string field,
                          std::string hint) {
  http_problem out;
  out.status = status;
  out.type = std::move(type);
  out.detail = std::move(detail);
  out.field = std::move(field);
  out.hint = std::move(hint);
  return out;
}

http_problem problem_of(const error& x) {
  auto out = make_problem(500, "internal", x.message, x.place.field, x.hint);
  out.line = x.place.line;
  out.column = x.place.column;
  switch (x.code) {
  case ec::invalid_argument:
    out.status = 400;
    out.type = "invalid";
    break;
  case ec::unsupported:
    out.status = 422;
    out.type = "unsupported";
    break;
  case ec::not_found:
    out.status = 404;
    out.type = "not-found";
    break;
  case ec::conflict:
    out.status = 409;
    out.type = "conflict";
    break;
  case ec::bad_record:
    out.status = 400;
    out.type = "bad-record";
    break;
  case ec::evaluation:
    out.status = 400;
    out.type = "evaluation";
    break;
  case ec::resource:
    out.status = 429;
    out.type = "limit-reached";
    out.retry_after_seconds = 1;
    break;
  case ec::cancelled:
    out.status = 503;
    out.type = "cancelled";
    out.retry_after_seconds = 1;
    break;
  case ec::io:
    out.type = "input-output";
    break;
  case ec::corrupt:
    out.type = "corrupt";
    break;
  case ec::internal:
    break;
  }
  return out;
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
  case 100:
    return "Continue";
  case 200:
    return "OK";
  case 201:
    return "Created";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 304:
    return "Not Modified";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 406:
    return "Not Acceptable";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 417:
    return "Expectation Failed";
  case 422:
    return "Unprocessable Content";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 503:
    return "Service Unavailable";
  case 505:
    return "HTTP Version Not Supported";
  default:
    return "Unknown";
  }
}

std::string to_json(const http_problem& x) {
  nlohmann::ordered_json out{{"type", std::string(problem_type_base) + x.type},
                             {"title", reason_phrase(x.status)},
                             {"status", x.status},
                             {"detail", x.detail}};
  if (!x.field.empty())
    out["field"] = x.field;
  if (x.line != 0)
    out["line"] = x.line;
  if (x.column != 0)
    out["column"] = x.column;
  if (!x.hint.empty())
    out["hint"] = x.hint;
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace ebb
