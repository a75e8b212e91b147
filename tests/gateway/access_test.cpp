// Every route with every kind of credential, over a real socket, against a matrix written by hand.

#include "actors/gateway/token_store.hpp"
#include "tests/gateway/http_client.hpp"
#include "tests/gateway/server_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace ebb;
using namespace ebb::test;
using namespace std::chrono_literals;

namespace {

enum class who { anybody, any_token, viewers, submitters, operators };

// No default: a new call does not compile until it is known who may make it.
who expected(api_call call) {
  switch (call) {
  case api_call::healthz:
  case api_call::readyz:
    return who::anybody;
  case api_call::get_ack:
  case api_call::openapi:
    return who::any_token;
  case api_call::append_messages:
    return who::submitters;
  case api_call::list_streams:
  case api_call::get_stream:
  case api_call::list_topics:
  case api_call::get_topic:
  case api_call::list_functions:
  case api_call::get_function:
  case api_call::read_messages:
  case api_call::get_operation:
  case api_call::stream_graph:
  case api_call::stream_checkpoints:
  case api_call::stream_wakes:
  case api_call::stream_decisions:
  case api_call::stream_errors:
  case api_call::stream_why:
  case api_call::stream_logs:
  case api_call::stream_state:
  case api_call::verify:
  case api_call::metrics:
    return who::viewers;
  case api_call::apply:
  case api_call::delete_stream:
  case api_call::delete_topic:
  case api_call::delete_function:
  case api_call::sleep_stream:
  case api_call::wake_stream:
  case api_call::scale_stream:
  case api_call::savepoint_stream:
  case api_call::restore_stream:
    return who::operators;
  }
  return who::operators;
}

bool may(who needed, access_role role) {
  switch (needed) {
  case who::anybody:
  case who::any_token:
    return true;
  case who::viewers:
    return role != access_role::submitter;
  case who::submitters:
    return role != access_role::viewer;
  case who::operators:
    return role == access_role::operator_;
  }
  return false;
}

struct credential {
  std::string name;
  std::string header;
  bool known = false;
  access_role role = access_role::viewer;
  bool scoped = false; ///< to topic `mine`
};

int expected_status(const route& to, const credential& x, bool foreign_topic) {
  const auto needed = expected(to.call);
  if (needed == who::anybody)
    return 200;
  if (!x.known)
    return 401;
  if (!may(needed, x.role))
    return 403;
  const bool about_topic = to.pattern.find("{topic}") != std::string::npos;
  if (x.scoped && needed != who::any_token && (!about_topic || foreign_topic))
    return 403;
  return 200;
}

std::string path_of(const route& to, bool foreign_topic) {
  std::string out = to.pattern;
  for (const auto& p : to.path) {
    const auto value = p.name == "topic" ? foreign_topic ? "other" : "mine" : "x";
    const auto at = out.find('{' + p.name + '}');
    out.replace(at, p.name.size() + 2, value);
  }
  std::string query;
  for (const auto& p : to.query)
    if (p.required)
      query += (query.empty() ? "?" : "&") + p.name + '='
               + (p.kind == parameter_kind::integer ? "1" : "x");
  return out + query;
}

std::string request_of(const route& to, const std::string& method, const credential& x,
                       bool foreign_topic) {
  std::string out =
      method + ' ' + path_of(to, foreign_topic) + " HTTP/1.1\r\nHost: h\r\n" + x.header;
  if (to.bodies.empty())
    return out + "\r\n";
  return out + "Content-Type: " + to.bodies[0].media_type + "\r\nContent-Length: 2\r\n\r\n{}";
}

struct with_tokens {
  with_tokens() {
    token_store store;
    const auto far = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const auto make = [&](const char* name, access_role role, bool scoped) {
      const auto made = store.create(
          {role, scoped ? std::vector<std::string>{"mine"} : std::vector<std::string>{}, max_time},
          far);
      credentials.push_back(
          {name, "Authorization: Bearer " + made->text + "\r\n", true, role, scoped});
    };
    make("viewer", access_role::viewer, false);
    make("submitter", access_role::submitter, false);
    make("operator", access_role::operator_, false);
    make("viewer of a topic", access_role::viewer, true);
    make("submitter of a topic", access_role::submitter, true);
    make("operator of a topic", access_role::operator_, true);
    const auto expired = store.create({access_role::operator_, {}, 2}, 1);
    const auto revoked = store.create({access_role::operator_, {}, max_time}, far);
    BOOST_REQUIRE(static_cast<bool>(store.revoke(revoked->record.id)));
    const auto good = credentials[2].header;
    const auto bearer = good.substr(0, good.size() - 2);
    credentials.push_back({"none", "", false});
    credentials.push_back({"expired", "Authorization: Bearer " + expired->text + "\r\n", false});
    credentials.push_back({"revoked", "Authorization: Bearer " + revoked->text + "\r\n", false});
    credentials.push_back({"cut", bearer.substr(0, bearer.size() - 1) + "\r\n", false});
    credentials.push_back({"longer", bearer + "0\r\n", false});
    credentials.push_back({"empty", "Authorization:\r\n", false});
    credentials.push_back({"no token", "Authorization: Bearer \r\n", false});
    credentials.push_back({"two spaces", "Authorization: Bearer  " + good.substr(22), false});
    credentials.push_back({"other scheme", "Authorization: Basic " + good.substr(22), false});
    credentials.push_back({"in the query", "X-Token: " + good.substr(22), false});
    BOOST_REQUIRE(static_cast<bool>(token_file(folder.path()).save(store)));
    tokens = store;
    http_options how;
    how.token_folder = folder.path();
    server = std::make_unique<server_fixture>(how);
  }

