#include "actors/connectors/topic_position.hpp"
#include "actors/service/views.hpp"
#include "tests/support/rows.hpp"

#include <malloc.h>

#include "keeper_support.hpp"

using namespace ebb;
using namespace keeper_test;

namespace {

constexpr const char* manifest = R"(apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: clicks}
spec:
  schema: id BIGINT
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: all}
spec:
  sleep: {idleAfter: 5s}
  sources:
    - name: c
      schema: id BIGINT
      topic: {name: clicks}
  sinks:
    - discard: {}
)";

/// A service with one stream, `all`, that reads the topic `clicks`.
class service {
public:
  service() {
    open(1);
    worker_joins(1'000'001);
    apply(manifest);
  }

  /// `meanwhile`: between the process's first link and its knowing of streams.
  void open(std::uint64_t incarnation, const std::function<void()>& meanwhile = {}) {
    world = std::make_unique<played_world>(folder.path);
    keeper_options options;
    options.data_folder = folder.path;
    options.incarnation = incarnation;
    streams = std::make_unique<keeper>(options, *world);
    if (meanwhile)
      meanwhile();
    keeper::loaded all;
    require(world->records().with([&](control_db& db) -> result<void> {
      EBB_ASSIGN(all.names, db.stream_names());
      EBB_ASSIGN(all.lives, db.lives());
      EBB_ASSIGN(all.traits, db.traits());
      EBB_ASSIGN(all.restores, db.restores());
      EBB_ASSIGN(const auto topics, db.topics());
      for (const auto& x : topics) {
        EBB_ASSIGN(const auto definition, definition_of(x));
        EBB_TRY(world->topics().put(settings_of(definition, x.uid)));
      }
      return {};
    }));
    streams->load(all);
    run_jobs();
  }

  /// As after kill -9.
  void reopen(std::uint64_t incarnation, const std::function<void()>& meanwhile = {}) {
    streams.reset();
    world.reset();
    open(incarnation, meanwhile);
  }

  void apply(const std::string& text) {
    auto& records = world->records();
    apply_options options;
    options.now = world->time;
    options.new_uid = random_uid;
    const resource_lookup known{
        [&](const std::string& name) {
          return records.with([&](control_db& db) { return db.find_stream(name); });
        },
        [&](const std::string& name) {
          return records.with([&](control_db& db) { return db.find_topic(name); });
        },
        [&](const std::string& uid) {
          return records.with([&](control_db& db) { return db.find_traits(uid); });
        },
        [&](const std::string& path, const std::string& but) {
          return records.with([&](control_db& db) {
            return db.writer_of_file([&](const std::string& x) { return x == path; }, but);
          });
        }};
    const auto plan = value_of(plan_apply(text, options, known));
    require(records.with([&](control_db& db) { return db.change(plan.changes); }));
    for (const auto& x : plan.topics)
      require(world->topics().put(x));
    streams->applied(plan);
    run_jobs();
  }

  void run_jobs() {
    while (!world->jobs.empty()) {
      auto [work, then] = std::move(world->jobs.front());
      world->jobs.pop_front();
      work();
      then();
    }
  }

  void pass(micros time) {
    const auto until = world->time + time;
    while (world->alarm <= until) {
      world->time = std::max(world->time, std::exchange(world->alarm, max_time));
      streams->tick();
      run_jobs();
    }
    world->time = until;
  }

  void worker_joins(std::uint64_t worker, std::vector<hosted_stream> hosted = {}) {
    worker_hello hello;
    hello.name = "worker-" + std::to_string(worker);
    hello.pid = 17;
    hello.hosted = std::move(hosted);
    streams->worker_here(worker, hello, [&](control_welcome x) { welcome = std::move(x); });
    run_jobs();
  }

  void says(link_message what) {
    streams->worker_says(1'000'001, std::move(what));
    run_jobs();
  }

  [[nodiscard]] const stream_slot& slot() const {
    const auto* found = streams->find("all");
    BOOST_REQUIRE(found != nullptr);
    return *found;
  }

  [[nodiscard]] std::string phase() const {
    return to_string(slot().life.phase());
  }

