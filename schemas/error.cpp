#include "schemas/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace ebb {

namespace detail {

void assertion_failed(const char* expression, const char* file, int line,
                      const char* message) noexcept {
  std::fprintf(stderr, "ebb: broken invariant at %s:%d: %s %s\n", file, line, expression, message);
  std::abort();
}

} // namespace detail

const char* to_string(ec code) noexcept {
  switch (code) {
  case ec::invalid_argument:
    return "invalid argument";
  case ec::unsupported:
    return "unsupported";
  case ec::not_found:
    return "not found";
  case ec::conflict:
    return "conflict";
  case ec::bad_record:
    return "bad record";
  case ec::evaluation:
    return "evaluation failed";
  case ec::io:
    return "I/O error";
  case ec::resource:
    return "resource limit";
  case ec::corrupt:
    return "corrupt data";
  case ec::cancelled:
    return "cancelled";
  case ec::internal:
    return "internal error";
  }
  return "unknown error";
}

error make_error(ec code, std::string message, std::string hint) {
  error result;
  result.code = code;
  result.message = std::move(message);
  result.hint = std::move(hint);
  return result;
}

std::string to_string(const error& x) {
  std::string text;
  if (!x.place.file.empty()) {
    text += x.place.file;
    if (x.place.line != 0) {
      text += ':' + std::to_string(x.place.line);
      if (x.place.column != 0)
        text += ':' + std::to_string(x.place.column);
    }
    text += ": ";
  } else if (x.place.line != 0) {
    text += "line " + std::to_string(x.place.line);
    if (x.place.column != 0)
      text += ", column " + std::to_string(x.place.column);
    text += ": ";
  }
  if (!x.place.field.empty())
    text += x.place.field + ": ";
  text += x.message;
  if (!x.excerpt.empty())
    text += '\n' + x.excerpt;
  if (!x.hint.empty())
    text += "\nhint: " + x.hint;
  return text;
}

} // namespace ebb
