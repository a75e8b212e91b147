// The OpenAPI document and the reference in docs/http.md.

#include "actors/gateway/openapi.hpp"

#include "actors/gateway/service_routes.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>
#include <sstream>

using namespace ebb;
using nlohmann::json;

namespace {

// Every `$ref` of the document leads to something.
void check_references(const json& whole, const json& x) {
  if (x.is_object()) {
    if (const auto found = x.find("$ref"); found != x.end()) {
      const auto pointer = found->get<std::string>();
      BOOST_TEST(whole.contains(json::json_pointer(pointer.substr(1))), pointer);
    }
    for (const auto& item : x)
      check_references(whole, item);
  } else if (x.is_array()) {
    for (const auto& item : x)
      check_references(whole, item);
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(openapi)

BOOST_AUTO_TEST_CASE(describes_every_route) {
  const auto routes = service_routes();
  const auto whole = json::parse(openapi_document(routes, "1.2.3"));
  BOOST_TEST(whole.at("openapi") == "3.1.0");
  BOOST_TEST(whole.at("info").at("version") == "1.2.3");
  check_references(whole, whole);
  std::size_t operations = 0;
  std::set<std::string> ids;
  for (const auto& [path, methods] : whole.at("paths").items())
    for (const auto& [method, one] : methods.items()) {
      ++operations;
      ids.insert(one.at("operationId").get<std::string>());
      BOOST_TEST(!one.at("responses").empty());
      for (const auto& [status, response] : one.at("responses").items())
        BOOST_TEST((response.contains("$ref") || response.contains("description")), path);
      // Each part of the path is a parameter.
      for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1)) {
        const auto name = path.substr(at + 1, path.find('}', at) - at - 1);
        bool found = false;
        for (const auto& p : one.at("parameters"))
          found =
              found || (p.at("name") == name && p.at("in") == "path" && p.at("required") == true);
        BOOST_TEST(found, path << ' ' << name);
      }
    }
  BOOST_TEST(operations == routes.all().size());
  BOOST_TEST(ids.size() == routes.all().size());
  const auto& append = whole.at("paths").at("/v1/topics/{topic}/messages").at("post");
  BOOST_TEST(append.at("requestBody").at("content").size() == 3U);
  BOOST_TEST(append.at("responses").at("413").at("$ref") == "#/components/responses/413");
  BOOST_TEST(whole.at("paths").at("/healthz").at("get").at("security").empty());
}

BOOST_AUTO_TEST_CASE(is_what_the_documentation_says) {
  std::ifstream file(EBB_SOURCE_ROOT "/docs/http.md");
  std::stringstream text;
  text << file.rdbuf();
  const auto reference = route_reference(service_routes());
  const bool same = text.str().find(reference) != std::string::npos;
  // Where it differs, this is what belongs there.
  if (!same)
    std::ofstream("/tmp/http-reference.md") << reference;
  BOOST_TEST(same, "docs/http.md does not end with the reference of the routes; it should be as "
                   "/tmp/http-reference.md");
}

BOOST_AUTO_TEST_SUITE_END()
