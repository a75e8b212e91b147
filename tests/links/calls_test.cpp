/// Calls over lost connections, silent and other control processes.
#include "actors/runtime/stream_store.hpp"
#include "tests/links/samples.hpp"
#include "tests/links/two_sides.hpp"

#include <filesystem>
#include <thread>

using namespace ebb;
using namespace ebb::links_test;

namespace {

const stream_placement here{"uid-1", 1};

stream_entry stream() {
  auto x = sample_stream();
  x.uid = "uid-1";
  return x;
}

void make_stream(control_side& control) {
  take(control.database.open_or_create(stream()));
}

error error_of(const call_outcome& x) {
  BOOST_REQUIRE(!x);
  return x.error();
}

std::uint64_t number_of(const call_outcome& x) {
  return std::get<std::uint64_t>(take(x));
}

void sleep_until(const std::function<bool()>& ready) {
  for (int i = 0; i < 10'000 && !ready(); ++i)
    std::this_thread::sleep_for(1ms);
  BOOST_REQUIRE(ready());
}

// Keeps what is sent over it.
class scripted_link final : public link_connection {
public:
  result<void> send(const link_message& x) override {
    if (!fails_with)
      sent.push_back(x);
    return fails_with ? result<void>(*fails_with) : result<void>{};
  }

  void close(error why) override {
    closed = std::move(why);
  }

  void finish() override {}

  [[nodiscard]] bool open() const noexcept override {
    return !closed;
  }

  [[nodiscard]] std::size_t waiting() const noexcept override {
    return 0;
  }

  [[nodiscard]] const link_peer& peer() const noexcept override {
    return peer_;
  }

  [[nodiscard]] std::vector<std::uint64_t> call_ids() const {
    std::vector<std::uint64_t> ids;
    for (const auto& x : sent)
      ids.push_back(std::get<link_call>(x).id);
    return ids;
  }

  std::vector<link_message> sent;
  std::optional<error> fails_with;
  std::optional<error> closed;

private:
  link_peer peer_;
};

using ids = std::vector<std::uint64_t>;

// A call that is under way.
struct started {
  started(link_calls& calls, call_operation operation, const stream_placement& from = here) {
    calls.start(from, std::move(operation),
                [this](call_outcome&& x) { outcomes.push_back(std::move(x)); });
  }

  std::vector<call_outcome> outcomes;
};

topic_append_call append(std::optional<link_producer> producer, std::string key = {}) {
  topic_append_call x;
  x.topic = "topic";
  x.parts = {{sample_rows(10), {}}};
  x.producer = std::move(producer);
  x.idempotency_key = std::move(key);
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(links_calls)

BOOST_AUTO_TEST_CASE(many_threads_get_their_own_answers) {
  storage_test::temporary_folder folder;
  control_side control(folder.path());
  for (int i = 0; i < 8; ++i) {
    auto x = stream();
    x.uid = "uid-" + std::to_string(i);
    x.name = "stream-" + std::to_string(i);
    take(control.database.open_or_create(x));
  }
  worker_side worker(folder.path());
  worker.connect();
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        auto ledger = worker.ledger();
        for (int k = 0; k < 200; ++k) {
          const auto found = ledger.find_stream("stream-" + std::to_string(i));
          if (!found || !*found || (*found)->uid != "uid-" + std::to_string(i))
            ++wrong;
        }
      });
  }
  BOOST_TEST(wrong == 0);
  BOOST_TEST(worker.calls->waiting() == 0U);
  // Answers are kept for as long as the worker may ask again.
  BOOST_TEST(control.desk.size() <= 8U);
}

