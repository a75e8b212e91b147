// Targets, parameters, media types, routes: the rules that need no socket.

#include "actors/gateway/admission.hpp"
#include "actors/gateway/media_type.hpp"
#include "actors/gateway/parameters.hpp"
#include "actors/gateway/request_target.hpp"
#include "actors/gateway/response_text.hpp"
#include "actors/gateway/service_routes.hpp"
#include "actors/gateway/trace_context.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace ebb;

namespace {

std::string path_text(std::string_view target) {
  const auto parsed = parse_target(target);
  if (const auto* wrong = std::get_if<http_problem>(&parsed))
    return std::to_string(wrong->status);
  std::string out;
  for (const auto& x : std::get<request_target>(parsed).path)
    out += '/' + x;
  for (const auto& [name, value] : std::get<request_target>(parsed).query)
    out += ' ' + name + '=' + value;
  return out;
}

const route_table& routes() {
  static const auto out = service_routes();
  return out;
}

// Of a request without tokens.
admission ask(std::string_view method, std::string_view target, request_head head = {}) {
  head.method = method;
  head.target = target;
  return admit(head, {&routes(), nullptr, 0});
}

int status_of(const admission& x) {
  return x.problem ? x.problem->status : x.request ? 200 : 204;
}

request_head with_body(std::string_view type, std::uint64_t bytes = 2) {
  request_head out;
  out.content_type = type;
  out.content_length = bytes;
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_rules)

BOOST_AUTO_TEST_CASE(gives_a_path_one_spelling) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"/", ""},
      {"/a/b", "/a/b"},
      {"/%61/b%2D", "/a/b-"},
      {"http://host/a", "/a"},
      {"https://host:1?x=1", "400"},
      {"http://host", "400"},
      {"/a?x=1&y=%26+%2B&z", "/a x=1 y=& + z="},
      {"/a?", "/a"},
      {"/a?&&x=&", "/a x="},
      {"/a?x=1?2=3", "/a x=1?2=3"},
      {"/%C3%A9", "/\xC3\xA9"},
      {"", "400"},
      {"a", "400"},
      {"//", "400"},
      {"//a", "400"},
      {"/a//b", "400"},
      {"/a/", "400"},
      {"/./a", "400"},
      {"/a/..", "400"},
      {"/%2e%2e/a", "400"},
      {"/%2E/a", "400"},
      {"/a%2Fb", "400"},
      {"/a%2fb", "400"},
      {"/a%5Cb", "400"},
      {"/a\\b", "400"},
      {"/a%252Fb", "/a%2Fb"},
      {"/a%00", "400"},
      {"/a%0a", "400"},
      {"/a%7F", "400"},
      {"/a%", "400"},
      {"/a%2", "400"},
      {"/a%g0", "400"},
      {"/%FF", "400"},
      {"/%C0%AF", "400"},
      {"/%ED%A0%80", "400"},
      {"/a#b", "400"},
      {"/a?x=%", "400"},
      {"/a?x=%FF", "400"},
      {"/a?=1", "400"},
  };
  for (const auto& [target, expected] : cases)
    BOOST_TEST(path_text(target) == expected, target << " gives " << path_text(target));
}

BOOST_AUTO_TEST_CASE(finds_routes_by_path_and_verb) {
  const auto call = [](std::string_view method, std::string_view target) {
    const auto got = ask(method, target);
    return got.request ? std::string(to_string(got.request->to->call))
                       : std::to_string(status_of(got));
  };
  BOOST_TEST(call("GET", "/v1/streams") == "listStreams");
  BOOST_TEST(call("GET", "/v1/streams/a") == "getStream");
  BOOST_TEST(call("DELETE", "/v1/streams/a") == "deleteStream");
  BOOST_TEST(call("POST", "/v1/streams/a:sleep") == "sleepStream");
  BOOST_TEST(call("POST", "/v1/streams/a%3Asleep") == "sleepStream");
  BOOST_TEST(call("POST", "/v1/streams/a:dance") == "404");
  BOOST_TEST(call("POST", "/v1/streams/a:b:sleep") == "404");
  BOOST_TEST(call("GET", "/v1/streams/a:sleep") == "405");
  BOOST_TEST(call("POST", "/v1/streams/a") == "405");
  BOOST_TEST(call("GET", "/v1/streams/A") == "404");
  BOOST_TEST(call("GET", "/v1/streams/a%20b") == "404");
  BOOST_TEST(call("GET", "/V1/streams") == "404");
  BOOST_TEST(call("GET", "/v1/streams/a/state/hourly?key=a%3D7") == "streamState");
  BOOST_TEST(call("GET", "/v1/streams/a/state/1") == "404");
  BOOST_TEST(call("GET", "/healthz/x") == "404");
  BOOST_TEST(call("GET", "/v1/streams/healthz/x") == "404");
  BOOST_TEST(call("OPTIONS", "/v1/streams/a:sleep") == "204");
  BOOST_TEST(ask("GET", "/v1/topics/orders/messages").request->part("topic") == "orders");
}

