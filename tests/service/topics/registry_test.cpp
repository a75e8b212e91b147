// Topics without HTTP: opening by use, closing, removing, restarts, retention, marks.

#include "actors/connectors/topic_output.hpp"
#include "actors/service/topics/closed_topic.hpp"
#include "tests/service/topics/topics_fixture.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

namespace ebb::test {

namespace {

batch_ptr id_rows(std::uint32_t count, std::int64_t from = 0) {
  auto rows = std::make_shared<batch>();
  rows->rows = count;
  for (const auto& x : order_columns())
    rows->columns.push_back(make_column(x.type, count));
  for (std::uint32_t i = 0; i < count; ++i) {
    rows->columns[0].mutable_data<std::int64_t>()[i] = from + i;
    rows->columns[2].mutable_data<double>()[i] = 0;
  }
  return rows;
}

topic_append request_of(std::uint32_t count, std::int64_t from = 0) {
  topic_append x;
  x.parts.push_back({id_rows(count, from), {}});
  return x;
}

struct fixture {
  explicit fixture(topic_registry_options how = {}) : options(std::move(how)) {
    reopen();
  }

  ~fixture() {
    topics.reset();
  }

  void reopen() {
    topics.reset();
    options.data_folder = folder.path();
    auto opened = topic_registry::open(
        options, io, [this] { return now.load(); }, metrics);
    if (!opened)
      BOOST_FAIL(to_string(opened.error()));
    topics = *std::move(opened);
  }

  append_answer append(const std::string& uid, topic_append request) {
    std::promise<append_answer> done;
    topics->append(uid, std::move(request), [&](append_answer x) { done.set_value(std::move(x)); });
    return done.get_future().get();
  }

