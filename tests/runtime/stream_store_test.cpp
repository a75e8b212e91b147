/// Segments and records of a stream in a data folder.
#include "actors/runtime/stream_store.hpp"

#include "actors/dataflow/operator.hpp"
#include "actors/plan/pinned_plan.hpp"
#include "storage/merged_state.hpp"
#include "tests/storage/storage_support.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace ebb; // NOLINT
using namespace storage_test;

namespace {

struct one_stream {
  one_stream() {
    auto database = value_of(control_db::open(folder.path()));
    stream_entry wanted;
    wanted.uid = "0123-uid";
    wanted.name = "s";
    stream = value_of(database.open_or_create(wanted));
    stream.generation = value_of(database.begin_generation(stream.uid));
    std::filesystem::create_directory(folder.file("segments"));
    store = std::make_unique<stream_store>(std::make_shared<shared_ledger>(std::move(database)),
                                           folder.file("segments"), stream,
                                           std::vector<segment_info>{});
    next = value_of(store->reserve(100));
  }

  /// What another process of the stream writes of an epoch; its file.
  std::string write_as_part(epoch_number epoch, std::uint64_t generation) {
    auto entry = stream;
    entry.generation = generation;
    stream_store part(
        std::make_shared<shared_ledger>([]() -> result<std::unique_ptr<stream_ledger>> {
          return make_error(ec::internal, "a part has no ledger");
        }),
        folder.file("segments"), entry, {}, 2);
    auto snapshot = std::make_shared<subtask_snapshot>();
    snapshot->epoch = epoch;
    snapshot->state.add({state_chunk::kind::put, 9, 16, "part", "v"});
    const std::vector<snapshot_ptr> snapshots{snapshot};
    return value_of(part.write_delta(epoch, snapshots))->id;
  }

  [[nodiscard]] bool has(const std::string& name) const {
    return std::filesystem::exists(folder.file("segments") + '/' + name);
  }

  /// The next run of the stream, after a change that has dropped operator 1.
  void drop_operator_1() {
    pinned_plan plan;
    plan.adopt(std::vector<kept_state>{{"zero", "", ""}, {"one", "", ""}, {"two", "", ""}}, 0, 1);
    plan.adopt(std::vector<kept_state>{{"zero", "", ""}, {"two", "", ""}}, next - 1,
               stream.generation + 1);
    write_pinned(plan, stream);
    store.reset();
    auto database = value_of(control_db::open(folder.path()));
    stream.generation = value_of(database.begin_generation(stream.uid));
    const auto segments = value_of(database.newest_record(stream.uid))->segments;
    store = std::make_unique<stream_store>(std::make_shared<shared_ledger>(std::move(database)),
                                           folder.file("segments"), stream, segments);
    next = value_of(store->reserve(100));
  }

  /// How many entries the newest record has of an operator.
  [[nodiscard]] std::size_t entries_of(std::uint16_t number) const {
    const auto database =
        std::make_unique<control_db>(value_of(control_db::open_read_only(folder.path())));
    const auto record = value_of(database->newest_record(stream.uid));
    std::vector<std::shared_ptr<segment_reader>> readers;
    for (const auto& x : record->segments)
      readers.push_back(value_of(segment_reader::open(folder.file("segments") + '/' + x.id,
                                                      {x, stream.uid, stream.key_groups})));
    const merged_state state(std::move(readers));
    auto cursor = value_of(state.scan(0, unkeyed_group));
    std::size_t count = 0;
    while (value_of(cursor.next()))
      count += operator_of(cursor.entry().state) == number ? 1 : 0;
    return count;
  }

  /// A checkpoint with a few entries.
  void checkpoint(std::uint16_t state = 16) {
    auto snapshot = std::make_shared<subtask_snapshot>();
    snapshot->epoch = next;
    for (std::uint16_t group = 0; group < 4; ++group)
      snapshot->state.add({state_chunk::kind::put, group, state, "k" + std::to_string(next), "v"});
    const std::vector<snapshot_ptr> snapshots{snapshot};
    epoch_record record;
    record.epoch = next++;
    record.parts.emplace_back().segment = value_of(store->write_delta(record.epoch, snapshots));
    require(store->commit(record));
  }

  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (const auto& x : std::filesystem::directory_iterator(folder.file("segments")))
      count += x.is_regular_file() ? 1 : 0;
    return count;
  }

  temporary_folder folder;
  stream_entry stream;
  std::unique_ptr<stream_store> store;
  epoch_number next = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(stream_stores)

BOOST_AUTO_TEST_CASE(merges_deltas_and_removes_what_nothing_lists) {
  one_stream x;
  bool merged = false;
  for (int i = 0; i < 80; ++i) {
    x.checkpoint();
    merged |= value_of(x.store->maintain());
  }
  BOOST_TEST(merged);
  // Older records still list what was merged since.
  BOOST_TEST(x.files() < 60U);
}

BOOST_AUTO_TEST_CASE(state_of_a_dropped_operator_goes_with_a_merge) {
  one_stream x;
  for (int i = 0; i < 5; ++i)
    x.checkpoint();
  x.checkpoint(35);
  // Too little to be merged for its own sake.
  BOOST_TEST(!value_of(x.store->maintain()));
  x.drop_operator_1();
  x.checkpoint(35);
  BOOST_TEST(x.entries_of(1) == 20U);
  BOOST_TEST(value_of(x.store->maintain()));
  x.checkpoint(35);
  BOOST_TEST(x.entries_of(1) == 0U);
  BOOST_TEST(x.entries_of(2) == 12U);
  // Once.
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(!value_of(x.store->maintain()));
    x.checkpoint(35);
  }
  // Nothing is left that another look would find.
  x.drop_operator_1();
  BOOST_TEST(!value_of(x.store->maintain()));
}

BOOST_AUTO_TEST_CASE(a_merge_is_given_up_when_the_stream_ends) {
  one_stream x;
  for (int i = 0; i < 20; ++i)
    x.checkpoint();
  const auto before = x.files();
  x.store->stop_maintenance();
  BOOST_TEST(!value_of(x.store->maintain()));
  BOOST_TEST(x.files() == before);
  x.checkpoint(); // what is there is still right
  BOOST_TEST(x.files() == before + 1);
}

BOOST_AUTO_TEST_CASE(files_of_other_parts_stay_while_their_epoch_is_under_way) {
  one_stream x;
  x.checkpoint();
  const auto own = x.write_as_part(x.next, x.stream.generation);
  const auto later = x.write_as_part(x.next + 1, x.stream.generation);
  const auto old = x.write_as_part(x.next, x.stream.generation - 1);
  BOOST_TEST(own != later);
  static_cast<void>(value_of(x.store->maintain()));
  BOOST_TEST(x.has(own));
  BOOST_TEST(x.has(later));
  // Of a generation that is over nobody will list it.
  BOOST_TEST(!x.has(old));
  // The record of the epoch does not list it: the epoch was written without it, or given up.
  x.checkpoint();
  static_cast<void>(value_of(x.store->maintain()));
  BOOST_TEST(!x.has(own));
  BOOST_TEST(x.has(later));
}

BOOST_AUTO_TEST_SUITE_END()
