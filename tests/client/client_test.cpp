// Which service, as whom: addresses, contexts, settings; and what its problems become.

#include "tools/client/contexts.hpp"
#include "tools/client/endpoint.hpp"
#include "tools/client/kinds.hpp"
#include "tools/client/problem_error.hpp"
#include "tools/client/settings.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace ebb;
using namespace ebb::client;

BOOST_AUTO_TEST_SUITE(client_settings)

BOOST_AUTO_TEST_CASE(addresses) {
  struct {
    const char* text;
    endpoint expected;
  } const good[] = {
      {"http://127.0.0.1:8181", {false, "127.0.0.1", 8181, ""}},
      {"HTTPS://ebb.example", {true, "ebb.example", 443, ""}},
      {"http://h/", {false, "h", 80, ""}},
      {"http://h/a/b//", {false, "h", 80, "/a/b"}},
      {"localhost", {false, "localhost", 8181, ""}},
      {"localhost:1", {false, "localhost", 1, ""}},
      {"http://[::1]:65535/x", {false, "::1", 65535, "/x"}},
      {"https://[fe80::1]", {true, "fe80::1", 443, ""}},
  };

  for (const auto& x : good) {
    const auto parsed = parse_endpoint(x.text);
    BOOST_REQUIRE_MESSAGE(parsed, x.text);
    BOOST_TEST((*parsed == x.expected), x.text << " is read as " << url_of(*parsed));
    // What is printed is read back equal.
    BOOST_TEST((*parse_endpoint(url_of(*parsed)) == *parsed), url_of(*parsed));
  }
  for (const char* text : {"", "http://", "ftp://h", "http://h:0", "http://h:65536", "http://h:x",
                           "http://h:80x", "http://u@h", "http://h?x=1", "http://h#f", "h h",
                           "http://[::1", "::1", "http://h\r\nX: y"}) {
    const auto parsed = parse_endpoint(text);
    BOOST_TEST(!parsed, text);
    if (!parsed)
      BOOST_TEST((parsed.error().code == ec::invalid_argument));
  }
  BOOST_TEST(authority_of({false, "::1", 80, ""}) == "[::1]:80");
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"})
    BOOST_TEST(is_loopback({false, host, 80, ""}), host);
  for (const char* host : {"10.0.0.1", "127.example", "localhost.example", "::2"})
    BOOST_TEST(!is_loopback({false, host, 80, ""}), host);
}

BOOST_AUTO_TEST_CASE(encoding) {
  BOOST_TEST(percent_encoded("az-AZ.09_~") == "az-AZ.09_~");
  BOOST_TEST(percent_encoded("a/b c+%&=\r\n") == "a%2Fb%20c%2B%25%26%3D%0D%0A");
  BOOST_TEST(percent_encoded("é") == "%C3%A9");
}

BOOST_AUTO_TEST_CASE(contexts_come_back) {
  context_file all;
  all.contexts["plain"] = {"https://h", "ebb_1", "team", "/ca.pem", std::string(64, 'a')};
  all.contexts["odd: \"name\"\\"] = {"", "a\nb\t\x7f#'", "", "", ""};
  all.contexts["no"] = {"http://h", "", "", "", ""};
  all.current = "no";
  const auto read = parse_contexts(to_yaml(all), "f");
  BOOST_REQUIRE_MESSAGE(read, (read ? "" : to_string(read.error())));
  BOOST_TEST((*read == all), to_yaml(all));
  BOOST_TEST((*parse_contexts(to_yaml({}), "f") == context_file{}));
  BOOST_TEST((*parse_contexts("", "f") == context_file{}));
  for (const char* text :
       {"- a", "current: [x]", "contexts: 7", "contexts: {a: 7}", "contexts: {a: {server: []}}",
        "current: b\ncontexts: {a: {}}", "currant: a", "contexts: {a: {tokn: x}}", "{"})
    BOOST_TEST(!parse_contexts(text, "f"), text);
}

struct settled {
  std::map<std::string, std::string> variables;
  context_file contexts;
  connection_options options;

  [[nodiscard]] result<settings> get() const {
    return settle(options, contexts, [&](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::string{} : found->second;
    });
  }
};

