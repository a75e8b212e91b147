#include "actors/gateway/openapi.hpp"
#include "actors/gateway/parameters.hpp"

#include <algorithm>

namespace ebb {

namespace {

// A bar would end the cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t mib = 1 << 20;
  return bytes % mib == 0 ? std::to_string(bytes / mib) + " MiB" : std::to_string(bytes) + " bytes";
}

void put_parameters(std::string& out, const std::vector<parameter>& list, const char* where) {
  for (const auto& x : list) {
    out += std::string("| ") + where + " `" + x.name + "` | " + cell(x.summary)
           + " | "
           // Said once on the page.
           + (x.kind == parameter_kind::label ? std::string("a name") : cell(expectation_of(x)));
    if (x.required)
      out += "; required";
    if (!x.standard.empty())
      out += "; default `" + x.standard + '`';
    out += " |\n";
  }
}

} // namespace

std::string route_reference(const route_table& routes) {
  std::string out;
  for (const auto& x : routes.all()) {
    out += std::string("### ") + to_string(x.method) + ' ' + x.pattern + "\n\n" + x.summary
           + ". For: " + to_string(x.access) + ".\n\n";
    if (!x.path.empty() || !x.query.empty() || !x.headers.empty()) {
      out += "| parameter | meaning | takes |\n|---|---|---|\n";
      put_parameters(out, x.path, "path");
      put_parameters(out, x.query, "query");
      put_parameters(out, x.headers, "header");
      out += '\n';
    }
    if (!x.bodies.empty()) {
      out += "Body: ";
      for (const auto& b : x.bodies)
        out += (&b == &x.bodies.front() ? "`" : ", `") + b.media_type + "` up to "
               + size_text(b.bytes_max);
      out += ".\n\n";
    }
    for (const auto& r : x.responses) {
      out += std::to_string(r.status);
      if (!r.media_type.empty())
        out += " `" + r.media_type + '`';
      out += ": " + r.summary + ". ";
    }
    if (!x.failures.empty()) {
      out += "Also ";
      for (const auto status : x.failures)
        out += (status == x.failures.front() ? "" : ", ") + std::to_string(status);
      out += '.';
    }
    while (out.back() == ' ')
      out.pop_back();
    out += "\n\n";
  }
  out.pop_back();
  return out;
}

} // namespace ebb
