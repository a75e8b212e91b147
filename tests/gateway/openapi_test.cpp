// The OpenAPI document and the reference in docs/http.md.

#include "actors/gateway/openapi.hpp"

#include "actors/gateway/message_receipt.hpp"
#include "actors/gateway/service_routes.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

// GCC 12 sees uninitialised functions in <regex> where sanitizers are on.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <fstream>
#include <regex>
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

BOOST_AUTO_TEST_CASE(knows_the_receipts_that_are_written) {
  message_receipt x{"orders", {{0, 5, 7}, {3, 1, 1}}, ack_level::committed, true, "orders:0:7"};
  const auto made = json::parse(to_json(x));
  const auto schema = json::parse(named_schema("Receipt"));
  for (const auto& name : schema.at("required"))
    BOOST_TEST(made.contains(name.get<std::string>()));
  for (const auto& [name, value] : made.items())
    BOOST_TEST(schema.at("properties").contains(name));
  BOOST_TEST(made.at("partitions") == json::parse(R"([{"partition":0,"first":5,"last":7},
                                {"partition":3,"first":1,"last":1}])"));
  BOOST_TEST(made.at("ack") == "committed");
  BOOST_TEST(made.at("duplicate") == true);
  for (const auto level : {ack_level::logged, ack_level::checkpointed, ack_level::committed})
    BOOST_TEST((ack_level_of(to_string(level)) == level));
  x.duplicate = false;
  BOOST_TEST(!json::parse(to_json(x)).contains("duplicate"));
}

BOOST_AUTO_TEST_CASE(has_patterns_that_say_what_is_taken) {
  const auto whole = json::parse(openapi_document(service_routes(), "1"));
  for (const auto& p :
       whole.at("paths").at("/v1/topics/{topic}/messages").at("post").at("parameters"))
    if (p.at("name") == "timeout") {
      const std::regex pattern(p.at("schema").at("pattern").get<std::string>());
      for (const char* good : {"0ms", "0s", "0d", "1ms", "600000ms", "599999ms", "99999ms", "600s",
                               "10m", "9m", "599s"})
        BOOST_TEST(std::regex_match(good, pattern), good);
      for (const char* bad : {"600001ms", "601s", "11m", "1h", "1d", "01s", "1", "s", "700s"})
        BOOST_TEST(!std::regex_match(bad, pattern), bad);
    }
}

BOOST_AUTO_TEST_CASE(is_what_the_documentation_says) {
  std::ifstream file(EBB_SOURCE_ROOT "/docs/http.md");
  std::stringstream text;
  text << file.rdbuf();
  const auto reference = route_reference(service_routes());
  BOOST_TEST((text.str().find(reference) != std::string::npos),
             "docs/http.md does not end with the reference of the routes; it should be:\n"
                 << reference);
}

BOOST_AUTO_TEST_SUITE_END()
