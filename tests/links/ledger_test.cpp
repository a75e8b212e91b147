/// Every function of the ledger over a socket and directly: the same values, the same errors.
#include "tests/links/samples.hpp"
#include "tests/links/two_sides.hpp"

#include <cstring>
#include <set>

using namespace ebb;
using namespace ebb::links_test;

namespace {

stream_entry stream(const std::string& name, const std::string& uid) {
  auto x = sample_stream();
  x.name = name;
  x.uid = uid;
  x.life = stream_life::active;
  return x;
}

checkpoint_record record(std::uint64_t epoch, std::uint64_t generation) {
  auto x = sample_record();
  x.epoch = epoch;
  x.generation = generation;
  x.finished = false;
  return x;
}

// What a stream's life is like, and what may go wrong in it.
std::vector<call_operation> script() {
  const std::vector<sink_token> tokens{{"sink", 0, 2, 100}, {"sink", 1, 2, 50}};
  auto changed = stream("other", "uid-1");
  changed.manifest = "changed";
  auto finished = record(9, 2);
  finished.finished = true;
  return {
      ledger_find_stream{"stream"},
      ledger_open_or_create{stream("stream", "uid-1")},
      ledger_open_or_create{stream("stream", "uid-2")},  // gives the first
      ledger_open_or_create{stream("another", "uid-1")}, // taken
      ledger_open_or_create{stream("", "uid-3")},
      ledger_open_or_create{stream(std::string(64, 'n'), "uid-3")},
      ledger_find_stream{"stream"},
      ledger_find_stream{""},
      ledger_begin_generation{"uid-1"},
      ledger_begin_generation{"nobody"},
      ledger_begin_generation{"uid-1"},
      ledger_reserve_epochs{"uid-1", 2, 10},
      ledger_reserve_epochs{"uid-1", 1, 10}, // fenced
      ledger_reserve_epochs{"nobody", 1, 10},
      ledger_update_stream{changed, 2},
      ledger_update_stream{changed, 1},
      ledger_records{"uid-1"},
      ledger_newest_record{"uid-1"},
      ledger_commit{record(1, 2), 2, {}, 3},
      ledger_commit{record(2, 2), 2, {"before", "also"}, 3},
      ledger_commit{record(2, 2), 2, {}, 3},         // not new
      ledger_commit{record(3, 2), 2, {"before"}, 3}, // name taken
      ledger_commit{record(3, 1), 1, {}, 3},         // fenced
      ledger_commit{record(99, 2), 2, {}, 3},        // never reserved
      ledger_commit{record(3, 2), 2, {}, 2},
      ledger_commit{record(4, 2), 2, {}, 0},
      ledger_records{"uid-1"},
      ledger_newest_record{"uid-1"},
      ledger_records{"nobody"},
      ledger_savepoints{"uid-1"},
      ledger_savepoints{"nobody"},
      ledger_savepoint{"uid-1", "before"},
      ledger_savepoint{"uid-1", "none"},
      ledger_set_tokens{"uid-1", 2, tokens},
      ledger_set_tokens{"uid-1", 2, tokens},                      // the same again
      ledger_set_tokens{"uid-1", 2, {{"sink", 0, 1, 100}}},       // back
      ledger_set_tokens{"uid-1", 2, {{"sink", 0, 2, 101}}},       // elsewhere
      ledger_set_tokens{"uid-1", 1, {{"sink", 0, 3, 101}}},       // fenced
      ledger_set_tokens{"uid-1", 2, {{std::string(99, 's'), 0}}}, // no name
      ledger_tokens{"uid-1"},
      ledger_tokens{"nobody"},
      ledger_garbage{"uid-1", {"a.seg", "b.seg", "file", ""}},
      ledger_garbage{"uid-1", {}},
      ledger_rewind{record(2, 2), 2, {{"sink", 0, 2, 7}}},
      ledger_rewind{record(2, 2), 1, {}},
      ledger_records{"uid-1"},
      ledger_tokens{"uid-1"},
      ledger_commit{finished, 2, {}, 3},
      ledger_find_stream{"stream"},
      ledger_forget_stream{"uid-1"}, // not deleted
      ledger_delete_stream{"nobody"},
      ledger_delete_stream{"stream"},
      ledger_delete_stream{"stream"},
      ledger_begin_generation{"uid-1"},
      ledger_find_stream{"stream"},
      ledger_records{"uid-1"},
      ledger_forget_stream{"uid-1"},
      ledger_forget_stream{"uid-1"},
  };
}

} // namespace

BOOST_AUTO_TEST_SUITE(links_ledger)

BOOST_AUTO_TEST_CASE(far_and_near_are_the_same) {
  storage_test::temporary_folder folder;
  control_side control(folder.path());
  auto direct = take(control_db::open(folder.path() + "/direct"));
  worker_side worker(folder.path());
  worker.connect();
  auto remote = worker.ledger();
  std::set<std::size_t> functions;
  std::size_t errors = 0;
  std::size_t step = 0;
  for (const auto& x : script()) {
    auto near = answer_ledger_call(direct, x);
    // Errors of the device name the file.
    if (!near)
      if (const auto at = near.error().message.find("/direct/"); at != std::string::npos)
        near.error().message.replace(at, std::strlen("/direct/"), "/control/");
    const auto far = answer_ledger_call(remote, x); // each is one of remote_ledger's functions
    BOOST_TEST(is_same(near, far), "step " << step << ": " << (near ? "" : to_string(near.error()))
                                           << " / " << (far ? "" : to_string(far.error())));
    functions.insert(x.index());
    errors += near ? 0 : 1;
    ++step;
  }
  std::size_t all = 0;
  for (const auto& x : sample_operations())
    all = std::max(all, is_ledger_call(x) ? x.index() + 1 : 0);
  BOOST_TEST(functions.size() == all);
  BOOST_TEST(errors > 15U);
  BOOST_TEST(control.carried_out == static_cast<int>(step));
}

BOOST_AUTO_TEST_CASE(an_answer_of_another_kind_is_an_error) {
  storage_test::temporary_folder folder;
  control_side control(folder.path());
  control.instead = [](const link_pointer& link, const link_call& call) {
    take(link->send(call_answer{call.id, call_value{std::uint64_t{1}}}));
    return true;
  };
  worker_side worker(folder.path());
  worker.connect();
  const auto records = worker.ledger().records("uid-1");
  BOOST_REQUIRE(!records);
  BOOST_TEST((records.error().code == ec::internal));
}

BOOST_AUTO_TEST_CASE(calls_of_topics_are_not_the_ledgers) {
  storage_test::temporary_folder folder;
  auto direct = take(control_db::open(folder.path() + "/direct"));
  for (const auto& x : sample_operations())
    if (!is_ledger_call(x))
      BOOST_TEST((answer_ledger_call(direct, x).error().code == ec::internal));
}

BOOST_AUTO_TEST_SUITE_END()