  /// The order to start it is there: it starts.
  void start() {
    const auto* order = world->last<start_stream>();
    BOOST_REQUIRE(order != nullptr);
    says(stream_started{order->uid, order->placement, order->placement, {}});
    BOOST_TEST(phase() == "Running");
  }

  /// The stream's last checkpoint has read so far.
  void record(std::uint64_t offset) {
    require(world->records().with([&](control_db& db) -> result<void> {
      const auto uid = slot().uid;
      EBB_ASSIGN(const auto generation, db.begin_generation(uid));
      EBB_ASSIGN(const auto epoch, db.reserve_epochs(uid, generation, 1));
      commit_request request;
      request.generation = generation;
      request.record.uid = uid;
      request.record.epoch = epoch;
      request.record.generation = generation;
      request.record.positions = {{"c", 0, false, encode(topic_position{topic(), offset})}};
      return db.commit(request);
    }));
  }

  [[nodiscard]] std::string topic() {
    return world->topics().find("default", "clicks")->uid;
  }

  void append() {
    topic_append request;
    request.parts.push_back({test::rows_of({7}), {}});
    append_status status = append_status::failed;
    world->topics().append(topic(), std::move(request),
                           [&](const append_answer& x) { status = x.status; });
    BOOST_REQUIRE(status == append_status::appended);
  }

  /// It has nothing to do until it is put to sleep.
  void rest() {
    const auto* order = world->last<start_stream>();
    stream_status status;
    status.uid = order->uid;
    status.placement = order->placement;
    status.activity = 1;
    for (int i = 0; i < 10 && world->last<stop_stream>() == nullptr; ++i) {
      says(status);
      pass(micros_per_second);
    }
    const auto* stop = world->last<stop_stream>();
    BOOST_REQUIRE(stop != nullptr);
    BOOST_TEST(!stop->kill);
    BOOST_TEST(phase() == "GoingToSleep");
  }

  void ends() {
    const auto* order = world->last<start_stream>();
    stream_ended end;
    end.uid = order->uid;
    end.placement = order->placement;
    end.cut = true;
    says(end);
  }

  scratch_folder folder;
  std::unique_ptr<played_world> world;
  std::unique_ptr<keeper> streams;
  control_welcome welcome;
};

} // namespace

BOOST_AUTO_TEST_SUITE(keeping_streams)

BOOST_AUTO_TEST_CASE(a_new_stream_is_placed_and_started) {
  service x;
  const auto* order = x.world->last<start_stream>();
  BOOST_REQUIRE(order != nullptr);
  BOOST_TEST(order->name == "all");
  BOOST_TEST(order->placement == 1U);
  BOOST_TEST(order->data_folder == x.folder.path);
  BOOST_TEST(order->manifest.find("kind: Stream") != std::string::npos);
  BOOST_TEST(x.phase() == "Waking");
  BOOST_TEST(x.world->records().allows({order->uid, 1}));
  BOOST_TEST(!x.world->records().allows({order->uid, 2}));
  x.start();
}

BOOST_AUTO_TEST_CASE(it_sleeps_when_it_rests_and_wakes_with_a_message) {
  service x;
  x.start();
  x.rest();
  x.record(0);
  x.ends();
  BOOST_TEST(x.phase() == "Asleep");
  BOOST_TEST(x.world->listening[x.topic()]);
  const auto* forget = x.world->last<stop_stream>();
  BOOST_TEST(forget->kill);
  BOOST_TEST(x.streams->workers_of(x.slot()).empty());

  x.world->sent.clear();
  x.append();
  x.streams->input_moved(x.topic());
  x.run_jobs();
  const auto* order = x.world->last<start_stream>();
  BOOST_REQUIRE(order != nullptr);
  BOOST_TEST(order->placement == 2U);
  x.start();
  BOOST_TEST(std::string(to_string(x.slot().life.reason())) == "InputArrived");
}