BOOST_AUTO_TEST_CASE(options_come_before_variables_before_contexts) {
  settled x;
  BOOST_TEST(url_of(x.get()->server) == default_server);
  BOOST_TEST(x.get()->name_space == "default");
  x.contexts.contexts = {{"a", {"https://a", "token-a", "space-a", "/a.pem", ""}},
                         {"b", {"https://b", "token-b", "", "", std::string(64, 'B')}}};
  x.contexts.current = "a";
  BOOST_TEST(x.get()->server.host == "a");
  BOOST_TEST(x.get()->token == "token-a");
  BOOST_TEST(x.get()->tls.ca == "/a.pem");
  BOOST_TEST(x.get()->name_space == "space-a");
  x.variables["EBB_CONTEXT"] = "b";
  BOOST_TEST(x.get()->token == "token-b");
  BOOST_TEST(x.get()->tls.pin == std::string(64, 'b'));
  // Another server gets nothing of the context but the namespace.
  x.variables["EBB_SERVER"] = "https://c";
  BOOST_TEST(x.get()->server.host == "c");
  BOOST_TEST(x.get()->token == "");
  BOOST_TEST(x.get()->tls.pin == "");
  x.variables["EBB_TOKEN"] = "token-c";
  BOOST_TEST(x.get()->token == "token-c");
  // A context by option comes before a server by variable.
  x.options.context = "a";
  BOOST_TEST(x.get()->server.host == "a");
  BOOST_TEST(x.get()->token == "token-c");
  x.options.server = "https://d";
  x.options.name_space = "n";
  x.options.request_timeout = "2s";
  BOOST_TEST(x.get()->server.host == "d");
  BOOST_TEST(x.get()->name_space == "n");
  BOOST_TEST(x.get()->request_timeout.count() == 2000);
  x.options.context = "c";
  BOOST_TEST((x.get().error().code == ec::not_found));
}

BOOST_AUTO_TEST_CASE(what_is_not_sent) {
  settled x;
  x.variables["EBB_TOKEN"] = "t";
  BOOST_TEST(bool(x.get()));
  x.options.server = "http://10.0.0.1";
  BOOST_TEST(!x.get());
  x.options.server = "https://10.0.0.1";
  BOOST_TEST(bool(x.get()));
  x.variables["EBB_TOKEN"] = "t\r\nX: y";
  BOOST_TEST(!x.get());
  x.variables.clear();
  x.options = {};
  x.options.pin = "12:34";
  BOOST_TEST(!x.get());
  x.options.pin = std::string(64, 'a');
  BOOST_TEST(!x.get()); // the server is at http://
  x.options.pin.clear();
  x.options.request_timeout = "0s";
  BOOST_TEST(!x.get());
}

BOOST_AUTO_TEST_CASE(kinds_by_any_name) {
  for (const char* word : {"stream", "streams", "Stream", "STREAMS"})
    BOOST_TEST(kind_named(word)->plural == std::string("streams"), word);
  BOOST_TEST(kind_named("topcs").error().hint == "did you mean topics?");
  BOOST_TEST(!kind_named(""));
  BOOST_TEST(target_of("topic/a", "")->name == "a");
  BOOST_TEST(target_of("topic", "a")->name == "a");
  BOOST_TEST(target_of("topics", "")->name == "");
  for (const auto& [word, name] :
       {std::pair{"topic/a", "b"}, std::pair{"topic/", ""}, std::pair{"/a", ""}})
    BOOST_TEST(!target_of(word, name), word);
}

BOOST_AUTO_TEST_CASE(problems) {
  const auto of = [](int status, const char* body) { return problem_error({status, {}, body}); };
  BOOST_TEST((of(400, "{}").code == ec::invalid_argument));
  BOOST_TEST((of(422, "{}").code == ec::invalid_argument));
  BOOST_TEST((of(404, "{}").code == ec::not_found));
  BOOST_TEST((of(409, "{}").code == ec::conflict));
  BOOST_TEST((of(503, "{}").code == ec::resource));
  BOOST_TEST((of(500, "{}").code == ec::io));
  const auto whole = of(400, R"({"title":"T","detail":"d","field":"f","hint":"h","line":3,
                               "column":4,"errors":["x",{"field":"y","detail":"z"}]})");
  BOOST_TEST(to_string(whole) == "line 3, column 4: f: d\n  x\n  y: z\nhint: h");
  BOOST_TEST(of(500, R"({"title":"T"})").message == "T");
  // Nonsense instead of a document.
  for (const char* body : {"", "<html>", "[]", "7", R"({"detail":7,"line":-1,"column":1e99})"})
    BOOST_TEST(of(500, body).message != "", body);
  BOOST_TEST(!of(401, "").hint.empty());
  http_response busy{429, {{"retry-after", "7"}}, ""};
  BOOST_TEST(is_passing(busy));
  BOOST_TEST(retry_after(busy)->count() == 7);
  for (const char* text : {"", "x", "-1", "7x", "Wed, 21 Oct 2026 07:28:00 GMT"}) {
    busy.headers["retry-after"] = text;
    BOOST_TEST(!retry_after(busy), text);
  }
  for (const int status : {400, 401, 404, 409, 500})
    BOOST_TEST(!is_passing({status, {}, ""}), status);
}

BOOST_AUTO_TEST_SUITE_END()
