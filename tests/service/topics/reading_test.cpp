// Reading messages: order, limits, following, slow readers, events.

#include "actors/service/topics/message_text.hpp"
#include "tests/service/topics/topics_fixture.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <thread>

namespace ebb::test {

namespace {

using nlohmann::json;

const std::string path = "/v1/topics/orders/messages";
const std::string ndjson = "application/x-ndjson";

struct fixture {
  void append(int from, int count, std::size_t width = 0) {
    std::string body;
    for (int i = from; i < from + count; ++i)
      body += "{\"id\":" + std::to_string(i) + ",\"name\":\"" + std::string(width, 'x') + "\"}\n";
    const auto answer = service.ask(post(path, body, ndjson));
    BOOST_REQUIRE(answer.status == 200);
  }

  http_answer read(const std::string& query, std::string_view headers = {}) {
    return service.ask(get(path + query, headers));
  }

  double readers() {
    const auto text = service.metrics.text();
    const std::string name = "\nebb_message_readers ";
    return std::stod(text.substr(text.find(name) + name.size()));
  }

  bool readers_become(double count) {
    for (int i = 0; i < 300; ++i) {
      if (readers() == count)
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  topics_folder folder;
  topics_service service{folder.path()};
};

std::vector<int> ids(const std::string& body) {
  std::vector<int> out;
  std::size_t at = 0;
  while (at < body.size()) {
    const auto end = body.find('\n', at);
    out.push_back(json::parse(body.substr(at, end - at))["id"]);
    at = end + 1;
  }
  return out;
}

std::vector<int> numbers(int from, int to) {
  std::vector<int> out;
  for (int i = from; i < to; ++i)
    out.push_back(i);
  return out;
}

std::size_t resident_bytes() {
  std::ifstream status("/proc/self/statm");
  std::size_t pages = 0;
  status >> pages >> pages;
  return pages * 4096;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(reading, fixture)

BOOST_AUTO_TEST_CASE(an_empty_topic) {
  service.put(orders());
  const auto answer = read("");
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(answer.headers.at("content-type") == ndjson);
  BOOST_TEST(answer.headers.at("ebb-next") == "0:0");
  BOOST_TEST(answer.body.empty());
}

BOOST_AUTO_TEST_CASE(partitions_are_merged_in_order) {
  service.put(orders("t", 4));
  for (int i = 0; i < 40; i += 2)
    append(i, 2);
  const auto answer = read("");
  BOOST_TEST(ids(answer.body) == numbers(0, 40), boost::test_tools::per_element());
  BOOST_TEST(answer.headers.at("ebb-next") == "0:10,1:10,2:10,3:10");
  // A part of it, wherever it is cut, and the rest by the header.
  for (int limit = 1; limit < 45; limit += 3) {
    const auto part = read("?limit=" + std::to_string(limit));
    BOOST_TEST(ids(part.body) == numbers(0, std::min(limit, 40)), boost::test_tools::per_element());
    const auto next = parse_positions(part.headers.at("ebb-next"));
    BOOST_REQUIRE(next.has_value());
    BOOST_REQUIRE(next->size() == 4u);
    std::size_t rest = 0;
    for (const auto& x : *next)
      rest +=
          ids(read("?partition=" + std::to_string(x.partition) + "&from=" + std::to_string(x.next))
                  .body)
              .size();
    BOOST_TEST(rest == 40u - static_cast<std::size_t>(std::min(limit, 40)));
  }
}

BOOST_AUTO_TEST_CASE(one_partition_and_offsets) {
  service.put(orders("t", 2));
  for (int i = 0; i < 10; ++i)
    append(i, 1);
  BOOST_TEST(ids(read("?partition=1").body) == (std::vector<int>{1, 3, 5, 7, 9}),
             boost::test_tools::per_element());
  const auto some = read("?partition=0&from=1&limit=2");
  BOOST_TEST(ids(some.body) == (std::vector<int>{2, 4}), boost::test_tools::per_element());
  BOOST_TEST(some.headers.at("ebb-next") == "0:3");
  BOOST_TEST(read("?from=latest").body.empty());
  BOOST_TEST(read("?from=latest").headers.at("ebb-next") == "0:5,1:5");
  BOOST_TEST(read("?partition=0&from=5").body.empty());
  BOOST_TEST(ids(read("?from=4").body) == (std::vector<int>{8, 9}),
             boost::test_tools::per_element());
  const auto behind = read("?partition=0&from=6");
  BOOST_TEST(behind.status == 400);
  BOOST_TEST(json::parse(behind.body)["field"] == "query.from");
  BOOST_TEST(read("?partition=2").status == 400);
  BOOST_TEST(read("?from=yesterday").status == 400);
  BOOST_TEST(read("?limit=0").status == 400);
  BOOST_TEST(read("?limt=1").status == 400);
}

BOOST_AUTO_TEST_CASE(meta) {
  service.put(orders());
  append(5, 2);
  const auto answer = read("?meta=true");
  const auto end = answer.body.find('\n');
  const auto first = json::parse(answer.body.substr(0, end));
  const auto second = json::parse(answer.body.substr(end + 1));
  BOOST_TEST(first["partition"] == 0);
  BOOST_TEST(first["offset"] == 0);
  BOOST_TEST(second["offset"] == 1);
  BOOST_TEST(second["value"]["id"] == 6);
  const std::string time = first["time"];
  BOOST_TEST(time.starts_with("20"));
  BOOST_TEST(time.ends_with("Z"));
}

BOOST_AUTO_TEST_CASE(only_the_head) {
  service.put(orders());
  append(0, 3);
  http_client client(service.server->port());
  client.send("HEAD " + path + "?follow=true HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  const auto answer = client.receive(true);
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->status == 200);
  BOOST_TEST(answer->headers.contains("ebb-next"));
  BOOST_TEST(readers_become(0));
}

BOOST_AUTO_TEST_CASE(follow) {
  service.put(orders("t", 3));
  append(0, 3);
  http_client client(service.server->port());
  client.send(get(path + "?follow=true"));
  BOOST_TEST(client.read_until("\"id\":2").find("\"id\":2") != std::string::npos);
  for (int i = 3; i < 20; ++i) {
    append(i, 1);
    const auto wanted = "\"id\":" + std::to_string(i);
    BOOST_TEST(client.read_until(wanted).find(wanted) != std::string::npos);
  }
  BOOST_TEST(readers_become(1));
  client.reset();
  BOOST_TEST(readers_become(0));
}

BOOST_AUTO_TEST_CASE(follow_to_a_limit) {
  service.put(orders());
  append(0, 2);
  http_client client(service.server->port());
  client.send(get(path + "?follow=true&limit=4&from=1"));
  BOOST_TEST(client.read_until("\"id\":1").find("\"id\":1") != std::string::npos);
  append(2, 10);
  const auto rest = client.read_until("0\r\n\r\n");
  BOOST_TEST(rest.find("\"id\":4,") != std::string::npos);
  BOOST_TEST(rest.find("\"id\":5,") == std::string::npos);
  BOOST_TEST(readers_become(0));
}

BOOST_AUTO_TEST_CASE(follow_ends_with_the_topic) {
  service.put(orders());
  append(0, 2);
  http_client client(service.server->port());
  client.send(get(path + "?follow=true"));
  BOOST_TEST(client.read_until("\"id\":1").find("\"id\":1") != std::string::npos);
  BOOST_REQUIRE(service.topics->remove("t-orders"));
  BOOST_TEST(client.read_until("0\r\n\r\n").find("0\r\n\r\n") != std::string::npos);
  BOOST_TEST(readers_become(0));
}

BOOST_AUTO_TEST_CASE(a_slow_reader) {
  service.put(orders());
  constexpr int requests = 60;
  constexpr int rows = 1000;
  http_client slow(service.server->port());
  slow.send(get(path + "?follow=true&limit=" + std::to_string(requests * rows)));
  BOOST_TEST(readers_become(1));
  append(0, rows, 1000); // what every request needs
  const auto before = resident_bytes();
  http_client healthy(service.server->port());
  for (int i = 1; i < requests; ++i)
    append(i * rows, rows, 1000); // 60 MB in all
#ifndef __SANITIZE_ADDRESS__      // which keeps what is freed for a while
  // LMDB's map of the log is counted as resident, too: so much less than all of it is allowed.
  BOOST_TEST(resident_bytes() - before < 100'000'000u);
#else
  static_cast<void>(before);
#endif
  BOOST_TEST(healthy.ask(get(path + "?from=latest")).has_value());
  BOOST_TEST(readers_become(1));
  const auto answer = slow.receive();
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(std::count(answer->body.begin(), answer->body.end(), '\n') == requests * rows);
  BOOST_TEST(answer->body.find("\"id\":59999,") != std::string::npos);
  BOOST_TEST(readers_become(0));
}

BOOST_AUTO_TEST_CASE(a_slow_reader_that_goes) {
  service.put(orders());
  append(0, 10'000, 1000);
  {
    http_client slow(service.server->port());
    slow.send(get(path + "?follow=true"));
    BOOST_TEST(readers_become(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    slow.reset();
  }
  BOOST_TEST(readers_become(0));
}

BOOST_AUTO_TEST_CASE(many_follow) {
  service.put(orders("t", 2));
  std::vector<std::unique_ptr<http_client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<http_client>(service.server->port()));
    clients.back()->send(get(path + "?follow=true&limit=100"));
  }
  for (int i = 0; i < 100; i += 5)
    append(i, 5);
  for (const auto& x : clients) {
    const auto answer = x->receive();
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(ids(answer->body) == numbers(0, 100), boost::test_tools::per_element());
  }
  BOOST_TEST(readers_become(0));
}

BOOST_AUTO_TEST_CASE(the_service_stops) {
  service.put(orders());
  http_client client(service.server->port());
  client.send(get(path + "?follow=true"));
  BOOST_TEST(readers_become(1));
  service.server->stop(std::chrono::milliseconds(10));
  BOOST_TEST(client.ends_within(std::chrono::seconds(5)));
  BOOST_TEST(readers_become(0));
}

BOOST_AUTO_TEST_CASE(events) {
  service.put(orders());
  append(0, 3);
  const std::string accept = "Accept: text/event-stream\r\n";
  const auto all = read("?limit=2", accept);
  BOOST_TEST(all.headers.at("content-type") == "text/event-stream");
  BOOST_TEST(all.body
             == "id: 0\ndata: {\"id\":0,\"name\":\"\",\"price\":null}\n\n"
                "id: 1\ndata: {\"id\":1,\"name\":\"\",\"price\":null}\n\n");
  const auto rest = read("", accept + "Last-Event-ID: 1\r\n");
  BOOST_TEST(rest.body == "id: 2\ndata: {\"id\":2,\"name\":\"\",\"price\":null}\n\n");
  BOOST_TEST(read("", accept + "Last-Event-ID: 17\r\n").body.empty());
  BOOST_TEST(read("", accept + "Last-Event-ID: a\r\n").status == 400);
  // Elsewhere the header means nothing.
  BOOST_TEST(service.ask(get("/healthz", "Last-Event-ID: 1\r\n")).status == 200);
}

BOOST_AUTO_TEST_CASE(events_of_several_partitions) {
  service.put(orders("t", 3));
  for (int i = 0; i < 9; ++i)
    append(i, 1);
  const std::string accept = "Accept: text/event-stream\r\n";
  const auto part = read("?limit=4", accept);
  const auto at = part.body.rfind("id: ");
  const auto id = part.body.substr(at + 4, part.body.find('\n', at) - at - 4);
  BOOST_TEST(id == "0:2,1:1,2:1");
  const auto rest = read("", accept + "Last-Event-ID: " + id + "\r\n");
  BOOST_TEST(rest.body.find("\"id\":3,") == std::string::npos);
  for (int i = 4; i < 9; ++i)
    BOOST_TEST(rest.body.find("\"id\":" + std::to_string(i) + ',') != std::string::npos);
  BOOST_TEST(read("", accept + "Last-Event-ID: 5\r\n").status == 400);
}

BOOST_AUTO_TEST_CASE(keys_choose_partitions) {
  auto keyed = orders("t", 4);
  keyed.key = "id";
  service.put(keyed);
  for (int i = 0; i < 5; ++i)
    append(0, 100);
  for (int p = 0; p < 4; ++p) {
    const auto found = ids(read("?partition=" + std::to_string(p)).body);
    BOOST_TEST(found.size() > 25u);
    for (const auto id : found)
      BOOST_TEST(std::count(found.begin(), found.end(), id) == 5);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(positions_read_back) {
  const auto read = parse_positions("0:17,12:18446744073709551615");
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(position_text(*read) == "0:17,12:18446744073709551615");
  for (const auto* x : {"0", "0:", ":1", "0:1,", ",0:1", "0:1;1:2", "-1:0", "0:1 ", "a:b",
                        "0:18446744073709551616", "4294967296:0"})
    BOOST_TEST(!parse_positions(x).has_value(), x);
  BOOST_TEST(parse_positions("")->empty());
}

} // namespace ebb::test