BOOST_AUTO_TEST_CASE(a_wake_carries_the_trace_of_its_request) {
  service x;
  x.start();
  x.rest();
  x.record(0);
  x.ends();
  x.world->sent.clear();
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  const auto parent = "00-" + trace + "-b7ad6b7169203331-01";
  // One that leads to nothing leaves nothing behind.
  x.streams->input_moved(x.topic(), "00-ffffffffffffffffffffffffffffffff-b7ad6b7169203331-01");
  x.run_jobs();
  BOOST_TEST(x.phase() == "Asleep");
  BOOST_TEST(!x.slot().awake);
  x.append();
  x.streams->input_moved(x.topic(), parent);
  x.run_jobs();
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->trace == parent);
  x.start();
  stream_status status;
  status.uid = x.slot().uid;
  status.placement = 2;
  status.activity = 1;
  status.mapped = x.world->time + 1;
  status.first_record = x.world->time + 2;
  status.first_output = x.world->time + 3;
  x.says(status);
  BOOST_REQUIRE(x.slot().life.trace() != nullptr);
  BOOST_TEST(x.slot().life.trace()->map == status.mapped);
  BOOST_TEST(x.slot().life.trace()->first_record == status.first_record);
  BOOST_TEST(x.slot().life.trace()->first_output == status.first_output);
  x.streams->flush_events();
  x.run_jobs();
  const auto told = [&](const char* kind) {
    return value_of(
        x.world->records().with([&](control_db& db) { return db.events(x.slot().uid, kind, 1); }));
  };
  BOOST_REQUIRE_EQUAL(told("wakes").size(), 1U);
  BOOST_TEST(told("wakes")[0].find(R"("traceId":")" + trace + '"') != std::string::npos);
  BOOST_TEST(told("logs")[0].find(trace) != std::string::npos);
  // By an order of a person.
  x.rest();
  x.record(1);
  x.ends();
  BOOST_TEST(x.phase() == "Asleep");
  x.world->sent.clear();
  x.streams->on_behalf_of(parent);
  x.streams->wake("all", [](const auto&) {});
  x.run_jobs();
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->trace == parent);
}

BOOST_AUTO_TEST_CASE(a_message_that_came_while_it_fell_asleep_wakes_it) {
  service x;
  x.start();
  x.rest();
  x.record(0);
  x.append(); // nobody listens yet
  x.ends();
  BOOST_TEST(x.phase() == "Waking");
  x.start();
}

BOOST_AUTO_TEST_CASE(a_new_control_process_finds_sleepers_that_have_input) {
  service x;
  x.start();
  x.rest();
  x.record(0);
  x.ends();
  x.append(); // and the control process dies before it is told
  x.reopen(2);
  BOOST_TEST(x.phase() == "Waking");
  x.worker_joins(2'000'001);
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->placement == 2U);
}

BOOST_AUTO_TEST_CASE(a_new_control_process_leaves_those_alone_that_have_read_all) {
  service x;
  x.start();
  x.append();
  x.rest();
  x.record(1);
  x.ends();
  x.reopen(2);
  BOOST_TEST(x.phase() == "Asleep");
}

BOOST_AUTO_TEST_CASE(a_running_stream_is_adopted_and_strangers_are_refused) {
  service x;
  x.start();
  const auto uid = x.slot().uid;
  x.reopen(2);
  BOOST_TEST(x.phase() == "Waking");
  x.worker_joins(1'000'001, {{uid, 1, 1}, {uid, 9, 9}, {"nobody", 1, 1}});
  BOOST_TEST(x.phase() == "Running");
  BOOST_REQUIRE(x.welcome.accepted.size() == 1U);
  BOOST_TEST(x.welcome.accepted.front().placement == 1U);
  BOOST_TEST(x.welcome.refused.size() == 2U);
  BOOST_TEST(x.welcome.incarnation == 2U);
  BOOST_TEST(x.world->records().allows({uid, 1}));
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_faster_than_the_start_of_the_control_process_is_adopted) {
  service x;
  x.start();
  const auto uid = x.slot().uid;
  x.welcome = {};
  x.reopen(2, [&] {
    x.worker_joins(1'000'001, {{uid, 1, 1}});
    BOOST_TEST(x.welcome.refused.empty());
    // Comes and goes.
    x.worker_joins(1'000'002, {{uid, 9, 9}});
    x.streams->worker_gone(1'000'002);
  });
  BOOST_TEST(x.phase() == "Running");
  BOOST_TEST(to_string(x.slot().life.reason()) == "Adopted");
  BOOST_TEST(x.welcome.accepted.size() == 1U);
  BOOST_TEST(x.welcome.refused.empty());
}