  bool open_logs_become(std::size_t count) {
    for (int i = 0; i < 300; ++i) {
      if (topics->open_logs() == count)
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  topics_folder folder;
  metrics_registry metrics;
  std::atomic<micros> now = 1'000'000'000'000'000;
  topic_registry_options options;
  io_pool io{4};
  std::unique_ptr<topic_registry> topics;
};

topic_settings numbered(int i, std::uint32_t partitions = 1) {
  auto x = orders("uid-" + std::to_string(i), partitions);
  x.name = "t" + std::to_string(i);
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(registry)

BOOST_AUTO_TEST_CASE(ten_thousand_topics) {
  fixture x;
  constexpr int count = 10'000;
  for (int i = 0; i < count; ++i)
    BOOST_REQUIRE(x.topics->put(numbered(i)));
  BOOST_TEST((x.append("uid-17", request_of(3)).status == append_status::appended));
  BOOST_TEST((x.append("uid-4711", request_of(5)).status == append_status::appended));
  x.reopen();
  for (int i = 0; i < count; ++i)
    BOOST_REQUIRE(x.topics->put(numbered(i)));
  for (int i = 0; i < count; ++i) {
    const auto bounds = x.topics->bounds("uid-" + std::to_string(i));
    BOOST_REQUIRE(bounds);
    BOOST_REQUIRE(bounds->at(0).end == (i == 17 ? 3u : i == 4711 ? 5u : 0u));
  }
  BOOST_TEST(x.topics->open_logs() == 0u);
  BOOST_TEST(x.topics->count() == static_cast<std::size_t>(count));
  std::size_t folders = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(x.folder.path() + "/topics"))
    ++folders;
  BOOST_TEST(folders == 2u);
}

BOOST_AUTO_TEST_CASE(put_and_find) {
  fixture x;
  BOOST_REQUIRE(x.topics->put(orders("a")));
  BOOST_REQUIRE(x.topics->put(orders("a")));
  const auto twice = x.topics->put(orders("b"));
  BOOST_REQUIRE(!twice);
  BOOST_TEST((twice.error().code == ec::conflict));
  auto changed = orders("a");
  changed.partitions = 2;
  BOOST_TEST(!x.topics->put(changed));
  changed = orders("a");
  changed.key = "id";
  BOOST_TEST(!x.topics->put(changed));
  changed = orders("a");
  changed.retention_bytes = 5;
  BOOST_REQUIRE(x.topics->put(changed));
  BOOST_TEST(x.topics->find("default", "orders")->retention_bytes == 5u);
  changed.name = "renamed";
  BOOST_REQUIRE(x.topics->put(changed));
  BOOST_TEST(!x.topics->find("default", "orders").has_value());
  BOOST_TEST(x.topics->find("default", "renamed")->uid == "a");
  BOOST_TEST(x.topics->find_uid("a")->name == "renamed");
  BOOST_TEST(!x.topics->bounds("nothing"));
  BOOST_TEST((x.append("nothing", request_of(1)).problem.code == ec::not_found));
}

BOOST_AUTO_TEST_CASE(idle_logs_are_closed) {
  topic_registry_options options;
  options.idle_time = 50'000;
  fixture x(options);
  BOOST_REQUIRE(x.topics->put(orders("a", 2)));
  BOOST_TEST((x.append("a", request_of(3)).status == append_status::appended));
  BOOST_TEST(x.topics->open_logs() == 1u);
  BOOST_TEST(x.open_logs_become(0));
  BOOST_TEST(x.topics->bounds("a")->at(0).end + x.topics->bounds("a")->at(1).end == 3u);
  BOOST_TEST(x.topics->open_logs() == 0u);
  const auto slice = x.topics->read("a", 0, 0, {});
  BOOST_REQUIRE(slice);
  BOOST_TEST(x.topics->open_logs() == 1u);
  BOOST_TEST(x.open_logs_become(0));
  BOOST_TEST((x.append("a", request_of(3)).status == append_status::appended));
  const auto usage = x.topics->usage("a");
  BOOST_REQUIRE(usage);
  BOOST_TEST(usage->size.rows_appended == 6u);
  BOOST_TEST(usage->last_time == x.now);
}

BOOST_AUTO_TEST_CASE(not_too_many_logs_are_open) {
  topic_registry_options options;
  options.open_logs = 3;
  fixture x(options);
  for (int i = 0; i < 20; ++i) {
    BOOST_REQUIRE(x.topics->put(numbered(i)));
    BOOST_TEST(
        (x.append("uid-" + std::to_string(i), request_of(1)).status == append_status::appended));
  }
  BOOST_TEST(x.open_logs_become(3));
  for (int i = 0; i < 20; ++i)
    BOOST_TEST(x.topics->bounds("uid-" + std::to_string(i))->at(0).end == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_known_of_a_closed_log) {
  fixture x;
  BOOST_REQUIRE(x.topics->put(orders("a", 2)));
  BOOST_TEST((x.append("a", request_of(3)).status == append_status::appended));
  const auto folder = x.topics->folder("a");
  BOOST_TEST(!read_closed(folder, 2).has_value()); // it is open
  // As a crash leaves it: a copy of the files of an open log.
  const auto copy = x.folder.path() + "/topics/crashed";
  std::filesystem::copy(folder, copy);
  x.topics.reset();
  const auto told = read_closed(folder, 2);
  BOOST_REQUIRE(told.has_value());
  BOOST_TEST(told->bounds[0].end + told->bounds[1].end == 3u);
  BOOST_TEST(told->last_time == x.now);
  // Of an older commit, cut, or damaged: not believed.
  std::filesystem::copy(folder + "/ends", copy + "/ends");
  BOOST_TEST(read_closed(copy, 2).has_value()); // the same commit
  for (const auto size : {0, 10, 60}) {
    std::filesystem::resize_file(copy + "/ends", static_cast<std::uintmax_t>(size));
    BOOST_TEST(!read_closed(copy, 2).has_value());
  }
  x.reopen();
  BOOST_REQUIRE(x.topics->put(orders("a", 2)));
  const auto before = std::filesystem::path(x.folder.path() + "/before");
  std::filesystem::copy(folder + "/ends", before);
  BOOST_TEST((x.append("a", request_of(1)).status == append_status::appended));
  BOOST_TEST(!std::filesystem::exists(folder + "/ends"));
  std::filesystem::copy(before, folder + "/ends");
  BOOST_TEST(!read_closed(folder, 2).has_value());
}

BOOST_AUTO_TEST_CASE(after_a_crash) {
  topics_folder other;
  {
    fixture x;
    BOOST_REQUIRE(x.topics->put(orders("a")));
    BOOST_TEST((x.append("a", request_of(3)).status == append_status::appended));
    std::filesystem::copy(x.folder.path(), other.path(), std::filesystem::copy_options::recursive);
  }
  metrics_registry metrics;
  io_pool io;
  topic_registry_options options;
  options.data_folder = other.path();
  auto topics = topic_registry::open(options, io, wall_time, metrics);
  BOOST_REQUIRE(topics);
  BOOST_REQUIRE((*topics)->put(orders("a")));
  BOOST_TEST((*topics)->bounds("a")->at(0).end == 3u);
  BOOST_TEST((*topics)->open_logs() == 1u);
}

BOOST_AUTO_TEST_CASE(removing) {
  fixture x;
  BOOST_REQUIRE(x.topics->put(orders("a")));
  std::atomic<int> told = 0;
  const auto watch = x.topics->watch("a", [&] { ++told; });
  std::atomic<int> appended = 0;
  std::atomic<int> refused = 0;
  constexpr int requests = 2000;
  std::thread sender([&] {
    for (int i = 0; i < requests; ++i)
      x.topics->append("a", request_of(1), [&](const append_answer& answer) {
        const bool good = answer.status == append_status::appended;
        ++(good ? appended : refused);
        if (!good && answer.problem.code != ec::not_found && answer.problem.code != ec::resource)
          BOOST_ERROR(to_string(answer.problem));
      });
  });
  while (appended == 0)
    std::this_thread::yield();
  BOOST_REQUIRE(x.topics->remove("a"));
  sender.join();
  BOOST_TEST(appended + refused == requests);
  BOOST_TEST(!std::filesystem::exists(x.topics->folder("a")));
  BOOST_TEST(told > 0);
  BOOST_TEST(x.topics->open_logs() == 0u);
  BOOST_REQUIRE(x.topics->remove("a"));
  // The name is free again, with a new log.
  BOOST_REQUIRE(x.topics->put(orders("b")));
  const auto answer = x.append("b", request_of(1));
  BOOST_TEST(answer.ranges.at(0).first == 0u);
}

BOOST_AUTO_TEST_CASE(who_sleeps_is_told_before_the_answer) {
  std::atomic<int> moved = 0;
  topic_registry_options options;
  options.on_moved = [&](const std::string& uid) { moved += uid == "a" ? 1 : 100; };
  fixture x(options);
  BOOST_REQUIRE(x.topics->put(orders("a")));
  for (int i = 1; i <= 20; ++i) {
    std::promise<int> at_answer;
    x.topics->append("a", request_of(1), [&](const append_answer&) { at_answer.set_value(moved); });
    BOOST_TEST(at_answer.get_future().get() == i);
  }
  std::atomic<int> told = 0;
  auto watch = x.topics->watch("a", [&] { ++told; });
  x.append("a", request_of(1));
  BOOST_TEST(told == 1);
  watch.reset();
  x.append("a", request_of(1));
  BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_CASE(many_threads_append) {
  topic_registry_options options;
  options.idle_time = 1000; // closed again and again meanwhile
  fixture x(options);
  BOOST_REQUIRE(x.topics->put(orders("a", 3)));
  constexpr int threads = 4;
  constexpr int each = 200;
  std::vector<std::thread> senders;
  for (int k = 0; k < threads; ++k)
    senders.emplace_back([&, k] {
      for (int i = 0; i < each; ++i) {
        topic_append request = request_of(2);
        request.producer = {"p" + std::to_string(k), 0, static_cast<std::uint64_t>(2 * i)};
        const auto answer = x.append("a", std::move(request));
        if (answer.status != append_status::appended)
          BOOST_ERROR(to_string(answer.problem));
        if (i % 50 == 0)
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
  for (auto& t : senders)
    t.join();
  std::uint64_t rows = 0;
  const auto bounds = x.topics->bounds("a");
  BOOST_REQUIRE(bounds);
  for (const auto& p : *bounds)
    rows += p.end;
  BOOST_TEST(rows == 2u * threads * each);
}

BOOST_AUTO_TEST_CASE(staged_files) {
  fixture x;
  BOOST_REQUIRE(x.topics->put(orders("a", 2)));
  const sink_mark mark{"stream/out/0", 1, 7};
  topic_output_encoder encoder;
  output_buffer bytes;
  encoder.add({id_rows(4), {1}}, bytes);
  encoder.end(mark, bytes);
  const auto path = x.folder.path() + "/staged";
  {
    std::ofstream file(path, std::ios::binary);
    for (auto block = bytes.pop(true); block.size != 0; block = bytes.pop(true))
      file.write(block.memory.as<const char>(), static_cast<std::streamsize>(block.size));
  }
  BOOST_REQUIRE(x.topics->append_file("a", path, mark));
  BOOST_REQUIRE(x.topics->append_file("a", path, mark));
  BOOST_TEST(x.topics->bounds("a")->at(1).end == 4u);
  x.reopen();
  BOOST_REQUIRE(x.topics->put(orders("a", 2)));
  BOOST_REQUIRE(x.topics->append_file("a", path, mark));
  BOOST_TEST(x.topics->bounds("a")->at(1).end == 4u);
  const auto known = x.topics->mark("a", mark.sink);
  BOOST_REQUIRE(known);
  BOOST_TEST((*known)->epoch == 7u);
  BOOST_REQUIRE(x.topics->forget_marks("a", "stream/"));
  BOOST_TEST(!x.topics->mark("a", mark.sink)->has_value());
  BOOST_TEST(!x.topics->append_file("nothing", path, mark));
  BOOST_TEST(!x.topics->append_file("a", path + "x", mark));
}

BOOST_AUTO_TEST_CASE(access_of_streams) {
  fixture x;
  BOOST_REQUIRE(x.topics->put(orders("a", 2)));
  const auto access = x.topics->access("default");
  const auto found = access->find("orders");
  BOOST_REQUIRE(found);
  BOOST_TEST(found->uid == "a");
  BOOST_TEST(found->partitions == 2u);
  BOOST_TEST(found->folder == x.folder.path() + "/topics/a");
  BOOST_TEST(!x.topics->access("other")->find("orders"));
}

BOOST_AUTO_TEST_CASE(retention_by_age) {
  std::atomic<std::uint64_t> need = 0;
  topic_registry_options options;
  options.retention_time = 20'000;
  options.idle_time = 30'000;
  options.needed = [&](const std::string&) { return std::vector<std::uint64_t>{need}; };
  fixture x(options);
  auto settings = orders("a");
  settings.retention_age = micros_per_day;
  BOOST_REQUIRE(x.topics->put(settings));
  BOOST_TEST((x.append("a", request_of(3)).status == append_status::appended));
  BOOST_TEST(x.open_logs_become(0));
  x.now += 2 * micros_per_day;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  BOOST_TEST(x.topics->bounds("a")->at(0).begin == 0u); // somebody needs them
  need = 3;
  bool gone = false;
  for (int i = 0; i < 300 && !gone; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    gone = x.topics->bounds("a")->at(0).begin == 3;
  }
  BOOST_TEST(gone);
  // With nothing left nobody opens it any more.
  BOOST_TEST(x.open_logs_become(0));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  BOOST_TEST(x.topics->open_logs() == 0u);
}

BOOST_AUTO_TEST_CASE(retention_by_size) {
  fixture x;
  auto settings = orders("a");
  settings.retention_bytes = 1 << 20;
  settings.retention_age = 0;
  BOOST_REQUIRE(x.topics->put(settings));
  for (int i = 0; i < 60; ++i)
    BOOST_TEST((x.append("a", request_of(4000)).status == append_status::appended));
  BOOST_TEST(x.topics->bounds("a")->at(0).begin > 0u);
  BOOST_TEST(x.topics->usage("a")->size.bytes < 3u << 20);
}

BOOST_AUTO_TEST_CASE(a_damaged_log_is_an_error) {
  fixture x;
  BOOST_REQUIRE(x.topics->put(orders("a")));
  BOOST_TEST((x.append("a", request_of(3)).status == append_status::appended));
  x.topics.reset();
  for (const auto& file : std::filesystem::directory_iterator(x.folder.path() + "/topics/a"))
    if (file.path().extension() == ".mdb")
      std::filesystem::resize_file(file.path(), 4096);
  x.reopen();
  BOOST_REQUIRE(x.topics->put(orders("a")));
  const auto answer = x.append("a", request_of(1));
  BOOST_TEST((answer.status == append_status::failed));
  BOOST_TEST((answer.problem.code == ec::corrupt));
  BOOST_TEST(!x.topics->read("a", 0, 0, {}));
  BOOST_REQUIRE(x.topics->remove("a"));
}

BOOST_AUTO_TEST_CASE(tokens_after_a_restart) {
  topics_folder folder;
  std::string token;
  {
    topics_service service(folder.path());
    service.put(orders());
    const auto answer =
        service.ask(post("/v1/topics/orders/messages", R"({"id":1})", "application/json",
                         "Ebb-Producer: p\r\nEbb-Sequence: 4\r\n"));
    token = nlohmann::json::parse(answer.body)["token"];
  }
  topics_service service(folder.path());
  service.put(orders());
  const auto answer = service.ask(get("/v1/acks/" + token));
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(nlohmann::json::parse(answer.body)["partitions"][0]["last"] == 0);
  const auto retry =
      service.ask(post("/v1/topics/orders/messages", R"({"id":1})", "application/json",
                       "Ebb-Producer: p\r\nEbb-Sequence: 4\r\n"));
  BOOST_TEST(nlohmann::json::parse(retry.body)["duplicate"] == true);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb::test