BOOST_AUTO_TEST_CASE(patience_ends) {
  storage_test::temporary_folder folder;
  worker_side worker(folder.path());
  const auto begun = std::chrono::steady_clock::now();
  const auto alone = worker.ledger(100ms).tokens("uid-1");
  BOOST_REQUIRE(!alone);
  BOOST_TEST((alone.error().code == ec::resource));
  BOOST_TEST(alone.error().message == "the control process has not answered for 100 ms");
  BOOST_TEST(!alone.error().hint.empty());
  BOOST_TEST((std::chrono::steady_clock::now() - begun >= 100ms));

  control_side control(folder.path());
  control.instead = [](const link_pointer&, const link_call&) { return true; };
  worker.connect();
  BOOST_TEST((worker.ledger(100ms).tokens("uid-1").error().code == ec::resource));
  BOOST_TEST(worker.calls->waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(calls_wait_for_the_first_connection) {
  storage_test::temporary_folder folder;
  control_side control(folder.path());
  make_stream(control);
  worker_side worker(folder.path());
  std::jthread later([&] {
    sleep_until([&] { return worker.calls->waiting() == 1; });
    worker.connect();
  });
  BOOST_TEST(take(worker.ledger().begin_generation("uid-1")) == 1U);
}

BOOST_AUTO_TEST_CASE(a_lost_answer_comes_with_the_next_connection) {
  storage_test::temporary_folder folder;
  control_side control(folder.path());
  make_stream(control);
  worker_side worker(folder.path());
  worker.keep_connected();
  auto ledger = worker.ledger();
  for (std::uint64_t i = 1; i <= 30; ++i) {
    control.close_after = 1;
    BOOST_REQUIRE(take(ledger.begin_generation("uid-1")) == i); // none was left out
  }
  BOOST_TEST(control.carried_out == 30);
  // A commit, too, is simply answered late.
  take(ledger.reserve_epochs("uid-1", 30, 10));
  auto record = sample_record();
  record.epoch = 1;
  record.generation = 30;
  record.finished = false;
  control.close_after = 1;
  take(ledger.commit({record, 30, {}, 3}));
  BOOST_TEST(take(ledger.records("uid-1")).size() == 1U);
  worker.stop_keeping();
}

BOOST_AUTO_TEST_CASE(links_break_at_any_time_and_each_call_is_carried_out_once) {
  storage_test::temporary_folder folder;
  control_side control(folder.path());
  make_stream(control);
  worker_side worker(folder.path());
  worker.keep_connected();
  std::atomic<bool> over = false;
  std::jthread breaker([&] {
    for (int i = 0; !over; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(i * 37 % 3000));
      if (const auto link = worker.link(); link && i % 2 == 0)
        link->close(make_error(ec::io, "on purpose"));
      else
        control.close_after = 1;
    }
  });
  auto ledger = worker.ledger();
  for (std::uint64_t i = 1; i <= 300; ++i)
    BOOST_REQUIRE(take(ledger.begin_generation("uid-1")) == i);
  over = true;
  breaker.join();
  worker.stop_keeping();
  BOOST_TEST(worker.closed > 10);
}

BOOST_AUTO_TEST_CASE(the_next_control_process_is_asked_again_where_that_does_no_harm) {
  link_calls calls;
  const auto first = std::make_shared<scripted_link>();
  calls.connected(first, 1);
  started generation(calls, ledger_begin_generation{"uid-1"}); // 1
  started commit(calls, ledger_commit{sample_record(), 1, {}, 3});
  started removal(calls, ledger_delete_stream{"stream"}); // 3
  started plain(calls, append(std::nullopt));
  started numbered(calls, append(link_producer{"p", 1, 0})); // 5
  started keyed(calls, append(std::nullopt, "key"));
  started file(calls, topic_append_file_call{"topic", "/file", {"sink", 1, 2}}); // 7
  BOOST_TEST(first->call_ids() == (ids{1, 2, 3, 4, 5, 6, 7}));
  calls.disconnected(first);
  started reading(calls, ledger_records{"uid-1"}); // 8, not sent
  BOOST_TEST(commit.outcomes.empty());

  const auto second = std::make_shared<scripted_link>();
  calls.connected(second, 2);
  BOOST_TEST(second->call_ids() == (ids{1, 3, 5, 6, 7, 8}));
  BOOST_REQUIRE(commit.outcomes.size() == 1U);
  BOOST_TEST((error_of(commit.outcomes[0]).code == ec::resource)); // the store looks it up
  BOOST_REQUIRE(plain.outcomes.size() == 1U);
  BOOST_TEST((error_of(plain.outcomes[0]).code == ec::io));

  const auto gone = make_error(ec::not_found, "there is no stream named stream");
  calls.answered({3, gone});
  BOOST_REQUIRE(removal.outcomes.size() == 1U);
  take(removal.outcomes[0]);
  calls.answered({8, gone}); // was not repeated
  BOOST_TEST((error_of(reading.outcomes.at(0)).code == ec::not_found));
  calls.answered({1, call_value{std::uint64_t{5}}});
  BOOST_TEST(number_of(generation.outcomes.at(0)) == 5U);
  calls.answered({1, call_value{std::uint64_t{6}}}); // nobody waits any more
  BOOST_TEST(generation.outcomes.size() == 1U);
  BOOST_TEST(calls.waiting() == 3U);
  calls.stop();
  BOOST_TEST((error_of(numbered.outcomes.at(0)).code == ec::cancelled));
  BOOST_TEST(keyed.outcomes.size() == 1U);
  BOOST_TEST(file.outcomes.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_removal_that_finds_nothing_at_once_says_so) {
  link_calls calls;
  const auto link = std::make_shared<scripted_link>();
  calls.connected(link, 1);
  started removal(calls, ledger_delete_stream{"stream"});
  calls.answered({1, make_error(ec::not_found, "none")});
  BOOST_TEST((error_of(removal.outcomes.at(0)).code == ec::not_found));
}

BOOST_AUTO_TEST_CASE(the_same_control_process_is_told_what_is_settled) {
  link_calls calls;
  const auto first = std::make_shared<scripted_link>();
  calls.connected(first, 1);
  started a(calls, ledger_tokens{"uid-1"});
  started b(calls, ledger_commit{sample_record(), 1, {}, 3});
  calls.answered({1, call_value{std::vector<sink_token>{}}});
  calls.disconnected(first);
  const auto second = std::make_shared<scripted_link>();
  calls.connected(second, 1);
  BOOST_TEST(second->call_ids() == (ids{2})); // its desk knows the commit
  BOOST_TEST(std::get<link_call>(second->sent[0]).settled == 2U);
  BOOST_TEST(b.outcomes.empty());
  calls.stop();
}

BOOST_AUTO_TEST_CASE(cancelled_placements_do_not_call) {
  link_calls calls;
  const auto link = std::make_shared<scripted_link>();
  std::optional<call_outcome> waited;
  std::jthread blocked([&] { waited = calls.call(here, ledger_tokens{"uid-1"}, 20s); });
  sleep_until([&] { return calls.waiting() == 1; });
  started other(calls, ledger_tokens{"uid-2"}, {"uid-2", 1});
  started next(calls, ledger_tokens{"uid-1"}, {"uid-1", 2});
  calls.cancel(here);
  blocked.join();
  BOOST_TEST((error_of(*waited).code == ec::cancelled));
  BOOST_TEST((error_of(calls.call(here, ledger_tokens{"uid-1"}, 20s)).code == ec::cancelled));
  started late(calls, ledger_tokens{"uid-1"});
  BOOST_TEST((error_of(late.outcomes.at(0)).code == ec::cancelled));
  calls.connected(link, 1);
  BOOST_TEST(link->call_ids() == (ids{2, 3}));
  calls.stop();
  BOOST_TEST((error_of(calls.call({"uid-9", 1}, ledger_tokens{"x"}, 20s)).code == ec::cancelled));
}

BOOST_AUTO_TEST_CASE(what_is_under_way_is_bounded) {
  call_limits limits;
  limits.calls = 3;
  link_calls calls(limits);
  started a(calls, ledger_tokens{"uid-1"});
  started b(calls, ledger_tokens{"uid-1"});
  started c(calls, ledger_tokens{"uid-1"});
  started d(calls, ledger_tokens{"uid-1"});
  BOOST_TEST((error_of(d.outcomes.at(0)).code == ec::resource));
  BOOST_TEST((error_of(calls.call(here, ledger_tokens{"uid-1"}, 50ms)).code == ec::resource));
  BOOST_TEST(calls.waiting() == 3U);
  std::optional<call_outcome> waited;
  std::jthread blocked([&] { waited = calls.call(here, ledger_tokens{"uid-1"}, 20s); });
  std::this_thread::sleep_for(20ms);
  calls.answered({1, call_value{}});
  sleep_until([&] { return calls.waiting() == 3; });
  calls.answered({4, call_value{}});
  blocked.join();
  take(*waited);

  call_limits few;
  few.bytes = 100;
  link_calls rows(few);
  started large(rows, append(std::nullopt)); // alone it may be larger
  started second(rows, append(std::nullopt));
  BOOST_TEST(large.outcomes.empty());
  BOOST_TEST(second.outcomes.size() == 1U);
  rows.stop();
  calls.stop();
}

BOOST_AUTO_TEST_CASE(a_full_link_is_tried_again_by_those_who_wait) {
  link_calls calls;
  const auto link = std::make_shared<scripted_link>();
  link->fails_with = make_error(ec::resource, "the link is full");
  calls.connected(link, 1);
  started nobody_waits(calls, ledger_tokens{"uid-1"});
  BOOST_TEST((error_of(nobody_waits.outcomes.at(0)).code == ec::resource));
  BOOST_TEST((error_of(calls.call(here, ledger_tokens{"uid-1"}, 100ms)).code == ec::resource));
  link->fails_with = make_error(ec::unsupported, "too large");
  BOOST_TEST((error_of(calls.call(here, ledger_tokens{"uid-1"}, 20s)).code == ec::unsupported));
  link->fails_with = make_error(ec::io, "closed");
  started waits(calls, ledger_tokens{"uid-1"});
  BOOST_TEST(waits.outcomes.empty());
  calls.stop();
}

BOOST_AUTO_TEST_CASE(a_call_too_large_for_a_link_is_refused) {
  storage_test::temporary_folder folder;
  control_side control(folder.path());
  worker_side worker(folder.path());
  worker.connect();
  auto ledger = worker.ledger();
  const auto large =
      ledger.garbage("uid-1", std::vector<std::string>(3, std::string(8 << 20, 'x')));
  BOOST_REQUIRE(!large);
  BOOST_TEST((large.error().code == ec::unsupported));
  take(ledger.tokens("uid-1"));
}

BOOST_AUTO_TEST_CASE(the_desk_does_everything_once) {
  call_desk desk;
  const auto first = std::make_shared<scripted_link>();
  const auto second = std::make_shared<scripted_link>();
  const auto call = [](std::uint64_t id, std::uint64_t settled) {
    return link_call{id, settled, "uid-1", 1, ledger_begin_generation{"uid-1"}};
  };
  BOOST_TEST(desk.arrived(7, first, call(1, 1)));
  BOOST_TEST(desk.arrived(7, first, call(2, 1)));
  BOOST_TEST(desk.arrived(8, first, call(1, 1))); // another worker
  BOOST_TEST(!desk.arrived(7, second, call(1, 1)));
  desk.done(7, 1, call_value{std::uint64_t{5}}); // to where it was asked last
  BOOST_TEST(first->sent.empty());
  BOOST_REQUIRE(second->sent.size() == 1U);
  BOOST_TEST(std::get<call_answer>(second->sent[0]).id == 1U);
  BOOST_TEST(!desk.arrived(7, second, call(1, 1))); // again
  BOOST_TEST(second->sent.size() == 2U);
  BOOST_TEST(number_of(std::get<call_answer>(second->sent[1]).outcome) == 5U);
  // The worker has that answer, and has given the second call up.
  BOOST_TEST(desk.arrived(7, second, call(3, 3)));
  BOOST_TEST(!desk.arrived(7, first, call(1, 1)));
  BOOST_TEST(!desk.arrived(7, first, call(2, 1)));
  BOOST_TEST(first->sent.empty());
  BOOST_TEST(desk.size() == 3U);
  desk.done(7, 2, call_value{});
  BOOST_TEST(desk.size() == 2U);
  desk.forget(7);
  desk.done(7, 3, call_value{});
  BOOST_TEST(desk.size() == 1U);
  BOOST_TEST(second->sent.size() == 2U);
}

BOOST_AUTO_TEST_CASE(an_answer_that_does_not_fit_is_told_or_fetched_again) {
  call_desk desk;
  const auto link = std::make_shared<scripted_link>();
  BOOST_TEST(desk.arrived(7, link, {1, 1, "uid-1", 1, ledger_records{"uid-1"}}));
  link->fails_with = make_error(ec::resource, "the link is full");
  desk.done(7, 1, call_value{});
  BOOST_REQUIRE(link->closed.has_value());
  BOOST_TEST((link->closed->code == ec::resource));
}

BOOST_AUTO_TEST_CASE(a_commit_whose_answer_died_with_the_control_process_is_looked_up) {
  storage_test::temporary_folder folder;
  auto control = std::make_unique<control_side>(folder.path());
  make_stream(*control);
  worker_side worker(folder.path());
  worker.connect();
  auto entry = stream();
  entry.generation = take(worker.ledger().begin_generation("uid-1"));
  const auto ledger =
      std::make_shared<shared_ledger>([&]() -> result<std::unique_ptr<stream_ledger>> {
        return std::unique_ptr<stream_ledger>(
            std::make_unique<remote_ledger>(worker.calls, here, 20s));
      });
  stream_store store(ledger, folder.path(), entry, {});
  epoch_record record;
  record.epoch = take(store.reserve(10));
  for (const bool is_recorded : {true, false, true}) {
    control->instead = [is_recorded, to = &control->database](const link_pointer& link,
                                                              const link_call& call) {
      if (!std::holds_alternative<ledger_commit>(call.operation))
        return false;
      if (is_recorded && !answer_ledger_call(*to, call.operation))
        return false;
      link->close(make_error(ec::io, "killed"));
      return true;
    };
    const int before = worker.closed;
    std::optional<result<void>> committed;
    std::jthread committing([&] { committed = store.commit(record); });
    sleep_until([&] { return worker.closed > before; });
    control.reset();
    control = std::make_unique<control_side>(folder.path(), record.epoch + 1);
    worker.connect();
    committing.join();
    BOOST_REQUIRE(!*committed);
    BOOST_TEST((committed->error().code == ec::resource)); // the coordinator tries again
    take(store.commit(record));
    const auto records = take(control->database.records("uid-1"));
    BOOST_REQUIRE(!records.empty());
    BOOST_TEST(records[0].epoch == record.epoch);
    ++record.epoch;
  }
  BOOST_TEST(take(control->database.records("uid-1")).size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