BOOST_AUTO_TEST_CASE(a_worker_that_nobody_brings_back_is_replaced) {
  service x;
  x.start();
  x.reopen(2);
  x.worker_joins(2'000'001);
  x.pass(15 * micros_per_second);
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->placement == 2U);
  // The old one comes late: what it runs is over.
  x.worker_joins(1'000'001, {{x.slot().uid, 1, 1}});
  BOOST_TEST(x.welcome.refused.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_worker_that_has_died_is_not_waited_for) {
  service x;
  x.start();
  x.reopen(2);
  x.worker_joins(2'000'001);
  // It lives, and is waited for.
  BOOST_TEST(!x.streams->returned({1'000'001, 2'000'001}));
  x.pass(micros_per_second);
  BOOST_TEST(x.world->last<start_stream>() == nullptr);
  // One that is back has nothing of it.
  x.worker_joins(1'000'002);
  BOOST_TEST(!x.streams->returned({1'000'001, 1'000'002, 2'000'001}));
  BOOST_TEST(x.streams->returned({1'000'002, 2'000'001}));
  x.run_jobs();
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->placement == 2U);
  BOOST_TEST(x.streams->returned({}));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_is_held_up_is_shown) {
  service x;
  x.start();
  const auto* order = x.world->last<start_stream>();
  stream_status status;
  status.uid = order->uid;
  status.placement = order->placement;
  stream_entry entry;
  entry.manifest = "kind: Stream";
  const auto degraded = [&] {
    const auto text =
        stream_json(view_of(*x.streams, x.slot(), x.world->time), entry, std::nullopt);
    return text.find("\"type\":\"Degraded\",\"status\":\"True\",\"reason\":\"CheckpointHeldUp\","
                     "\"message\":\"sink s waits\"")
           != std::string::npos;
  };
  x.says(status);
  BOOST_TEST(!degraded());
  status.checkpoints.alarm = "sink s waits";
  x.says(status);
  BOOST_TEST(degraded());
  const auto why = x.streams->why(x.slot());
  BOOST_TEST((std::find(why.begin(), why.end(), "its checkpoint is held up: sink s waits")
              != why.end()));
  status.checkpoints.alarm.clear();
  x.says(status);
  BOOST_TEST(!degraded());
}

BOOST_AUTO_TEST_CASE(a_lost_worker_is_replaced_by_the_next_placement) {
  service x;
  x.start();
  x.streams->worker_gone(1'000'001);
  x.run_jobs();
  BOOST_TEST(x.phase() == "Waking");
  x.pass(3 * micros_per_second);
  BOOST_REQUIRE(!x.world->started_workers.empty());
  x.worker_joins(x.world->started_workers.back());
  BOOST_TEST(x.world->last<start_stream>()->placement == 2U);
  BOOST_TEST(!x.world->records().allows({x.slot().uid, 1}));
}

BOOST_AUTO_TEST_CASE(a_worker_that_was_given_up_takes_nothing_from_the_next_placement) {
  service x;
  x.start();
  const auto uid = x.slot().uid;
  x.streams->worker_gone(1'000'001);
  x.run_jobs();
  x.pass(3 * micros_per_second);
  BOOST_REQUIRE(!x.world->started_workers.empty());
  x.worker_joins(x.world->started_workers.back());
  BOOST_REQUIRE(x.world->last<start_stream>()->placement == 2U);
  BOOST_TEST(x.world->records().allows({uid, 2}));
  // It was only frozen, and goes on with what it has been doing.
  stream_status status;
  status.uid = uid;
  status.placement = 1;
  x.says(status);
  x.says(stream_started{uid, 1, 1, {}});
  BOOST_TEST(x.world->records().allows({uid, 2}));
  BOOST_TEST(!x.world->records().allows({uid, 1}));
}