BOOST_AUTO_TEST_CASE(checks_values_by_kind) {
  using kind = parameter_kind;

  struct check {
    parameter of;
    std::string text;
    bool good;
    std::int64_t number;
  };

  const parameter number{
      .name = "n", .kind = kind::integer, .summary = "s", .least = 1, .most = 1'000};
  const parameter any{.name = "n", .kind = kind::integer, .summary = "s"};
  const parameter time{.name = "n", .kind = kind::duration, .summary = "s", .most = 600'000};
  const parameter text{.name = "n", .kind = kind::text, .summary = "s", .least = 1, .most = 3};
  const parameter flag{.name = "n", .kind = kind::boolean, .summary = "s"};
  const parameter where{.name = "n", .kind = kind::position, .summary = "s"};
  const parameter label{.name = "n", .kind = kind::label, .summary = "s"};
  const parameter name{.name = "n", .kind = kind::identifier, .summary = "s"};
  const std::vector<check> cases{
      {number, "1", true, 1},
      {number, "1000", true, 1'000},
      {number, "0", false, 0},
      {number, "1001", false, 0},
      {number, "", false, 0},
      {number, "-1", false, 0},
      {number, "+1", false, 0},
      {number, "01", false, 0},
      {number, " 1", false, 0},
      {number, "1.0", false, 0},
      {number, "1e2", false, 0},
      {any, "0", true, 0},
      {any, "9223372036854775807", true, INT64_MAX},
      {any, "9223372036854775808", false, 0},
      {time, "0s", true, 0},
      {time, "250ms", true, 250},
      {time, "10m", true, 600'000},
      {time, "11m", false, 0},
      {time, "1", false, 0},
      {time, "s", false, 0},
      {time, "1w", false, 0},
      {time, "1.5s", false, 0},
      {time, "9223372036854775807d", false, 0},
      {text, "abc", true, 0},
      {text, "", false, 0},
      {text, "\xC3\xA9\xC3\xA9\xC3\xA9", true, 0},
      {text, "\xFF", false, 0},
      {text, "abcd", false, 0},
      {text, "a\x01", false, 0},
      {flag, "true", true, 1},
      {flag, "false", true, 0},
      {flag, "TRUE", false, 0},
      {flag, "1", false, 0},
      {where, "earliest", true, 0},
      {where, "latest", true, -1},
      {where, "7", true, 7},
      {where, "-1", false, 0},
      {label, "a-1", true, 0},
      {label, std::string(63, 'a'), true, 0},
      {label, std::string(64, 'a'), false, 0},
      {label, "-a", false, 0},
      {label, "a-", false, 0},
      {label, "a_b", false, 0},
      {label, "", false, 0},
      {name, "a_1", true, 0},
      {name, "1a", false, 0},
      {name, "a-b", false, 0},
  };
  for (const auto& x : cases) {
    std::vector<http_request::value> values;
    const auto wrong = check_values({x.of}, {{"n", x.text}}, "query", values);
    BOOST_TEST(!wrong == x.good, x.text);
    if (wrong) {
      BOOST_TEST(wrong->field == "query.n");
      BOOST_TEST(!wrong->hint.empty());
    } else {
      BOOST_TEST(values[0].number == x.number, x.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_parameters_that_it_does_not_know) {
  const auto unknown = ask("GET", "/v1/streams?limt=5");
  BOOST_REQUIRE(unknown.problem.has_value());
  BOOST_TEST(unknown.problem->status == 400);
  BOOST_TEST(unknown.problem->field == "query.limt");
  BOOST_TEST(unknown.problem->hint == "did you mean limit?");
  const auto twice = ask("GET", "/v1/streams?limit=5&limit=6");
  BOOST_REQUIRE(twice.problem.has_value());
  BOOST_TEST(twice.problem->type == "parameter-twice");
  const auto missing = ask("POST", "/v1/streams/s:scale");
  BOOST_REQUIRE(missing.problem.has_value());
  BOOST_TEST(missing.problem->type == "parameter-missing");
  BOOST_TEST(missing.problem->field == "query.parallelism");
  BOOST_TEST(status_of(ask("GET", "/healthz?verbose")) == 400);

  // A misspelt header would break what a producer relies on.
  auto head = with_body("application/json");
  head.parameters = {{"Ebb-Sequense", "5"}};
  const auto header = ask("POST", "/v1/topics/t/messages", head);
  BOOST_REQUIRE(header.problem.has_value());
  BOOST_TEST(header.problem->field == "header.Ebb-Sequense");
  BOOST_TEST(header.problem->hint == "did you mean Ebb-Sequence?");
  head.parameters = {{"ebb-sequence", "5"}, {"EBB-PRODUCER", "p"}};
  const auto good = ask("POST", "/v1/topics/t/messages", head);
  BOOST_REQUIRE(good.request);
  BOOST_TEST(good.request->header_value("Ebb-Sequence")->number == 5);
  BOOST_TEST(good.request->header_value("Ebb-Producer")->text == "p");
  BOOST_TEST((good.request->header_value("Idempotency-Key") == nullptr));
  // Elsewhere this header is nobody's.
  request_head plain;
  plain.parameters = {{"Idempotency-Key", "k"}};
  BOOST_TEST(status_of(ask("GET", "/v1/streams", plain)) == 200);
  plain.parameters = {{"Ebb-Sequence", "1"}};
  BOOST_TEST(status_of(ask("GET", "/v1/streams", plain)) == 400);
}

BOOST_AUTO_TEST_CASE(takes_the_bodies_that_a_route_takes) {
  const auto post = [](const request_head& head) {
    return status_of(ask("POST", "/v1/topics/t/messages", head));
  };
  BOOST_TEST(post(with_body("application/json")) == 200);
  BOOST_TEST(post(with_body("Application/JSON; charset=\"UTF-8\"")) == 200);
  BOOST_TEST(post(with_body("application/x-ndjson")) == 200);
  BOOST_TEST(post(with_body("application/json; charset=latin1")) == 415);
  BOOST_TEST(post(with_body("application/x-www-form-urlencoded")) == 415);
  BOOST_TEST(post(with_body("")) == 415);
  BOOST_TEST(post(with_body("json")) == 415);
  BOOST_TEST(post(with_body("application/json", 0)) == 400);
  BOOST_TEST(post(with_body("application/json", (16 << 20))) == 200);
  BOOST_TEST(post(with_body("application/json", (16 << 20) + 1)) == 413);
  BOOST_TEST(post(with_body("application/json", UINT64_MAX)) == 413);
  auto compressed = with_body("application/json");
  compressed.content_encoding = "gzip";
  BOOST_TEST(post(compressed) == 415);
  compressed.content_encoding = "identity";
  BOOST_TEST(post(compressed) == 200);
  BOOST_TEST(status_of(ask("GET", "/v1/streams", with_body("application/json"))) == 400);
  const auto typed = ask("POST", "/v1/topics/t/messages", with_body("APPLICATION/json;x=y"));
  BOOST_TEST(typed.request->content_type == "application/json");
  BOOST_TEST(typed.body_max == 16U << 20);
}

BOOST_AUTO_TEST_CASE(chooses_what_the_client_likes_best) {
  const std::vector<std::string_view> offered{"application/x-ndjson", "text/event-stream"};
  const std::vector<std::pair<std::string, int>> cases{
      {"", 0},
      {"*/*", 0},
      {"text/*", 1},
      {"text/event-stream", 1},
      {"TEXT/EVENT-STREAM", 1},
      {"application/x-ndjson;q=0.5, text/event-stream", 1},
      {"application/x-ndjson, text/event-stream;q=0.9", 0},
      {"*/*;q=0.1, text/event-stream", 1},
      {"application/x-ndjson;q=0, */*", 1},
      {"*/*, application/x-ndjson;q=0", 1},
      {"image/png", -1},
      {"image/png, */*;q=0.001", 0},
      {"*/*;q=0", -1},
      {"text/event-stream;q=2", -1},
      {"text/event-stream;q=a", -1},
      {"text", -1},
      {",,", -1},
  };
  for (const auto& [accept, expected] : cases)
    BOOST_TEST(choose_media_type(accept, offered) == expected, accept);
  request_head head;
  head.accept = "text/event-stream";
  BOOST_TEST(ask("GET", "/v1/topics/t/messages", head).request->accept == "text/event-stream");
  BOOST_TEST(status_of(ask("GET", "/v1/streams", head)) == 406);
}

BOOST_AUTO_TEST_CASE(keeps_pages_of_elsewhere_out_where_there_are_no_tokens) {
  const auto from = [](std::string_view host, std::string_view origin) {
    request_head head;
    head.host = host;
    head.origin = origin;
    return status_of(ask("GET", "/v1/streams", head));
  };
  BOOST_TEST(from("localhost:8181", "") == 200);
  BOOST_TEST(from("127.0.0.1:8181", "") == 200);
  BOOST_TEST(from("127.9.9.9", "") == 200);
  BOOST_TEST(from("[::1]:8181", "") == 200);
  BOOST_TEST(from("LOCALHOST", "http://localhost:3000") == 200);
  BOOST_TEST(from("evil.example", "") == 403);
  BOOST_TEST(from("127.evil.example", "") == 403);
  BOOST_TEST(from("localhost.evil.example", "") == 403);
  BOOST_TEST(from("localhost", "http://evil.example") == 403);
  BOOST_TEST(from("localhost", "null") == 403);
  BOOST_TEST(from("localhost", "http://localhost.evil.example") == 403);
}

BOOST_AUTO_TEST_CASE(refuses_tables_that_do_not_hold_together) {
  const auto make = [](std::vector<route> routes) {
    return static_cast<bool>(route_table::make(std::move(routes)));
  };
  const route good{.call = api_call::get_stream,
                   .pattern = "/a/{x}",
                   .summary = "s",
                   .path = {{.name = "x", .summary = "s"}},
                   .responses = {{200, {}, "s"}}};
  BOOST_TEST(make({good}));
  BOOST_TEST(!make({good, good}));
  auto other = good;
  other.pattern = "/a/{y}";
  BOOST_TEST(!make({other}));
  other.path[0].name = "y";
  BOOST_TEST(!make({good, other}));
  other.pattern = "/a/{y}:b";
  BOOST_TEST(make({good, other}));
  other.path.clear();
  BOOST_TEST(!make({other}));
  other = good;
  other.query = {{.name = "c", .kind = parameter_kind::choice, .summary = "s"}};
  BOOST_TEST(!make({other}));
  other = good;
  other.pattern = "a";
  BOOST_TEST(!make({other}));
}

BOOST_AUTO_TEST_CASE(has_a_route_for_every_call) {
  std::vector<int> seen(api_call_count);
  for (const auto& x : routes().all())
    ++seen[static_cast<std::size_t>(x.call)];
  for (int i = 0; i < api_call_count; ++i)
    BOOST_TEST(seen[static_cast<std::size_t>(i)] == 1, to_string(static_cast<api_call>(i)));
}

BOOST_AUTO_TEST_CASE(lets_no_value_begin_another_header) {
  const auto head = response_head({200, "a/b", "", {{"X", "y\r\nSet-Cookie: z"}}},
                                  body_framing::length, true, false, http_date(0));
  BOOST_TEST(head.find("\r\nSet-Cookie") == std::string::npos);
  BOOST_TEST(head.find("X: y  Set-Cookie: z\r\n") != std::string::npos);
  BOOST_TEST(head.find("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(knows_trace_contexts) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  BOOST_TEST(is_traceparent(good));
  BOOST_TEST(trace_id_of(good) == "4bf92f3577b34da6a3ce929d0e0e4736");
  BOOST_TEST(trace_id_of(good + "0") == "");
  BOOST_TEST(!is_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  BOOST_TEST(!is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
  BOOST_TEST(!is_traceparent("01" + good.substr(2)));
  BOOST_TEST(!is_traceparent(good + "0"));
  BOOST_TEST(!is_traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  BOOST_TEST(!is_traceparent(""));
  trace_source source;
  const auto one = source.next();
  BOOST_TEST(is_traceparent(one));
  BOOST_TEST(one != source.next());
}

BOOST_AUTO_TEST_CASE(writes_problems_that_can_be_read) {
  const auto text = to_json(make_problem(404, "not-found", "no \xFF\" here", "path", "look\n"));
  BOOST_TEST(text
             == "{\"type\":\"https://ebb.dev/problems/not-found\",\"title\":\"Not Found\","
                "\"status\":404,\"detail\":\"no \xEF\xBF\xBD\\\" here\",\"field\":\"path\","
                "\"hint\":\"look\\n\"}");
  auto bad = make_error(ec::bad_record, "x");
  bad.place.line = 57;
  bad.place.field = "price";
  const auto problem = problem_of(bad);
  BOOST_TEST(problem.status == 400);
  BOOST_TEST(problem.line == 57U);
  BOOST_TEST(problem.field == "price");
  for (int i = 0; i <= static_cast<int>(ec::internal); ++i)
    BOOST_TEST(reason_phrase(problem_of(make_error(static_cast<ec>(i), "x")).status) != "Unknown");
}

BOOST_AUTO_TEST_SUITE_END()
