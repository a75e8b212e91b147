// Sending messages: every status, bad bodies, retries, acknowledgements.

#include "actors/service/topics/receipt_token.hpp"
#include "schemas/batch_codec.hpp"
#include "tests/service/topics/topics_fixture.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <thread>

namespace ebb::test {

namespace {

using nlohmann::json;

const std::string path = "/v1/topics/orders/messages";
const std::string ndjson = "application/x-ndjson";

struct fixture {
  fixture() {
    service.put(orders());
  }

  http_answer send(std::string_view body, std::string_view type = "application/json",
                   std::string_view headers = {}, const std::string& query = {}) {
    return service.ask(post(path + query, body, type, headers));
  }

  topics_folder folder;
  topics_service service{folder.path()};
};

json parsed(const http_answer& x) {
  return json::parse(x.body, nullptr, false);
}

std::string type_of(const http_answer& x) {
  const auto text = parsed(x).value("type", "");
  return text.substr(text.rfind('/') + 1);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(messages, fixture)

BOOST_AUTO_TEST_CASE(one_object) {
  const auto answer = send(R"({"id":1,"name":"a","price":2.5})");
  BOOST_TEST(answer.status == 200);
  const auto receipt = parsed(answer);
  BOOST_TEST(receipt["topic"] == "orders");
  BOOST_TEST(receipt["partitions"] == json::parse(R"([{"partition":0,"first":0,"last":0}])"));
  BOOST_TEST(receipt["partition"] == 0);
  BOOST_TEST(receipt["first"] == 0);
  BOOST_TEST(receipt["last"] == 0);
  BOOST_TEST(receipt["ack"] == "logged");
  BOOST_TEST(!receipt.contains("duplicate"));
  BOOST_TEST(service.read() == "{\"id\":1,\"name\":\"a\",\"price\":2.5}\n");
}

BOOST_AUTO_TEST_CASE(an_object_on_several_lines) {
  BOOST_TEST(send("\xEF\xBB\xBF\n{\n \"id\": 1,\r\n \"price\": null\n}\n\n").status == 200);
  BOOST_TEST(service.read() == "{\"id\":1,\"name\":null,\"price\":null}\n");
}

BOOST_AUTO_TEST_CASE(lines) {
  std::string body;
  for (int i = 0; i < 5000; ++i)
    body += "{\"id\":" + std::to_string(i) + "}\n";
  body.pop_back(); // the last line may lack its end
  const auto answer = send(body, ndjson);
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(parsed(answer)["partitions"][0]["last"] == 4999);
  const auto all = service.read();
  BOOST_TEST(std::count(all.begin(), all.end(), '\n') == 5000);
  BOOST_TEST(all.ends_with("{\"id\":4999,\"name\":null,\"price\":null}\n"));
}

BOOST_AUTO_TEST_CASE(a_batch) {
  batch rows;
  rows.rows = 2;
  for (const auto& x : order_columns())
    rows.columns.push_back(make_column(x.type, 2));
  rows.columns[0].mutable_data<std::int64_t>()[0] = 7;
  rows.columns[0].mutable_data<std::int64_t>()[1] = 8;
  rows.columns[2].mutable_data<double>()[0] = 0.5;
  rows.columns[2].mutable_data<double>()[1] = 1.5;
  const auto bytes = encode_batch(rows);
  const std::string body(bytes.as<const char>(), bytes.size());
  BOOST_TEST(send(body, "application/x-ebb-batch").status == 200);
  BOOST_TEST(service.read()
             == "{\"id\":7,\"name\":\"\",\"price\":0.5}\n{\"id\":8,\"name\":\"\",\"price\":1.5}\n");
  // Cut, flipped, empty, and of other columns.
  BOOST_TEST(send(body.substr(0, body.size() / 2), "application/x-ebb-batch").status == 400);
  BOOST_TEST(send("", "application/x-ebb-batch").status == 400);
  rows.columns.pop_back();
  const auto fewer = encode_batch(rows);
  const auto refused = send({fewer.as<const char>(), fewer.size()}, "application/x-ebb-batch");
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(type_of(refused) == "record-invalid");
  for (std::size_t i = 0; i < body.size(); i += 3) {
    auto flipped = body;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x5a);
    const auto status = send(flipped, "application/x-ebb-batch").status;
    BOOST_TEST((status == 200 || status == 400));
  }
}

BOOST_AUTO_TEST_CASE(changes) {
  auto stock = orders("t-stock", 4);
  stock.name = "stock";
  stock.columns[2].not_null = true;
  stock.changes = true;
  stock.primary_key = {"id"};
  stock.key = "id";
  service.put(stock);
  const auto send_changes = [&](const std::string& body, const std::string& type = ndjson) {
    return service.ask(post("/v1/topics/stock/messages", body, type, {}));
  };
  const std::string good =
      R"({"op":"r","before":null,"after":{"id":7,"name":"a","price":1}}
{"payload":{"op":"u","before":{"id":7},"after":{"id":7,"name":"b","price":2}},"schema":{}}

{"op":"u","after":{"id":7,"price":3}}
{"op":"d","before":{"id":7,"name":null,"price":3}}
)";
  BOOST_TEST(send_changes(good).status == 200);
  BOOST_TEST(send_changes(R"({"op":"c",
    "after":{"id":7,"price":4}})",
                          "application/json")
                 .status
             == 200);
  const auto all = service.ask(get("/v1/topics/stock/messages")).body;
  BOOST_TEST(all == R"({"op":"r","before":null,"after":{"id":7,"name":"a","price":1}}
{"op":"u","before":{"id":7,"name":null,"price":null},"after":{"id":7,"name":"b","price":2}}
{"op":"u","before":null,"after":{"id":7,"name":null,"price":3}}
{"op":"d","before":{"id":7,"name":null,"price":3},"after":null}
{"op":"c","before":null,"after":{"id":7,"name":null,"price":4}}
)");

  struct bad {
    const char* body;
    const char* field;
    const char* message;
  };

  const bad rows[] = {
      {R"({"id":1})", "body", "the change has no \"op\"; c, r, u and d are known"},
      {R"({"op":"t","after":{"id":1,"price":1}})", "body", "op \"t\" is not supported"},
      {R"({"op":"c","before":{"id":1,"price":1}})", "body", "op \"c\" without \"after\""},
      {R"({"op":"d","after":{"id":1,"price":1}})", "body", "op \"d\" without \"before\""},
      {R"({"op":"d","before":{"price":1}})", "id", "before: null value in column \"id\""},
      {R"({"op":"c","after":{"id":1,"price":null}})", "price", "after: null value in column"},
      {R"({"op":"c","after":{"id":"x","price":1}})", "id", "after: expected bigint"},
      {R"({"op":"u","before":{"id":1},"after":{"id":2,"price":1}})", "id",
       "the update changes id, which chooses the partition of a row's changes"},
      {R"({"op":"c","after":)", "body", "expected"},
  };
  for (const auto& x : rows) {
    const auto answer = send_changes(R"({"op":"c","after":{"id":7,"price":4}})"
                                     "\n"
                                     + std::string(x.body) + "\n");
    BOOST_TEST(answer.status == 400, x.body);
    BOOST_TEST(parsed(answer)["line"] == 2);
    BOOST_TEST(answer.body.find(json(x.message).dump().substr(1, json(x.message).dump().size() - 2))
                   != std::string::npos,
               answer.body);
    BOOST_TEST(parsed(answer).value("field", "").find(x.field) != std::string::npos, answer.body);
  }
  const auto batch = send_changes("x", "application/x-ebb-batch");
  BOOST_TEST(batch.status == 400);
  BOOST_TEST(batch.body.find("topic stock takes changes, and a batch holds rows")
             != std::string::npos);
  BOOST_TEST(service.ask(get("/v1/topics/stock/messages")).body == all);
}

