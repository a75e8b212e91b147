#include "actors/gateway/response_text.hpp"

#include "actors/gateway/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace ebb {

namespace {

void put_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  const auto begin = out.size();
  out += value;
  // A value may hold what a client sent: it must not begin another header.
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  out += "\r\n";
}

} // namespace

std::string response_head(const http_response& x, body_framing framing, bool keep_alive,
                          bool http_1_0, std::string_view date) {
  std::string out;
  constexpr std::size_t usual_size = 320;
  out.reserve(usual_size);
  out += "HTTP/1.1 ";
  out += std::to_string(x.status);
  out += ' ';
  out += reason_phrase(x.status);
  out += "\r\nDate: ";
  out += date;
  out += "\r\n";
  if (!x.content_type.empty())
    put_header(out, "Content-Type", x.content_type);
  constexpr int no_content = 204;
  if (framing == body_framing::chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (framing == body_framing::length && x.status != no_content) {
    out += "Content-Length: ";
    out += std::to_string(x.body.size());
    out += "\r\n";
  }
  if (!keep_alive)
    out += "Connection: close\r\n";
  else if (http_1_0)
    out += "Connection: keep-alive\r\n";
  out += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  for (const auto& [name, value] : x.headers)
    put_header(out, name, value);
  out += "\r\n";
  return out;
}

std::string http_date(std::int64_t unix_seconds) {
  constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm t{};
  ::gmtime_r(&seconds, &t);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[t.tm_wday], t.tm_mday,
                     months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

} // namespace ebb