BOOST_AUTO_TEST_CASE(a_worker_that_cannot_be_reached_is_lost) {
  service x;
  x.start();
  x.streams->worker_gone(1'000'001);
  x.run_jobs();
  x.world->connected = false;
  x.worker_joins(1'000'005);
  BOOST_TEST(x.phase() == "Waking");
  BOOST_TEST(to_string(x.slot().life.reason()) == std::string("WorkerLost"));
  x.world->connected = true;
  x.pass(2 * micros_per_second);
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->placement > 2U);
}

BOOST_AUTO_TEST_CASE(what_will_never_work_fails_and_is_told) {
  service x;
  stream_ended end;
  end.uid = x.slot().uid;
  end.placement = 1;
  end.problem = make_error(ec::invalid_argument, "column id does not exist", "name another");
  x.says(end);
  BOOST_TEST(x.phase() == "Failed");
  x.pass(micros_per_second);
  const auto errors = value_of(x.world->records().with(
      [&](control_db& db) { return db.events(x.slot().uid, "errors", 10); }));
  BOOST_REQUIRE(errors.size() == 1U);
  BOOST_TEST(errors.front().find("column id does not exist") != std::string::npos);
  // A person mends it.
  x.streams->wake("all", [](const auto&) {});
  x.run_jobs();
  BOOST_TEST(x.phase() == "Waking");
}

BOOST_AUTO_TEST_CASE(orders_of_persons_end_when_they_are_done) {
  service x;
  x.start();
  x.pass(2 * micros_per_second);
  std::string id;
  x.streams->sleep("all", [&](const result<std::string>& begun) { id = value_of(begun); });
  x.run_jobs();
  BOOST_TEST(!x.streams->find_operation(id)->done());
  bool told = false;
  x.streams->await_operation(id, [&] { told = true; });
  x.record(0);
  x.ends();
  BOOST_TEST(x.streams->find_operation(id)->done());
  BOOST_TEST(!x.streams->find_operation(id)->problem.has_value());
  BOOST_TEST(told);

  x.streams->wake("all", [&](const result<std::string>& begun) { id = value_of(begun); });
  x.run_jobs();
  BOOST_TEST(!x.streams->find_operation(id)->done());
  x.start();
  BOOST_TEST(x.streams->find_operation(id)->done());

  ec refused = ec::internal;
  x.streams->wake("nobody", [&](const auto& begun) { refused = begun.error().code; });
  BOOST_CHECK(refused == ec::not_found);
}

BOOST_AUTO_TEST_CASE(another_parallelism_begins_with_the_next_start) {
  service x;
  x.start();
  x.pass(2 * micros_per_second);
  std::string id;
  x.streams->scale("all", 3, [&](const result<std::string>& begun) { id = value_of(begun); });
  x.run_jobs();
  BOOST_TEST(x.world->last<stop_stream>() != nullptr);
  x.record(0);
  x.world->sent.clear();
  stream_ended end;
  end.uid = x.slot().uid;
  end.placement = 1;
  end.cut = true;
  x.says(end);
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->parallelism == 3U);
  BOOST_TEST(!x.streams->find_operation(id)->done());
  x.start();
  BOOST_TEST(x.streams->find_operation(id)->done());
  x.reopen(2);
  BOOST_TEST(x.slot().parallelism == 3U);
}

