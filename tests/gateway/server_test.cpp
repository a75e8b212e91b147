// The server over real sockets: what clients see when all goes well, and in which order.

#include "tests/gateway/http_client.hpp"
#include "tests/gateway/server_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>

using namespace ebb::test;
using namespace std::chrono_literals;
using ebb::http_reply;
using ebb::http_request;
using ebb::http_stream;

namespace {

using request_ptr = std::shared_ptr<const http_request>;

// Something that a thread waits for.
class signal_flag {
public:
  void raise() {
    std::lock_guard guard(mutex_);
    raised_ = true;
    changed_.notify_all();
  }

  [[nodiscard]] bool wait(std::chrono::seconds time = 10s) {
    std::unique_lock guard(mutex_);
    return changed_.wait_for(guard, time, [this] { return raised_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_server)

BOOST_AUTO_TEST_CASE(answers_and_keeps_the_connection) {
  server_fixture s;
  http_client client(s.port());
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask(get("/healthz"));
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->status == 200);
    BOOST_TEST(answer->body == R"({"status":"ok"})");
    BOOST_TEST(answer->headers.at("content-type") == "application/json");
    BOOST_TEST(answer->headers.count("connection") == 0U);
    BOOST_TEST(answer->headers.count("date") == 1U);
  }
  const auto last = client.ask(get("/healthz", "Connection: close\r\n"));
  BOOST_REQUIRE(last.has_value());
  BOOST_TEST(last->headers.at("connection") == "close");
  BOOST_TEST(client.ends_within(5s));
}

BOOST_AUTO_TEST_CASE(serves_http_1_0_in_its_own_way) {
  server_fixture s;
  http_client closing(s.port());
  const auto first = closing.ask("GET /healthz HTTP/1.0\r\n\r\n");
  BOOST_REQUIRE(first.has_value());
  BOOST_TEST(first->headers.at("connection") == "close");
  BOOST_TEST(closing.ends_within(5s));
  http_client staying(s.port());
  for (int i = 0; i < 2; ++i) {
    const auto answer = staying.ask("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->headers.at("connection") == "keep-alive");
  }
  s.service.on_request([](request_ptr, http_reply reply) {
    auto stream = reply.stream(200, "application/x-ndjson");
    (void)stream.write("{}\n");
    stream.end();
  });
  const auto stream = staying.ask("GET /v1/topics/t/messages HTTP/1.0\r\n\r\n");
  BOOST_REQUIRE(stream.has_value());
  BOOST_TEST(stream->headers.count("transfer-encoding") == 0U);
  BOOST_TEST(stream->body == "{}\n");
}

BOOST_AUTO_TEST_CASE(answers_head_without_body) {
  server_fixture s;
  http_client client(s.port());
  const auto head = client.ask("HEAD /v1/streams HTTP/1.1\r\nHost: localhost\r\n\r\n", true);
  BOOST_REQUIRE(head.has_value());
  BOOST_TEST(head->status == 200);
  BOOST_TEST(head->headers.at("content-length")
             == std::to_string(std::string(R"({"call":"listStreams","body":0})").size()));
  // Were there a body, this answer would begin with it.
  const auto next = client.ask(get("/healthz"));
  BOOST_REQUIRE(next.has_value());
  BOOST_TEST(next->body == R"({"status":"ok"})");
}

BOOST_AUTO_TEST_CASE(tells_what_a_path_allows) {
  server_fixture s;
  http_client client(s.port());
  const auto options =
      client.ask("OPTIONS /v1/topics/t/messages HTTP/1.1\r\nHost: localhost\r\n\r\n");
  BOOST_REQUIRE(options.has_value());
  BOOST_TEST(options->status == 204);
  BOOST_TEST(options->headers.at("allow") == "OPTIONS, POST, GET, HEAD");
  const auto wrong = client.ask("PATCH /v1/topics/t/messages HTTP/1.1\r\nHost: localhost\r\n\r\n");
  BOOST_REQUIRE(wrong.has_value());
  BOOST_TEST(wrong->status == 405);
  BOOST_TEST(wrong->headers.at("allow") == "OPTIONS, POST, GET, HEAD");
  const auto all = client.ask("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
  BOOST_REQUIRE(all.has_value());
  BOOST_TEST(all->status == 204);
}

BOOST_AUTO_TEST_CASE(takes_bodies_by_length_and_by_chunks) {
  server_fixture s;
  std::string got;
  s.service.on_request([&](request_ptr request, http_reply reply) {
    got = request->body;
    reply.json(200, "{}");
  });
  http_client client(s.port());
  const std::string large(3 << 20, 'x');
  BOOST_TEST(client.ask(post("/v1/topics/t/messages", large)).value().status == 200);
  BOOST_TEST(got.size() == large.size());
  const std::string chunked =
      "POST /v1/topics/t/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n4;a=b\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\nTrailer: x\r\n\r\n";
  BOOST_TEST(client.ask(chunked).value().status == 200);
  BOOST_TEST(got == R"({"a":1})");
  // The same, a byte at a time.
  got.clear();
  for (const char c : chunked)
    client.send({&c, 1});
  BOOST_TEST(client.receive().value().status == 200);
  BOOST_TEST(got == R"({"a":1})");
}

BOOST_AUTO_TEST_CASE(asks_for_the_body_that_a_client_holds_back) {
  server_fixture s;
  http_client client(s.port());
  const std::string head = "POST /v1/topics/t/messages HTTP/1.1\r\nHost: localhost\r\n"
                           "Content-Type: application/json\r\nContent-Length: 2\r\n"
                           "Expect: 100-continue\r\n\r\n";
  const auto go_on = client.ask(head);
  BOOST_REQUIRE(go_on.has_value());
  BOOST_TEST(go_on->status == 100);
  BOOST_TEST(client.ask("{}").value().status == 200);
  // A request that is refused is refused before its body.
  const auto refused =
      client.ask("POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
                 "Expect: 100-continue\r\n\r\n");
  BOOST_REQUIRE(refused.has_value());
  BOOST_TEST(refused->status == 404);
  BOOST_TEST(client.ends_within(5s));
}

BOOST_AUTO_TEST_CASE(keeps_the_connection_after_a_small_refused_body) {
  server_fixture s;
  http_client client(s.port());
  const auto refused = client.ask(post("/v1/nothing", "{}"));
  BOOST_REQUIRE(refused.has_value());
  BOOST_TEST(refused->status == 404);
  BOOST_TEST(client.ask(get("/healthz")).value().status == 200);
}

BOOST_AUTO_TEST_CASE(answers_pipelined_requests_in_order) {
  server_fixture s;
  // Later requests would be answered sooner, were they begun together.
  std::atomic<int> seen = 0;
  std::vector<std::thread> threads;
  std::mutex mutex;
  s.service.on_request([&](request_ptr request, http_reply reply) {
    const int number = seen++;
    std::lock_guard guard(mutex);
    threads.emplace_back([number, request, reply] {
      std::this_thread::sleep_for(number % 3 == 0 ? 3ms : 0ms);
      reply.json(200, '"' + request->part("topic") + '"');
    });
  });
  http_client client(s.port());
  std::string all;
  constexpr int count = 200;
  for (int i = 0; i < count; ++i)
    all += i % 2 == 0 ? get("/v1/topics/t" + std::to_string(i))
                      : post("/v1/topics/t" + std::to_string(i) + "/messages", "{}");
  client.send(all);
  for (int i = 0; i < count; ++i) {
    const auto answer = client.receive();
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->body == "\"t" + std::to_string(i) + '"');
  }
  for (auto& x : threads)
    x.join();
}

BOOST_AUTO_TEST_CASE(answers_the_last_request_of_a_half_closed_connection) {
  server_fixture s;
  std::thread later;
  s.service.on_request([&](request_ptr, http_reply reply) {
    later = std::thread([reply] {
      std::this_thread::sleep_for(50ms);
      reply.json(200, "{}");
    });
  });
  http_client client(s.port());
  client.send(get("/v1/streams"));
  client.end_sending();
  BOOST_TEST(client.receive().value().status == 200);
  BOOST_TEST(client.ends_within(5s));
  later.join();
}

BOOST_AUTO_TEST_CASE(streams_what_the_service_writes) {
  server_fixture s;
  std::thread writer;
  std::atomic<int> taken = 0;
  s.service.on_request([&](request_ptr, http_reply reply) {
    writer = std::thread([reply, &taken] {
      auto stream = reply.stream(200, "application/x-ndjson", {{"Ebb-Next", "0:3"}});
      for (int i = 0; i < 3; ++i) {
        const auto all = stream.write("{\"i\":" + std::to_string(i) + "}\n");
        taken += all == http_stream::taken::all ? 1 : 0;
        std::this_thread::sleep_for(5ms);
      }
      stream.end();
    });
  });
  http_client client(s.port());
  const auto answer = client.ask(get("/v1/topics/t/messages"));
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->headers.at("transfer-encoding") == "chunked");
  BOOST_TEST(answer->headers.at("ebb-next") == "0:3");
  BOOST_TEST(answer->body == "{\"i\":0}\n{\"i\":1}\n{\"i\":2}\n");
  writer.join();
  BOOST_TEST(taken == 3);
  // And the connection goes on.
  BOOST_TEST(client.ask(get("/healthz")).value().status == 200);
}

BOOST_AUTO_TEST_CASE(holds_a_bounded_part_of_a_stream_for_a_slow_reader) {
  ebb::http_options how;
  how.limits.stream_buffer_bytes = 64 << 10;
  server_fixture s(how);
  signal_flag full;
  signal_flag ready;
  std::atomic<std::size_t> taken = 0;
  constexpr std::size_t piece = 16 << 10;
  std::shared_ptr<http_stream> stream;
  signal_flag begun;
  s.service.on_request([&](request_ptr, http_reply reply) {
    stream = std::make_shared<http_stream>(reply.stream(200, "application/x-ndjson"));
    begun.raise();
  });
  http_client client(s.port());
  client.send(get("/v1/topics/t/messages"));
  BOOST_REQUIRE(begun.wait());
  // Until the sockets' buffers and the server's are full.
  int waits = 0;
  while (waits < 20) {
    if (stream->write(std::string(piece, 'z')) == http_stream::taken::all) {
      taken += piece;
      waits = 0;
    } else {
      std::this_thread::sleep_for(10ms);
      ++waits;
    }
  }
  stream->on_ready([&] { ready.raise(); });
  std::size_t body = 0;
  std::string text;
  while (body < taken) {
    text = client.read_until("z");
    body += static_cast<std::size_t>(std::count(text.begin(), text.end(), 'z'));
  }
  BOOST_TEST(ready.wait());
  stream->end();
  BOOST_TEST(body == taken);
}

BOOST_AUTO_TEST_CASE(tells_the_service_that_a_client_has_gone) {
  server_fixture s;
  signal_flag closed;
  std::optional<http_stream> stream;
  s.service.on_request([&](request_ptr, http_reply reply) {
    reply.on_closed([&] { closed.raise(); });
    stream = reply.stream(200, "text/event-stream");
    (void)stream->write("data: 1\n\n");
  });
  {
    http_client client(s.port());
    client.send(get("/v1/topics/t/messages", "Accept: text/event-stream\r\n"));
    BOOST_TEST(contains(client.read_until("data: 1\n\n"), "data: 1\n\n"));
  }
  BOOST_TEST(closed.wait());
  BOOST_TEST((stream->write("data: 2\n\n") == http_stream::taken::closed));
}

BOOST_AUTO_TEST_CASE(keeps_event_streams_alive) {
  ebb::http_options how;
  how.limits.heartbeat_time = 100ms;
  server_fixture s(how);
  std::optional<http_stream> stream;
  s.service.on_request(
      [&](request_ptr, http_reply reply) { stream = reply.stream(200, "text/event-stream"); });
  http_client client(s.port());
  client.send(get("/v1/topics/t/messages", "Accept: text/event-stream\r\n"));
  BOOST_TEST(contains(client.read_until("3\r\n:\n\n\r\n3\r\n:\n\n\r\n"), "3\r\n:\n\n\r\n3\r\n"));
  (void)stream->write("data: 1\n\n");
  BOOST_TEST(contains(client.read_until("data: 1\n\n\r\n"), "9\r\ndata: 1\n\n\r\n"));
}

BOOST_AUTO_TEST_CASE(answers_for_a_service_that_forgets_to) {
  server_fixture s;
  s.service.on_request([](request_ptr, http_reply) {});
  http_client client(s.port());
  const auto answer = client.ask(get("/v1/streams"));
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->status == 500);
  BOOST_TEST(contains(answer->body, "the request was not answered"));
  // A stream that is forgotten must not look complete.
  s.service.on_request([](request_ptr, http_reply reply) {
    auto stream = reply.stream(200, "application/x-ndjson");
    (void)stream.write("{}\n");
  });
  client.send(get("/v1/topics/t/messages"));
  BOOST_TEST(!client.receive().has_value());
}

BOOST_AUTO_TEST_CASE(counts_the_first_answer_only) {
  server_fixture s;
  s.service.on_request([](request_ptr, http_reply reply) {
    reply.json(200, "1");
    reply.json(500, "2");
    auto stream = reply.stream(200, "application/x-ndjson");
    (void)stream.write("3");
    stream.end();
  });
  http_client client(s.port());
  BOOST_TEST(client.ask(get("/v1/streams")).value().body == "1");
  BOOST_TEST(client.ask(get("/healthz")).value().body == R"({"status":"ok"})");
}

BOOST_AUTO_TEST_CASE(is_ready_when_the_service_is) {
  server_fixture s;
  http_client client(s.port());
  BOOST_TEST(client.ask(get("/readyz")).value().status == 200);
  s.service.set_not_ready("the topics are being opened");
  const auto answer = client.ask(get("/readyz"));
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->status == 503);
  BOOST_TEST(answer->headers.at("retry-after") == "1");
  BOOST_TEST(contains(answer->body, "the topics are being opened"));
  BOOST_TEST(contains(answer->body, R"("hint":"wait until)"));
}

BOOST_AUTO_TEST_CASE(counts_requests_by_route) {
  server_fixture s;
  http_client client(s.port());
  BOOST_TEST(client.ask(get("/v1/topics/a")).value().status == 200);
  BOOST_TEST(client.ask(get("/v1/topics/b")).value().status == 200);
  BOOST_TEST(client.ask(get("/nothing")).value().status == 404);
  const auto text = client.ask(get("/metrics")).value().body;
  BOOST_TEST(contains(text, "ebb_http_requests_total{method=\"GET\",route=\"/v1/topics/{topic}\","
                            "status=\"200\"} 2\n"));
  BOOST_TEST(contains(text, "ebb_http_requests_total{method=\"other\",route=\"none\","
                            "status=\"404\"} 1\n"));
  BOOST_TEST(contains(text, "ebb_http_request_seconds_count{method=\"GET\","
                            "route=\"/v1/topics/{topic}\"} 2\n"));
  BOOST_TEST(contains(text, "ebb_http_connections 1\n"));
}

BOOST_AUTO_TEST_CASE(finishes_what_is_under_way_when_it_stops) {
  server_fixture s;
  signal_flag begun;
  signal_flag closed;
  std::optional<http_reply> late;
  std::optional<http_stream> stream;
  s.service.on_request([&](request_ptr request, http_reply reply) {
    if (request->to->call == ebb::api_call::read_messages) {
      reply.on_closed([&] { closed.raise(); });
      stream = reply.stream(200, "application/x-ndjson");
      (void)stream->write("{}\n");
      return;
    }
    late = reply;
    begun.raise();
  });
  http_client idle(s.port());
  BOOST_TEST(idle.ask(get("/healthz")).value().status == 200);
  http_client following(s.port());
  following.send(get("/v1/topics/t/messages?follow=true"));
  BOOST_TEST(contains(following.read_until("{}\n"), "{}\n"));
  http_client busy(s.port());
  busy.send(get("/v1/streams"));
  BOOST_REQUIRE(begun.wait());
  std::thread stopping([&] { s.server->stop(10s); });
  BOOST_TEST(idle.ends_within(5s));
  BOOST_TEST(closed.wait());
  BOOST_TEST(contains(following.read_until("0\r\n\r\n"), "0\r\n\r\n"));
  late->json(200, "{}");
  const auto answer = busy.receive();
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->status == 200);
  BOOST_TEST(answer->headers.at("connection") == "close");
  stopping.join();
  // Too late, and harmless.
  late->json(200, "{}");
  BOOST_TEST((stream->write("{}\n") == http_stream::taken::closed));
  BOOST_TEST(late->closed());
}

BOOST_AUTO_TEST_CASE(cuts_what_does_not_end_when_it_stops) {
  server_fixture s;
  signal_flag begun;
  signal_flag closed;
  std::optional<http_reply> never;
  s.service.on_request([&](request_ptr, http_reply reply) {
    reply.on_closed([&] { closed.raise(); });
    never = reply;
    begun.raise();
  });
  http_client client(s.port());
  client.send(get("/v1/streams"));
  BOOST_REQUIRE(begun.wait());
  const auto before = std::chrono::steady_clock::now();
  s.server->stop(200ms);
  BOOST_TEST((std::chrono::steady_clock::now() - before < 5s));
  BOOST_TEST(closed.wait());
  BOOST_TEST(client.ends_within(5s));
}

BOOST_AUTO_TEST_CASE(refuses_a_port_that_is_taken) {
  server_fixture s;
  ebb::http_options how;
  how.port = s.port();
  ebb::metrics_registry metrics;
  const auto second = ebb::http_server::start(how, ebb::service_routes(), s.service, metrics);
  BOOST_REQUIRE(!second);
  BOOST_TEST((second.error().code == ebb::ec::conflict));
}

BOOST_AUTO_TEST_SUITE_END()
