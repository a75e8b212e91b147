#include "schemas/control_codec.hpp"
#include "storage/control_db.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

segment_info segment(const std::string& id, segment_kind kind = segment_kind::delta) {
  return {id, kind, 7, 12'345, {0x0123456789abcdef, 0xfedcba9876543210}, 99, 3, 127};
}

checkpoint_record record(const std::string& uid, std::uint64_t epoch, std::uint64_t generation) {
  checkpoint_record x;
  x.uid = uid;
  x.epoch = epoch;
  x.generation = generation;
  x.when = 1'700'000'000'000'000 + static_cast<micros>(epoch);
  x.phases = {1, 2, 3, 4};
  x.segments = {segment("base-1", segment_kind::base), segment(fmt::format("delta-{}", epoch))};
  x.positions = {{"flights", 0, false, std::string("\0\x01position", 10)},
                 {"flights", 1, true, ""}};
  x.watermarks = {{"flights", -5}};
  x.outputs = {{"out", 2, epoch, fmt::format("out-{}", epoch), 17, {1, 2}, "part", 1'000, 3},
               {"out", 3, epoch, "", 0, {}, "", 0, 0}};
  x.bytes = 4'096;
  return x;
}

stream_entry entry(const std::string& name, const std::string& uid) {
  stream_entry x;
  x.uid = uid;
  x.name = name;
  x.manifest = "kind: Stream\n";
  x.plan = std::string("plan\0bytes", 10);
  x.plan_fingerprint = "f1";
  x.operators = {"hourly/aggregate", "join"};
  x.key_groups = 64;
  x.parallelism = 3;
  return x;
}

template <class T>
error error_of(const result<T>& x, ec code) {
  BOOST_REQUIRE(!x);
  BOOST_CHECK_MESSAGE(x.error().code == code, to_string(x.error()));
  return x.error();
}

// A database with one stream of generation 1 and 100 reserved epochs.
class one_stream {
public:
  one_stream() : db(value_of(control_db::open(folder.path()))) {
    value_of(db.open_or_create(entry("s", "uid-1")));
    generation = value_of(db.begin_generation("uid-1"));
    BOOST_REQUIRE_EQUAL(value_of(db.reserve_epochs("uid-1", generation, 100)), 1);
  }

  result<void> commit(std::uint64_t epoch, std::size_t retained = 3,
                      std::vector<std::string> savepoints = {}) {
    return db.commit({record("uid-1", epoch, generation), generation, savepoints, retained});
  }

  std::vector<std::uint64_t> epochs() {
    std::vector<std::uint64_t> all;
    for (const auto& x : value_of(db.records("uid-1")))
      all.push_back(x.epoch);
    return all;
  }

  void reopen() {
    { auto closed = std::move(db); }
    db = value_of(control_db::open(folder.path()));
  }

  temporary_folder folder;
  control_db db;
  std::uint64_t generation = 0;
};

using epoch_list = std::vector<std::uint64_t>;

} // namespace

BOOST_AUTO_TEST_SUITE(control_database)

BOOST_AUTO_TEST_CASE(values_survive_their_codec) {
  const auto x = record("u", 9, 2);
  BOOST_TEST((value_of(decode_checkpoint(encode(x))) == x));
  const auto s = entry("name", "uid");
  BOOST_TEST((value_of(decode_stream(encode(s))) == s));
  const savepoint_entry p{"before-upgrade", 77, x};
  BOOST_TEST((value_of(decode_savepoint(encode(p))) == p));
  const sink_token t{"sink", 4, 1'234'567'890'123, 99};
  BOOST_TEST((value_of(decode_token(encode(t))) == t));
  const checkpoint_record empty;
  BOOST_TEST((value_of(decode_checkpoint(encode(empty))) == empty));

  const auto bytes = encode(x);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    if (auto decoded = decode_checkpoint(std::string_view{bytes}.substr(0, size)); !decoded)
      BOOST_CHECK(decoded.error().code == ec::corrupt);
  error_of(decode_checkpoint(""), ec::corrupt);
  error_of(decode_stream("not a message!!!"), ec::corrupt);
}

BOOST_AUTO_TEST_CASE(streams_are_found_again) {
  one_stream x;
  const auto other = value_of(x.db.open_or_create(entry("s", "uid-2")));
  BOOST_TEST(other.uid == "uid-1");
  BOOST_TEST(other.key_groups == 64);
  x.reopen();
  const auto found = value_of(x.db.find_stream("s"));
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST(found->plan == entry("", "").plan);
  BOOST_TEST(found->generation == 1);
  BOOST_TEST(found->next_epoch == 101);
  BOOST_TEST(!value_of(x.db.find_stream("t")));
  BOOST_TEST(value_of(x.db.streams()).size() == 1);
  error_of(x.db.stream("nobody"), ec::not_found);
  error_of(x.db.open_or_create(entry("other", "uid-1")), ec::conflict);
  error_of(x.db.open_or_create(entry("", "uid-3")), ec::invalid_argument);
  error_of(x.db.open_or_create(entry(std::string(128, 'n'), "uid-3")), ec::invalid_argument);

  auto changed = *found;
  changed.plan = "other plan";
  changed.key_groups = 1; // not changed by an update
  require(x.db.update_stream(changed, 1));
  BOOST_TEST(value_of(x.db.stream("uid-1")).plan == "other plan");
  BOOST_TEST(value_of(x.db.stream("uid-1")).key_groups == 64);
  error_of(x.db.update_stream(changed, 0), ec::conflict);
}

BOOST_AUTO_TEST_CASE(generations_and_epochs_only_grow) {
  one_stream x;
  BOOST_TEST(value_of(x.db.reserve_epochs("uid-1", 1, 10)) == 101);
  x.reopen();
  BOOST_TEST(value_of(x.db.begin_generation("uid-1")) == 2);
  error_of(x.db.reserve_epochs("uid-1", 1, 10), ec::conflict);
  BOOST_TEST(value_of(x.db.reserve_epochs("uid-1", 2, 10)) == 111);
}

BOOST_AUTO_TEST_CASE(commits_are_fenced_and_ordered) {
  one_stream x;
  require(x.commit(1));
  require(x.commit(5));
  error_of(x.commit(5), ec::conflict);
  error_of(x.commit(4), ec::conflict);
  error_of(x.commit(101), ec::internal);
  error_of(x.commit(0), ec::internal);
  BOOST_TEST(value_of(x.db.begin_generation("uid-1")) == 2);
  const auto refused = error_of(x.commit(6), ec::conflict);
  BOOST_TEST(refused.message
             == "stream s is run by generation 2, generation 1 may not write any more");
  BOOST_TEST((x.epochs() == epoch_list{5, 1}));
  x.generation = 2;
  require(x.commit(6));
  x.reopen();
  BOOST_TEST((x.epochs() == epoch_list{6, 5, 1}));
  BOOST_TEST((value_of(x.db.newest_record("uid-1")) == record("uid-1", 6, 2)));
}

BOOST_AUTO_TEST_CASE(old_records_go_and_savepoints_stay) {
  one_stream x;
  for (std::uint64_t epoch = 1; epoch <= 5; ++epoch)
    require(x.commit(epoch, 2,
                     epoch == 2 ? std::vector<std::string>{"named"} : std::vector<std::string>{}));
  BOOST_TEST((x.epochs() == epoch_list{5, 4}));
  error_of(x.commit(6, 2, {"named"}), ec::conflict);
  BOOST_TEST((x.epochs() == epoch_list{5, 4}));
  error_of(x.commit(6, 2, {""}), ec::invalid_argument);
  const auto kept = value_of(x.db.savepoint("uid-1", "named"));
  BOOST_REQUIRE(kept.has_value());
  BOOST_TEST((kept->record == record("uid-1", 2, 1)));

  BOOST_TEST((value_of(x.db.listed_files("uid-1"))
              == std::vector<std::string>{"base-1", "delta-2", "delta-4", "delta-5", "out-2",
                                          "out-4", "out-5"}));
  const std::vector<std::string> present{"base-1", "delta-1", "delta-2", "delta-5", "x.tmp-1"};
  BOOST_TEST(
      (value_of(x.db.garbage("uid-1", present)) == std::vector<std::string>{"delta-1", "x.tmp-1"}));
  require(x.db.delete_savepoint("uid-1", "named"));
  error_of(x.db.delete_savepoint("uid-1", "named"), ec::not_found);
  BOOST_TEST(value_of(x.db.savepoints("uid-1")).empty());
  BOOST_TEST(value_of(x.db.garbage("uid-1", present)).size() == 3);
  require(x.commit(7, 0));
  BOOST_TEST((x.epochs() == epoch_list{7}));
}

BOOST_AUTO_TEST_CASE(tokens_never_go_back) {
  one_stream x;
  const auto set = [&](std::vector<sink_token> tokens) {
    return x.db.set_tokens("uid-1", x.generation, tokens);
  };
  require(set({{"a", 0, 3, 100}, {"a", 1, 3, 0}}));
  require(set({{"a", 0, 3, 100}}));
  error_of(set({{"a", 0, 3, 101}}), ec::conflict);
  error_of(set({{"a", 1, 4, 0}, {"a", 0, 2, 100}}), ec::conflict);
  require(set({{"a", 0, 4, 200}}));
  x.reopen();
  BOOST_TEST((value_of(x.db.tokens("uid-1"))
              == std::vector<sink_token>{{"a", 0, 4, 200}, {"a", 1, 3, 0}}));
  value_of(x.db.begin_generation("uid-1"));
  error_of(set({{"a", 0, 5, 300}}), ec::conflict);
}

BOOST_AUTO_TEST_CASE(a_rewind_makes_a_record_the_newest) {
  one_stream x;
  for (std::uint64_t epoch = 1; epoch <= 4; ++epoch)
    require(x.commit(epoch, 9,
                     epoch == 2 ? std::vector<std::string>{"sp"} : std::vector<std::string>{}));
  require(x.db.set_tokens("uid-1", 1, std::vector<sink_token>{{"out", 0, 4, 400}}));
  const std::vector<sink_token> tokens{{"out", 0, 2, 200}};
  require(x.db.rewind(value_of(x.db.savepoint("uid-1", "sp"))->record, 1, tokens));
  BOOST_TEST((x.epochs() == epoch_list{2, 1}));
  BOOST_TEST((value_of(x.db.tokens("uid-1")) == tokens));
  error_of(x.commit(2), ec::conflict);
  require(x.commit(5));
  error_of(x.db.rewind(record("uid-1", 1, 1), 0, {}), ec::conflict);
}

BOOST_AUTO_TEST_CASE(going_back_gives_up_the_savepoints_behind) {
  one_stream x;
  require(x.commit(1, 3, {"first"}));
  require(x.commit(2, 3, {"second"}));
  require(x.commit(3, 3, {"third"}));
  const auto found = [&](const char* name) { return x.db.savepoint("uid-1", name); };
  const auto go_back_to = [&](const char* name, std::uint64_t held) {
    const std::vector<sink_token> tokens = {{"out", 2, held, 1'017}};
    require(x.db.rewind(value_of(found(name))->record, 1, tokens));
  };
  // Targets that were not cut back still have it.
  go_back_to("first", 3);
  BOOST_TEST((value_of(found("third"))->record.epoch == 3));
  go_back_to("second", 2);
  BOOST_TEST((value_of(found("second"))->record.epoch == 2));
  const auto refused = error_of(found("third"), ec::conflict);
  BOOST_TEST(refused.message.find("after epoch 2") != std::string::npos);
  BOOST_TEST(refused.hint.find("first, second;") != std::string::npos);
  BOOST_TEST(value_of(x.db.given_up_savepoints("uid-1")) == std::vector<std::string>{"third"},
             boost::test_tools::per_element());
  go_back_to("first", 1);
  error_of(found("second"), ec::conflict);
  error_of(found("third"), ec::conflict);
  // A new history does not bring the old one back.
  require(x.commit(10, 3, {"new"}));
  go_back_to("new", 10);
  error_of(found("third"), ec::conflict);
  BOOST_TEST(value_of(x.db.savepoints("uid-1")).size() == 4);
  require(x.db.delete_savepoint("uid-1", "third"));
  require(x.commit(11, 3, {"third"}));
  BOOST_TEST(value_of(x.db.given_up_savepoints("uid-1")) == std::vector<std::string>{"second"},
             boost::test_tools::per_element());
  BOOST_TEST((value_of(found("third"))->record.epoch == 11));
}

BOOST_AUTO_TEST_CASE(savepoints_without_output_hold_whatever_the_sinks_have) {
  one_stream x;
  require(x.commit(1, 3, {"first"}));
  auto silent = record("uid-1", 2, 1);
  silent.outputs.clear();
  require(x.db.commit({silent, 1, {"second"}, 3}));
  require(x.db.rewind(value_of(x.db.savepoint("uid-1", "first"))->record, 1, {}));
  BOOST_TEST((value_of(x.db.savepoint("uid-1", "second"))->record.epoch == 2));
}

BOOST_AUTO_TEST_CASE(a_finished_stream_says_so) {
  one_stream x;
  auto last = record("uid-1", 1, 1);
  last.finished = true;
  last.reason = record_reason::final;
  require(x.db.commit({last, 1, {}, 3}));
  BOOST_CHECK(value_of(x.db.stream("uid-1")).life == stream_life::finished);
  BOOST_TEST(value_of(x.db.newest_record("uid-1"))->finished);
}

BOOST_AUTO_TEST_CASE(a_deleted_stream_leaves_nothing_to_the_next_of_its_name) {
  one_stream x;
  require(x.commit(1, 3, {"sp"}));
  require(x.db.set_tokens("uid-1", 1, std::vector<sink_token>{{"out", 0, 1, 10}}));
  error_of(x.db.forget_stream("uid-1"), ec::conflict);
  require(x.db.delete_stream("s"));
  error_of(x.db.delete_stream("s"), ec::not_found);
  error_of(x.commit(2), ec::conflict);
  error_of(x.db.begin_generation("uid-1"), ec::conflict);
  BOOST_TEST(value_of(x.db.garbage("uid-1", std::vector<std::string>{"base-1"})).size() == 1);

  error_of(x.db.open_or_create(entry("s", "uid-1")), ec::conflict);
  const auto next = value_of(x.db.open_or_create(entry("s", "uid-2")));
  BOOST_TEST(next.uid == "uid-2");
  BOOST_TEST(value_of(x.db.records("uid-2")).empty());
  BOOST_TEST(value_of(x.db.tokens("uid-2")).empty());
  BOOST_TEST(value_of(x.db.savepoints("uid-2")).empty());
  require(x.db.forget_stream("uid-1"));
  BOOST_TEST(value_of(x.db.streams()).size() == 1);
}

BOOST_AUTO_TEST_CASE(streams_whose_uids_share_a_beginning_are_apart) {
  one_stream x;
  value_of(x.db.open_or_create(entry("longer", "uid-11")));
  value_of(x.db.begin_generation("uid-11"));
  value_of(x.db.reserve_epochs("uid-11", 1, 5));
  require(x.db.commit({record("uid-11", 3, 1), 1, {}, 3}));
  BOOST_TEST(x.epochs().empty());
  BOOST_TEST(value_of(x.db.records("uid-11")).size() == 1);
}

BOOST_AUTO_TEST_CASE(a_second_writer_is_told_who_has_the_folder) {
  one_stream x;
  const auto refused = error_of(control_db::open(x.folder.path()), ec::conflict);
  BOOST_TEST(refused.message
             == fmt::format("{}: the folder is in use by process {}", x.folder.path(), ::getpid()));
  BOOST_TEST(value_of(folder_lock::holder(x.folder.path())).value() == ::getpid());

  // Another process that is killed gives the lock back.
  temporary_folder other;
  int ready[2] = {};
  BOOST_REQUIRE(::pipe(ready) == 0);
  const auto child = ::fork();
  if (child == 0) {
    auto held = folder_lock::acquire(other.path());
    const char ok = held ? 'y' : 'n';
    static_cast<void>(::write(ready[1], &ok, 1) == 1);
    ::pause();
  }
  char ok = 0;
  BOOST_REQUIRE(::read(ready[0], &ok, 1) == 1);
  BOOST_REQUIRE(ok == 'y');
  const auto held = error_of(control_db::open(other.path()), ec::conflict);
  BOOST_TEST(held.message.ends_with(fmt::format("process {}", child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  BOOST_TEST(!value_of(folder_lock::holder(other.path())));
  BOOST_TEST(static_cast<bool>(control_db::open(other.path())));
}

BOOST_AUTO_TEST_CASE(readers_in_another_process_see_what_is_committed) {
  one_stream x;
  require(x.commit(1));
  const auto child = ::fork();
  if (child == 0) {
    // LMDB environments do not survive a fork: the child opens its own.
    auto db = control_db::open_read_only(x.folder.path());
    bool sound = static_cast<bool>(db);
    if (sound) {
      const auto records = db->records("uid-1");
      sound = records && records->size() == 1 && !db->begin_generation("uid-1");
    }
    ::_exit(sound ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  BOOST_TEST(WEXITSTATUS(status) == 0);
  require(x.commit(2));
}

BOOST_AUTO_TEST_CASE(a_killed_reader_does_not_make_the_file_grow) {
  one_stream x;
  const auto path = x.folder.file("control.mdb");
  int ready[2] = {};
  BOOST_REQUIRE(::pipe(ready) == 0);
  const auto child = ::fork();
  if (child == 0) {
    auto environment = lmdb_environment::open(path, {.read_only = true, .map_bytes = 1 << 30});
    const auto held = environment->begin_read();
    const char ok = held ? 'y' : 'n';
    static_cast<void>(::write(ready[1], &ok, 1) == 1);
    ::pause();
  }
  char ok = 0;
  BOOST_REQUIRE(::read(ready[0], &ok, 1) == 1);
  BOOST_REQUIRE(ok == 'y');
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  auto changed = value_of(x.db.stream("uid-1"));
  changed.plan = std::string(100'000, 'p');
  for (int i = 0; i < 40; ++i)
    require(x.db.update_stream(changed, 1));
  BOOST_TEST(std::filesystem::file_size(path) < 1'000'000);
}

BOOST_AUTO_TEST_CASE(a_folder_without_database_is_named) {
  temporary_folder folder;
  const auto missing = error_of(control_db::open_read_only(folder.path()), ec::not_found);
  BOOST_TEST(missing.message == folder.path() + ": there is no control database in this folder");
  BOOST_TEST(std::filesystem::is_empty(folder.path()));
  // Folders are made as needed.
  BOOST_TEST(static_cast<bool>(control_db::open(folder.file("a/b/c"))));
  write_file(folder.file("file"), "");
  error_of(control_db::open(folder.file("file")), ec::io);
}

BOOST_AUTO_TEST_CASE(network_file_systems_are_refused_by_name) {
  BOOST_TEST(network_file_system(0x6969) == std::string("NFS"));
  BOOST_TEST(network_file_system(0xff534d42) == std::string("SMB/CIFS"));
  BOOST_TEST(network_file_system(static_cast<int>(0xff534d42)) == std::string("SMB/CIFS"));
  BOOST_TEST(network_file_system(0x65735546) == std::string("FUSE"));
  BOOST_TEST(network_file_system(0x01021997) == std::string("9P"));
  BOOST_CHECK(network_file_system(0xef53) == nullptr);     // ext4
  BOOST_CHECK(network_file_system(0x58465342) == nullptr); // XFS
  BOOST_CHECK(network_file_system(0x01021994) == nullptr); // tmpfs
  error_of(refuse_network_file_system("/nonexistent"), ec::not_found);
}

BOOST_AUTO_TEST_SUITE_END()