BOOST_AUTO_TEST_CASE(a_savepoint_of_a_sleeper_is_its_newest_record) {
  service x;
  x.start();
  x.rest();
  x.record(0);
  x.ends();
  std::string id;
  x.streams->savepoint("all", "before", [&](const auto& begun) { id = value_of(begun); });
  x.run_jobs();
  BOOST_TEST(x.streams->find_operation(id)->done());
  BOOST_TEST(!x.streams->find_operation(id)->problem.has_value());
  BOOST_TEST(x.phase() == "Asleep");

  // Going back to it starts the stream from there.
  x.world->sent.clear();
  x.streams->restore("all", {"before", link_past_output::keep},
                     [&](const auto& begun) { id = value_of(begun); });
  x.run_jobs();
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->savepoint == "before");
  BOOST_CHECK(x.world->last<start_stream>()->past_output == link_past_output::keep);
  x.start();
  BOOST_TEST(x.streams->find_operation(id)->done());

  x.pass(2 * micros_per_second);
  x.streams->restore("all", {"nothing"}, [&](const auto& begun) { id = value_of(begun); });
  x.run_jobs();
  stream_ended end;
  end.uid = x.slot().uid;
  end.placement = 2;
  end.cut = true;
  x.says(end);
  BOOST_REQUIRE(x.streams->find_operation(id)->done());
  BOOST_TEST(x.streams->find_operation(id)->problem.has_value());
}

BOOST_AUTO_TEST_CASE(a_savepoint_waits_for_a_stream_that_is_on_its_way) {
  service x;
  std::string id;
  const auto wish = [&](const char* name) {
    x.streams->savepoint("all", name, [&](const auto& begun) { id = value_of(begun); });
    x.run_jobs();
  };
  wish("first");
  BOOST_TEST(x.phase() == "Waking");
  BOOST_TEST(!x.streams->find_operation(id)->done());
  BOOST_TEST(x.world->last<savepoint_stream>() == nullptr);
  x.start();
  BOOST_REQUIRE(x.world->last<savepoint_stream>() != nullptr);
  auto asked = *x.world->last<savepoint_stream>();
  BOOST_TEST(asked.name == "first");
  x.says(savepoint_made{asked.id, 7, {}});
  BOOST_TEST(x.streams->find_operation(id)->done());
  BOOST_TEST(x.streams->find_operation(id)->message == "epoch 7");

  // A run that goes to sleep before it answers leaves its newest record.
  wish("second");
  BOOST_TEST(!x.streams->find_operation(id)->done());
  x.rest();
  BOOST_TEST(x.phase() == "GoingToSleep");
  x.record(0);
  x.ends();
  BOOST_TEST(x.phase() == "Asleep");
  BOOST_REQUIRE(x.streams->find_operation(id)->done());
  BOOST_TEST(!x.streams->find_operation(id)->problem.has_value());
  const auto found = value_of(x.world->records().with(
      [&](control_db& db) { return db.savepoint(x.slot().uid, "second"); }));
  BOOST_TEST(found.has_value());
  // What the run would have said comes too late to count.
  x.says(savepoint_made{asked.id + 1, 9, {}});
  BOOST_TEST(x.streams->find_operation(id)->message != "epoch 9");

  // A stream that is deleted makes none.
  wish("third");
  x.run_jobs();
  x.streams->remove("all", [](const auto&) {});
  x.run_jobs();
  BOOST_TEST(x.streams->find_operation(id)->done());
}

BOOST_AUTO_TEST_CASE(a_wish_to_restore_outlives_the_control_process) {
  service x;
  x.start();
  x.rest();
  x.record(0);
  x.ends();
  x.streams->savepoint("all", "before", [](const auto&) {});
  x.run_jobs();
  bool answered = false;
  x.streams->restore("all", {"before", link_past_output::keep},
                     [&](const auto& begun) { answered = static_cast<bool>(begun); });
  // Only the first job: nothing is placed yet.
  BOOST_TEST(!answered);
  auto [work, then] = std::move(x.world->jobs.front());
  x.world->jobs.pop_front();
  work();
  then();
  BOOST_REQUIRE(answered);
  x.reopen(2);
  x.worker_joins(2'000'001);
  x.pass(2 * micros_per_second);
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->savepoint == "before");
  BOOST_CHECK(x.world->last<start_stream>()->past_output == link_past_output::keep);

  // The start that goes back takes the wish with it: it is not done again.
  const auto uid = x.slot().uid;
  require(x.world->records().with([&](control_db& db) -> result<void> {
    EBB_ASSIGN(const auto found, db.savepoint(uid, "before"));
    EBB_ASSIGN(const auto generation, db.begin_generation(uid));
    return db.rewind(found->record, generation, {});
  }));
  x.reopen(3);
  x.worker_joins(3'000'001);
  x.pass(20 * micros_per_second);
  BOOST_REQUIRE(x.world->last<start_stream>() != nullptr);
  BOOST_TEST(x.world->last<start_stream>()->savepoint == "");
}