BOOST_AUTO_TEST_CASE(line_57_of_1000_is_broken) {
  std::string body;
  for (int i = 1; i <= 1000; ++i)
    body += i == 57 ? "{\"id\":57,\"price\":\"much\"}\n" : "{\"id\":" + std::to_string(i) + "}\n";
  for (int k = 0; k < 3; ++k) { // a parser that is used again counts anew
    const auto answer = send(body, ndjson);
    BOOST_TEST(answer.status == 400);
    BOOST_TEST(answer.headers.at("content-type") == "application/problem+json");
    const auto problem = parsed(answer);
    BOOST_TEST(problem["line"] == 57);
    BOOST_TEST(problem["field"] == "price");
    BOOST_TEST(type_of(answer) == "record-invalid");
    BOOST_TEST(problem.contains("hint"));
    BOOST_TEST(service.read().empty());
    BOOST_TEST(send("{\"id\":1}\n{\"id\":2,\"price\":[]}", ndjson).status == 400);
  }
  const auto good = send("{\"id\":1}\n\n{\"id\":2}\n", ndjson);
  BOOST_TEST(good.status == 200);
  const auto after = send("{\"id\":1}\n\n{\"id\":true}\n", ndjson);
  BOOST_TEST(parsed(after)["line"] == 3);
}