  scratch_folder folder;
  token_store tokens;
  std::vector<credential> credentials;
  std::unique_ptr<server_fixture> server;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(http_access, with_tokens)

BOOST_AUTO_TEST_CASE(is_as_the_matrix_says) {
  const auto routes = service_routes();
  int reached = 0;
  server->service.on_request([&](std::shared_ptr<const http_request>, http_reply reply) {
    ++reached;
    reply.json(200, "{}");
  });
  http_client client(server->port());
  int expected_reached = 0;
  int checks = 0;
  for (const auto& to : routes.all())
    for (const auto& x : credentials)
      for (const bool foreign : {false, true}) {
        const auto method = std::string(to_string(to.method));
        const auto status = expected_status(to, x, foreign);
        const auto answer = client.ask(request_of(to, method, x, foreign));
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST(answer->status == status, method << ' ' << to.pattern << " with " << x.name
                                                    << ": " << answer->status << " instead of "
                                                    << status);
        BOOST_TEST(answer->headers.count("www-authenticate") == (status == 401 ? 1U : 0U));
        const bool own = to.call == api_call::metrics || to.call == api_call::healthz
                         || to.call == api_call::readyz || to.call == api_call::openapi;
        expected_reached += status == 200 && !own ? 1 : 0;
        ++checks;
        if (to.method != http_method::get)
          continue;
        const auto head = client.ask(request_of(to, "HEAD", x, foreign), true);
        BOOST_REQUIRE(head.has_value());
        BOOST_TEST(head->status == status);
        expected_reached += status == 200 && !own ? 1 : 0;
        ++checks;
      }
  BOOST_TEST(reached == expected_reached);
  BOOST_TEST_MESSAGE(checks << " requests");
}

BOOST_AUTO_TEST_CASE(is_not_passed_by_odd_spellings) {
  http_client client(server->port());
  for (const char* path :
       {"/healthz/../v1/streams", "/healthz/%2e%2e/v1/streams", "/healthz%2F..%2Fv1/streams",
        "//v1/streams", "/v1//streams", "/v1/streams/", "/./v1/streams", "/v1/streams;/healthz",
        "/v1/streams?/healthz", "/v1/streams%3F/healthz", "/V1/STREAMS", "/v1/streams%00",
        "/v1/streams/..%2f..%2fhealthz", "/v1/streams%252F", "http://healthz/v1/streams",
        "/healthz/v1/streams", "/v1/healthz", "*"}) {
    const auto answer = client.ask(get(path));
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST((answer->status == 400 || answer->status == 401 || answer->status == 404),
               path << " gives " << answer->status);
  }
}

BOOST_AUTO_TEST_CASE(tells_the_service_who_it_is) {
  http_client client(server->port());
  caller seen;
  server->service.on_request([&](std::shared_ptr<const http_request> request, http_reply reply) {
    seen = request->from;
    reply.json(200, "{}");
  });
  BOOST_TEST(client.ask(get("/v1/acks/x", credentials[3].header)).value().status == 200);
  BOOST_TEST((seen.role == access_role::viewer));
  BOOST_TEST(seen.token == tokens.all()[3].id);
  BOOST_TEST(seen.may_use_topic("mine"));
  BOOST_TEST(!seen.may_use_topic("other"));
  BOOST_TEST(client.ask(get("/v1/acks/x", credentials[0].header)).value().status == 200);
  BOOST_TEST(seen.may_use_topic("other"));
}

BOOST_AUTO_TEST_CASE(holds_no_longer_when_a_token_is_revoked) {
  http_client client(server->port());
  BOOST_TEST(client.ask(get("/v1/streams", credentials[0].header)).value().status == 200);
  auto store = tokens;
  BOOST_REQUIRE(static_cast<bool>(store.revoke(store.all()[0].id)));
  BOOST_REQUIRE(static_cast<bool>(token_file(folder.path()).save(store)));
  int status = 200;
  for (int i = 0; i < 100 && status == 200; ++i) {
    std::this_thread::sleep_for(50ms);
    status = client.ask(get("/v1/streams", credentials[0].header)).value().status;
  }
  BOOST_TEST(status == 401);
  BOOST_TEST(client.ask(get("/v1/streams", credentials[2].header)).value().status == 200);
}

BOOST_AUTO_TEST_CASE(ends_answers_that_go_on_with_their_token) {
  std::vector<http_stream> streams;
  server->service.on_request([&](std::shared_ptr<const http_request>, http_reply reply) {
    streams.push_back(reply.stream(200, "text/event-stream"));
    (void)streams.back().write("data: 1\n\n");
  });
  auto store = tokens;
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  const auto soon = store.create({access_role::viewer, {}, now + 3 * micros_per_second}, now);
  BOOST_REQUIRE(static_cast<bool>(soon));
  BOOST_REQUIRE(static_cast<bool>(token_file(folder.path()).save(store)));
  std::this_thread::sleep_for(1200ms);
  const auto follow = [&](http_client& client, const std::string& header) {
    client.send(get("/v1/topics/t/messages", "Accept: text/event-stream\r\n" + header));
    BOOST_TEST(client.read_until("data: 1\n\n").find("data: 1") != std::string::npos);
  };
  http_client good(server->port());
  http_client revoked(server->port());
  http_client expired(server->port());
  follow(good, credentials[2].header);
  follow(revoked, credentials[0].header);
  follow(expired, "Authorization: Bearer " + soon->text + "\r\n");
  BOOST_REQUIRE(static_cast<bool>(store.revoke(store.all()[0].id)));
  BOOST_REQUIRE(static_cast<bool>(token_file(folder.path()).save(store)));
  // Cut: a client must not take what it has for all.
  BOOST_TEST(revoked.read_until("0\r\n\r\n").find("0\r\n\r\n") == std::string::npos);
  BOOST_TEST((streams[1].write("data: 2\n\n") == http_stream::taken::closed));
  BOOST_TEST(expired.ends_within(3500ms));
  BOOST_TEST((streams[2].write("data: 2\n\n") == http_stream::taken::closed));
  (void)streams[0].write("data: 2\n\n");
  BOOST_TEST(good.read_until("data: 2\n\n").find("data: 2") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(exposure)

BOOST_AUTO_TEST_CASE(needs_tls_and_tokens_off_loopback) {
  scratch_folder folder;
  scripted_service service;
  const auto start = [&](http_options how) {
    metrics_registry metrics;
    how.address = "0.0.0.0";
    how.port = 0;
    how.token_folder = folder.path();
    auto started = http_server::start(how, service_routes(), service, metrics);
    if (started)
      return std::string();
    BOOST_TEST((started.error().code == ec::invalid_argument));
    return to_string(started.error());
  };
  BOOST_TEST(start({}).find("needs TLS") != std::string::npos);
  http_options tls;
  tls.tls_certificate = tls.tls_key = folder.path() + "/missing.pem";
  BOOST_TEST(start(tls).find("needs tokens") != std::string::npos);
  BOOST_TEST(start(tls).find("ebb auth init") != std::string::npos);
  token_store store;
  BOOST_REQUIRE(static_cast<bool>(store.create({access_role::viewer, {}, 2}, 1)));
  BOOST_REQUIRE(static_cast<bool>(token_file(folder.path()).save(store)));
  // An expired one is none.
  BOOST_TEST(start(tls).find("needs tokens") != std::string::npos);
  BOOST_REQUIRE(static_cast<bool>(store.create({}, 1)));
  BOOST_REQUIRE(static_cast<bool>(token_file(folder.path()).save(store)));
  BOOST_TEST(start(tls).find("cannot use the certificate") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(refuses_options_that_make_no_sense) {
  scripted_service service;
  metrics_registry metrics;
  for (const auto& how : {http_options{.address = "example.org"}, http_options{.address = ""},
                          http_options{.tls_certificate = "a"}, http_options{.tls_key = "a"},
                          http_options{.address = "192.0.2.1"}}) {
    const auto started = http_server::start(how, service_routes(), service, metrics);
    BOOST_TEST(!started);
  }
}

BOOST_AUTO_TEST_SUITE_END()
