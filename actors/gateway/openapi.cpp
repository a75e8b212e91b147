#include "actors/gateway/openapi.hpp"

#include "actors/gateway/parameters.hpp"
#include "actors/gateway/problem.hpp"
#include "schemas/assert.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace ebb {

namespace {

using json = nlohmann::ordered_json;

// The decimal numbers from 0 to `most`, as a regular expression.
std::string up_to(std::int64_t most) {
  const auto digits = std::to_string(most);
  std::string out = "0";
  if (digits.size() > 1)
    out += "|[1-9][0-9]{0," + std::to_string(digits.size() - 2) + '}';
  // Those with as many digits: the first i are those of `most`, the next is lower.
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const char least = i == 0 ? '1' : '0';
    if (digits[i] > least)
      out += '|' + digits.substr(0, i) + '[' + least + '-' + static_cast<char>(digits[i] - 1)
             + "][0-9]{" + std::to_string(digits.size() - 1 - i) + '}';
  }
  return most == 0 ? out : out + '|' + digits;
}

// None is required to have a least duration.
std::string duration_pattern(const parameter& x) {
  std::string out;
  for (const auto& [unit, millis] :
       {std::pair{"ms", 1}, std::pair{"s", 1'000}, std::pair{"m", 60'000},
        std::pair{"h", 3'600'000}, std::pair{"d", 86'400'000}})
    out += (out.empty() ? "^((" : "|(") + up_to(x.most / millis) + ')' + unit;
  return out + ")$";
}

json schema_of(const parameter& x) {
  json out;
  switch (x.kind) {
  case parameter_kind::text: {
    constexpr std::int64_t longest = 1'024;
    out = {{"type", "string"},
           {"minLength", x.least},
           {"maxLength", std::min(x.most, longest)},
           {"pattern", "^[^\\x00-\\x1f\\x7f]*$"}};
    break;
  }
  case parameter_kind::label:
    out = {{"type", "string"}, {"maxLength", 63}, {"pattern", "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"}};
    break;
  case parameter_kind::identifier:
    out = {{"type", "string"},
           {"maxLength", 63}, // Letters of other alphabets as well: all but the rest of ASCII.
           {"pattern", "^[^\\x00-\\x40\\x5b-\\x5e\\x60\\x7b-\\x7f]"
                       "[^\\x00-\\x2f\\x3a-\\x40\\x5b-\\x5e\\x60\\x7b-\\x7f]*$"}};
    break;
  case parameter_kind::integer:
    out = {{"type", "integer"}, {"format", "int64"}, {"minimum", x.least}, {"maximum", x.most}};
    break;
  case parameter_kind::boolean:
    out = {{"type", "boolean"}};
    break;
  case parameter_kind::choice:
    out = {{"type", "string"}, {"enum", x.choices}};
    break;
  case parameter_kind::duration:
    out = {{"type", "string"}, {"pattern", duration_pattern(x)}};
    break;
  case parameter_kind::position:
    out = {{"type", "string"}, {"pattern", "^(earliest|latest|0|[1-9][0-9]{0,17})$"}};
    break;
  }
  if (x.standard.empty())
    return out;
  if (x.kind == parameter_kind::boolean || x.kind == parameter_kind::integer)
    out["default"] = json::parse(x.standard);
  else
    out["default"] = x.standard;
  return out;
}

void put_parameters(json& to, const std::vector<parameter>& list, const char* where) {
  for (const auto& x : list)
    to.push_back({{"name", x.name},
                  {"in", where},
                  {"required", x.required || std::string_view(where) == "path"},
                  {"description", x.summary + ". " + expectation_of(x)},
                  {"schema", schema_of(x)}});
}

// Of a body or an answer. Of texts that are no JSON nothing is said.
json content_schema(const std::string& schema, std::set<std::string>& named) {
  if (schema.empty())
    return json::object();
  if (schema[0] == '{')
    return json::parse(schema);
  named.insert(schema);
  return {{"$ref", "#/components/schemas/" + schema}};
}

// What every route may answer besides its own failures, as far as it has what can be wrong.
std::set<int> failures_of(const route& x) {
  std::set<int> out(x.failures.begin(), x.failures.end());
  out.insert({400, 404, 405, 406, 408, 414, 431, 500, 503});
  if (x.access != route_access::open)
    out.insert({401, 403});
  if (!x.bodies.empty())
    out.insert({413, 415, 417});
  return out;
}

json responses_of(const route& x, std::set<std::string>& named) {
  json out = json::object();
  for (const auto& r : x.responses) {
    auto& one = out[std::to_string(r.status)];
    if (one.is_null())
      one = {{"description", r.summary}};
    if (!r.media_type.empty())
      one["content"][r.media_type] = {{"schema", content_schema(r.schema, named)}};
  }
  for (const auto status : failures_of(x))
    out[std::to_string(status)] = {{"$ref", "#/components/responses/" + std::to_string(status)}};
  return out;
}

json operation_of(const route& x, std::set<std::string>& named) {
  json out{{"operationId", to_string(x.call)}, {"summary", x.summary}};
  json parameters = json::array();
  put_parameters(parameters, x.path, "path");
  put_parameters(parameters, x.query, "query");
  put_parameters(parameters, x.headers, "header");
  if (!parameters.empty())
    out["parameters"] = std::move(parameters);
  if (!x.bodies.empty()) {
    json content = json::object();
    for (const auto& b : x.bodies)
      content[b.media_type] = {{"schema", content_schema(b.schema, named)}};
    out["requestBody"] = {{"required", true}, {"content", std::move(content)}};
  }
  out["responses"] = responses_of(x, named);
  if (x.access == route_access::open)
    out["security"] = json::array();
  else
    out["x-ebb-role"] = to_string(x.access);
  return out;
}

const char* method_key(http_method method) {
  switch (method) {
  case http_method::get:
    return "get";
  case http_method::post:
    return "post";
  case http_method::put:
    return "put";
  case http_method::delete_:
    return "delete";
  }
  return "";
}

} // namespace

std::string openapi_document(const route_table& routes, std::string_view version) {
  std::set<std::string> named{"Problem", "Resource"};
  std::set<int> failures;
  json paths = json::object();
  for (const auto& x : routes.all()) {
    paths[x.pattern][method_key(x.method)] = operation_of(x, named);
    failures.merge(failures_of(x));
  }
  json schemas = json::object();
  for (const auto& name : named) {
    const auto text = named_schema(name);
    EBB_ASSERT(!text.empty());
    schemas[name] = json::parse(text);
  }
  json responses = json::object();
  for (const auto status : failures) {
    auto& one = responses[std::to_string(status)];
    one = {
        {"description", reason_phrase(status)},
        {"content",
         {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
    if (status == 429 || status == 503)
      one["headers"]["Retry-After"] = {{"schema", {{"type", "integer"}}},
                                       {"description", "Seconds"}};
    if (status == 405)
      one["headers"]["Allow"] = {{"schema", {{"type", "string"}}}};
  }
  const json out{{"openapi", "3.1.0"},
                 {"info",
                  {{"title", "ebb"},
                   {"version", version},
                   {"summary", "Streams that cost nothing while nothing flows"},
                   {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
                 {"servers", json::array({{{"url", "/"}}})},
                 {"security", json::array({{{"token", json::array()}}})},
                 {"paths", std::move(paths)},
                 {"components",
                  {{"schemas", std::move(schemas)},
                   {"responses", std::move(responses)},
                   {"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
  return out.dump();
}

} // namespace ebb