BOOST_AUTO_TEST_CASE(bad_bodies) {
  const std::string bombs[] = {std::string(100'000, '['), std::string(100'000, '{'),
                               "{\"id\":1,\"x\":" + std::string(100'000, '[') + '}'};
  for (const auto& x : bombs)
    for (const auto* type : {"application/json", "application/x-ndjson"})
      BOOST_TEST(send(x, type).status == 400);

  struct wrong {
    std::string body;
    std::string field;
  };

  const wrong all[] = {
      {"", "body"},
      {"  \n\n", "body"},
      {"null", "body"},
      {"[{\"id\":1}]", "body"},
      {"7", "body"},
      {"{", "body"},
      {"{\"id\":1", "body"},
      {"{\"id\":1}{\"id\":2}", "body"},
      {"{\"id\":1,}", "body"},
      {"{\"id\":1,\"name\":\"\xff\xfe\"}", "body"},
      {"{\"id\":1,\"name\":\"a\xc3\"}", "body"},
      {"{\"id\":1,\"name\":\"a\nb\"}", "body"},
      {"{\"id\":1,\"name\":\"\\u0000\"}", "name"},
      {"{\"id\":1,\"id\":2}", "id"},
      {"{}", "id"},
      {"{\"id\":null}", "id"},
      {"{\"id\":\"5\"}", "id"},
      {"{\"id\":1.0}", "id"},
      {"{\"id\":9223372036854775808}", "id"},
      {"{\"id\":1e400}", "id"},
      {"{\"id\":" + std::string(100'000, '9') + "}", "id"},
      {"{\"id\":1,\"price\":1e999}", "price"},
      {"{\"id\":1,\"price\":true}", "price"},
      {"{\"id\":1,\"name\":5}", "name"},
  };
  for (const auto& x : all) {
    const auto answer = send(x.body);
    BOOST_TEST_CONTEXT(x.body.substr(0, 60) << " -> " << answer.body) {
      BOOST_TEST(answer.status == 400);
      const auto problem = parsed(answer);
      BOOST_TEST(problem.value("field", "") == x.field);
      BOOST_TEST(problem.contains("hint"));
      BOOST_TEST(!problem.contains("line"));
    }
  }
  BOOST_TEST(service.read().empty());
  BOOST_TEST(send(R"({"id":1})", "text/plain").status == 415);
  BOOST_TEST(send(R"({"id":1})", "application/json; charset=latin1").status == 415);
  // The service goes on as before.
  BOOST_TEST(send(R"({"id":1,"unknown":{"deep":[1,2]}})").status == 200);
}

BOOST_AUTO_TEST_CASE(cut_and_large_bodies) {
  {
    http_client client(service.server->port());
    client.send("POST " + path
                + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                  "Content-Length: 50\r\n\r\n{\"id\":1");
    client.reset();
  }
  http_client large(service.server->port());
  large.send("POST " + path
             + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
               "Content-Length: 17825792\r\n\r\n");
  const auto answer = large.receive();
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->status == 413);
  BOOST_TEST(service.read().empty());
}

BOOST_AUTO_TEST_CASE(unknown_topics) {
  const auto answer = service.ask(post("/v1/topics/nothing/messages", R"({"id":1})"));
  BOOST_TEST(answer.status == 404);
  BOOST_TEST(type_of(answer) == "topic-unknown");
  BOOST_TEST(send(R"({"id":1})", "application/json", {}, "?namespace=other").status == 404);
  BOOST_TEST(service.ask(get("/v1/topics/nothing/messages")).status == 404);
}

BOOST_AUTO_TEST_CASE(namespaces) {
  auto other = orders("t-other");
  other.name_space = "other";
  service.put(other);
  BOOST_TEST(send(R"({"id":1})").status == 200);
  BOOST_TEST(send(R"({"id":2})", "application/json", {}, "?namespace=other").status == 200);
  BOOST_TEST(service.read() == "{\"id\":1,\"name\":null,\"price\":null}\n");
  BOOST_TEST(service.read("?namespace=other") == "{\"id\":2,\"name\":null,\"price\":null}\n");
}

BOOST_AUTO_TEST_CASE(producers) {
  const auto from = [&](int sequence, int epoch, std::string_view body) {
    return send(body, ndjson,
                "Ebb-Producer: p\r\nEbb-Sequence: " + std::to_string(sequence)
                    + "\r\nEbb-Producer-Epoch: " + std::to_string(epoch) + "\r\n");
  };
  BOOST_TEST(from(10, 0, "{\"id\":1}\n{\"id\":2}\n").status == 200); // anywhere
  const auto retry = from(10, 0, "{\"id\":1}\n{\"id\":2}\n");
  BOOST_TEST(retry.status == 200);
  BOOST_TEST(parsed(retry)["duplicate"] == true);
  BOOST_TEST(parsed(retry)["partitions"] == json::parse(R"([{"partition":0,"first":0,"last":1}])"));
  const auto gap = from(13, 0, "{\"id\":3}\n");
  BOOST_TEST(gap.status == 409);
  BOOST_TEST(type_of(gap) == "sequence-conflict");
  BOOST_TEST(gap.headers.at("ebb-expected-sequence") == "12");
  BOOST_TEST(gap.body.find("expected 12") != std::string::npos);
  BOOST_TEST(from(10, 0, "{\"id\":1}\n").status == 409); // of another number of rows
  BOOST_TEST(from(12, 0, "{\"id\":3}\n").status == 200);
  BOOST_TEST(from(0, 1, "{\"id\":4}\n").status == 200); // takes over
  const auto fenced = from(13, 0, "{\"id\":5}\n");
  BOOST_TEST(fenced.status == 409);
  BOOST_TEST(from(1, 1, "{\"id\":6}\n").status == 200);
  const auto all = service.read();
  BOOST_TEST(std::count(all.begin(), all.end(), '\n') == 5);
}

BOOST_AUTO_TEST_CASE(headers_that_do_not_fit) {
  const auto status = [&](std::string_view headers) {
    const auto answer = send(R"({"id":1})", "application/json", headers);
    BOOST_TEST((answer.status == 200 || parsed(answer).contains("field")));
    return answer.status;
  };
  BOOST_TEST(status("Ebb-Sequence: 1\r\n") == 400);
  BOOST_TEST(status("Ebb-Producer: p\r\nEbb-Producer-Epoch: 1\r\n") == 400);
  BOOST_TEST(status("Ebb-Producer: p\r\nIdempotency-Key: k\r\n") == 400);
  BOOST_TEST(status("Ebb-Sequenc: 1\r\n") == 400);
  BOOST_TEST(status("Ebb-Producer: p\r\nEbb-Sequence: -1\r\n") == 400);
  BOOST_TEST(status("Ebb-Producer: p\r\nEbb-Sequence: 99999999999999999999\r\n") == 400);
  BOOST_TEST(service.read().empty());
  BOOST_TEST(status("Ebb-Producer: p\r\n") == 200);
}

BOOST_AUTO_TEST_CASE(idempotency_keys) {
  const auto first = send(R"({"id":1})", "application/json", "Idempotency-Key: k-1\r\n");
  const auto again = send(R"({"id":1})", "application/json", "Idempotency-Key: k-1\r\n");
  BOOST_TEST(first.status == 200);
  BOOST_TEST(parsed(again)["duplicate"] == true);
  BOOST_TEST(parsed(again)["partitions"] == parsed(first)["partitions"]);
  const auto other = send("{\"id\":1}\n{\"id\":2}", ndjson, "Idempotency-Key: k-1\r\n");
  BOOST_TEST(other.status == 409);
}

BOOST_AUTO_TEST_CASE(a_lost_answer) {
  const auto request =
      post(path, R"({"id":1})", "application/json", "Ebb-Producer: p\r\nEbb-Sequence: 1\r\n");
  for (int i = 0; i < 20; ++i) {
    http_client client(service.server->port());
    client.send(request);
    client.reset();
  }
  const auto answer = service.ask(request);
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(service.read() == "{\"id\":1,\"name\":null,\"price\":null}\n");
}

BOOST_AUTO_TEST_CASE(quotas) {
  auto small = orders("t-small");
  small.name = "small";
  small.quota_bytes = 200'000;
  service.put(small);
  std::string body;
  for (int i = 0; i < 1000; ++i)
    body += "{\"id\":1,\"name\":\"" + std::string(40, 'x') + "\"}\n";
  int status = 200;
  http_answer last;
  for (int i = 0; i < 20 && status == 200; ++i) {
    last = service.ask(post("/v1/topics/small/messages", body, ndjson));
    status = last.status;
  }
  BOOST_TEST(status == 429);
  BOOST_TEST(last.headers.contains("retry-after"));
  BOOST_TEST(type_of(last) == "quota-exceeded");
  BOOST_TEST(last.body.find(R"("field":"path.topic")") != std::string::npos);
  BOOST_TEST(last.body.find("spec.quota.size") != std::string::npos);
  small.quota_bytes = 0; // live
  service.put(small);
  BOOST_TEST(service.ask(post("/v1/topics/small/messages", body, ndjson)).status == 200);
}

BOOST_AUTO_TEST_CASE(too_much_waits) {
  topics_folder other;
  topic_registry_options options;
  options.queue.waiting_requests = 0;
  topics_service busy(other.path(), options);
  busy.put(orders());
  const auto answer = busy.ask(post(path, R"({"id":1})"));
  BOOST_TEST(answer.status == 503);
  BOOST_TEST(answer.headers.contains("retry-after"));
}

BOOST_AUTO_TEST_CASE(acknowledgements) {
  service.acks.set([](const ack_question&) { return result<bool>(false); });
  const auto late = send(R"({"id":1})", "application/json", {}, "?ack=checkpointed&timeout=50ms");
  BOOST_TEST(late.status == 202);
  BOOST_TEST(parsed(late)["ack"] == "logged");
  const std::string token = parsed(late)["token"];
  BOOST_TEST(service.ask(get("/v1/acks/" + token)).status == 202);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    service.acks.set([](const ack_question& x) { return x.level == ack_level::checkpointed; });
  });
  const auto answer = service.ask(get("/v1/acks/" + token + "?timeout=10s"));
  later.join();
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(parsed(answer)["ack"] == "checkpointed");
  BOOST_TEST(parsed(answer)["partitions"] == parsed(late)["partitions"]);
  BOOST_TEST(send(R"({"id":2})", "application/json", {}, "?ack=checkpointed&stream=s").status
             == 200);
  BOOST_TEST(service.acks.last().stream == "s");
  BOOST_TEST(service.acks.last().uid == "t-orders");
  BOOST_TEST(service.acks.last().ranges.at(0).first == 1u);
  BOOST_TEST(send(R"({"id":3})", "application/json", {}, "?ack=committed&timeout=0s").status
             == 202);
  for (int i = 0; i < 100 && service.acks.watchers() != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  BOOST_TEST(service.acks.watchers() == 0u);
}

BOOST_AUTO_TEST_CASE(acknowledgements_that_nobody_can_give) {
  service.acks.set([](const ack_question&) {
    return result<bool>(
        make_error(ec::conflict, "streams a and b read topic orders", "name one with stream="));
  });
  const auto answer = send(R"({"id":1})", "application/json", {}, "?ack=committed");
  BOOST_TEST(answer.status == 409);
  BOOST_TEST(answer.body.find("a and b") != std::string::npos);
  BOOST_TEST(service.read().empty()); // nothing was appended
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_wait) {
  {
    http_client client(service.server->port());
    client.send(post(path + "?ack=committed&timeout=10m", R"({"id":1})"));
    for (int i = 0; i < 200 && service.acks.watchers() == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    BOOST_TEST(service.acks.watchers() == 1u);
    client.reset();
  }
  for (int i = 0; i < 200 && service.acks.watchers() != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  BOOST_TEST(service.acks.watchers() == 0u);
}

BOOST_AUTO_TEST_CASE(tokens_that_are_none) {
  const std::string good = parsed(send(R"({"id":1})"))["token"];
  BOOST_TEST(service.ask(get("/v1/acks/" + good)).status == 200);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    BOOST_TEST(service.ask(get("/v1/acks/" + bad)).status == 404);
  }
  BOOST_TEST(service.ask(get("/v1/acks/" + good + "A")).status == 404);
  BOOST_TEST(service.ask(get("/v1/acks/x")).status == 404);
  BOOST_REQUIRE(service.topics->remove("t-orders"));
  BOOST_TEST(service.ask(get("/v1/acks/" + good)).status == 404);
}

BOOST_AUTO_TEST_CASE(metrics) {
  BOOST_TEST(send("{\"id\":1}\n{\"id\":2}", ndjson).status == 200);
  BOOST_TEST(send("{").status == 400);
  const auto text = service.ask(get("/metrics")).body;
  for (const auto* x :
       {"ebb_topic_rows_appended_total 2", "ebb_message_requests_total{outcome=\"appended\"} 1",
        "ebb_message_requests_total{outcome=\"rejected\"} 1", "ebb_topic_logs_open 1",
        "ebb_topic_rows{namespace=\"default\",topic=\"orders\"} 2",
        "ebb_message_append_seconds_count 1"})
    BOOST_TEST_CONTEXT(x) {
      BOOST_TEST(text.find(x) != std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(stopping_with_much_under_way) {
  topics_folder folder;
  std::atomic<int> answered = 0;
  for (int round = 0; round < 10; ++round) {
    auto service = std::make_unique<topics_service>(folder.path());
    service->put(orders());
    const auto port = service->server->port();
    std::vector<std::unique_ptr<http_client>> clients;
    for (int i = 0; i < 20; ++i)
      clients.push_back(std::make_unique<http_client>(port));
    for (std::size_t i = 0; i < clients.size(); ++i) {
      std::string requests;
      for (int k = 0; k < 20; ++k)
        requests += post(path, R"({"id":1})");
      clients[i]->send(i % 4 == 0   ? get(path + "?follow=true")
                       : i % 4 == 1 ? post(path + "?ack=committed", R"({"id":2})")
                                    : requests);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * round));
    if (round % 2 == 0) // as a process that ends at its leisure
      service->server->stop(std::chrono::milliseconds(20));
    service.reset();
    for (const auto& x : clients)
      while (const auto answer = x->receive())
        answered += answer->status == 200 || answer->status == 503 ? 1 : 0;
  }
  BOOST_TEST(answered > 0);
}

BOOST_AUTO_TEST_CASE(receipt_tokens_read_back) {
  ack_question x;
  x.uid = "0192-uid";
  x.stream = "s";
  x.level = ack_level::committed;
  x.ranges = {{0, 0, 0}, {3, 1'000'000'000'000, 1'000'000'000'999}, {1023, 5, 5}};
  const auto read = decode_receipt_token(encode_token(x));
  BOOST_REQUIRE(read);
  BOOST_TEST(read->uid == x.uid);
  BOOST_TEST(read->stream == x.stream);
  BOOST_TEST((read->level == x.level));
  BOOST_REQUIRE(read->ranges.size() == 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(read->ranges[i].partition == x.ranges[i].partition);
    BOOST_TEST(read->ranges[i].first == x.ranges[i].first);
    BOOST_TEST(read->ranges[i].last == x.ranges[i].last);
  }
  for (std::uint32_t p = 1024; p < 2048; ++p)
    x.ranges.push_back({p, 1'000'000, 1'000'001});
  BOOST_TEST(encode_token(x).empty());
}

} // namespace ebb::test