BOOST_AUTO_TEST_CASE(a_wish_that_cannot_be_is_forgotten) {
  service x;
  x.start();
  x.streams->restore("all", {"nothing"}, [](const auto&) {});
  x.run_jobs();
  BOOST_TEST(
      value_of(x.world->records().with([](control_db& db) { return db.restores(); })).empty());
  // Another one may come.
  x.record(0);
  bool begun = false;
  x.streams->restore("all", {"nothing"}, [&](const auto& y) { begun = static_cast<bool>(y); });
  x.run_jobs();
  BOOST_TEST(begun);
}

BOOST_AUTO_TEST_CASE(a_deleted_stream_is_gone_with_its_files) {
  service x;
  x.start();
  const auto uid = x.slot().uid;
  std::filesystem::create_directories(x.folder.path + "/streams/" + uid + "/segments");
  bool gone = false;
  x.streams->remove("all", [&](const auto& done) { gone = static_cast<bool>(done); });
  x.run_jobs();
  x.ends();
  x.pass(10 * micros_per_second);
  BOOST_TEST(gone);
  BOOST_TEST(x.streams->find("all") == nullptr);
  BOOST_TEST(x.streams->count() == 0U);
  BOOST_TEST(!std::filesystem::exists(x.folder.path + "/streams/" + uid));
  BOOST_TEST(value_of(x.world->records().with([](control_db& db) { return db.lives(); })).empty());
  BOOST_TEST(x.streams->users_of(x.topic()).empty());
  BOOST_TEST(x.world->readers.empty());
  for (const auto& [phase, count] : x.world->phases)
    BOOST_TEST(count == 0, to_string(phase));
}

BOOST_AUTO_TEST_CASE(a_name_is_taken_again_while_its_last_stream_goes) {
  service x;
  x.start();
  const auto first = x.slot().uid;
  x.streams->remove("all", [](const auto&) {});
  // The worker still has to drop it; what is in the database is gone.
  x.run_jobs();
  x.apply(manifest);
  BOOST_REQUIRE(x.slot().uid != first);
  x.pass(10 * micros_per_second);
  BOOST_REQUIRE(x.streams->find("all") != nullptr);
  BOOST_TEST(x.streams->list("default", "", 10).size() == 1U);
  BOOST_TEST(x.streams->count() == 1U);
}

BOOST_AUTO_TEST_CASE(a_stream_that_sleeps_takes_little_memory) {
  constexpr std::size_t count = 10'000;
  constexpr std::size_t most = 900; // bytes a stream, what the allocator adds included
  scratch_folder folder;
  played_world world(folder.path);
  keeper_options options;
  options.data_folder = folder.path;
  keeper streams(options, world);
  keeper::loaded all;
  for (std::size_t i = 0; i < count; ++i) {
    const auto uid = value_of(random_uid());
    all.names.emplace_back("a-stream-with-a-name-" + std::to_string(i), uid);
    life_record life;
    life.uid = uid;
    life.phase = static_cast<std::uint8_t>(lifecycle_phase::asleep);
    life.definition = 1;
    all.lives.push_back(life);
    life_traits traits;
    traits.uid = uid;
    traits.inputs = {{"clicks", "0123456789abcdef0123456789abcdef"}};
    all.traits.push_back(traits);
  }
  const auto used = [] { return ::mallinfo2().uordblks; };
  world.forgetful = true;
  const auto before = used();
  streams.load(all);
  // Comparisons of topics that are not there find nothing out: the streams stay.
  streams.flush_events();
  world.jobs.clear();
  BOOST_TEST(streams.count() == count);
  BOOST_TEST((used() - before) / count < most);
}

BOOST_AUTO_TEST_SUITE_END()
