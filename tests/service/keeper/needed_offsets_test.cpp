#include "actors/connectors/topic_position.hpp"
#include "actors/service/keeper/input_positions.hpp"

#include "keeper_support.hpp"

using namespace ebb;
using namespace keeper_test;

namespace {

// A stream that has read a topic and written a file up to the epoch.
checkpoint_record record(std::uint64_t epoch, std::uint64_t offset) {
  checkpoint_record x;
  x.uid = "stream";
  x.epoch = epoch;
  x.generation = 1;
  x.positions = {{"in", 0, false, encode(topic_position{"topic", offset})}};
  x.outputs = {{"out", 0, epoch, "file", 10, {}, "append out", epoch * 10, 1}};
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(needed_rows)

// As long as it can be gone back to.
BOOST_AUTO_TEST_CASE(a_savepoint_needs_its_rows_until_it_is_given_up) {
  const scratch_folder folder;
  const auto records = value_of(control_records::open(folder.path));
  const auto require = [](const result<void>& x) { BOOST_REQUIRE(x); };
  require(records->with([](control_db& db) -> result<void> {
    stream_entry entry;
    entry.uid = "stream";
    entry.name = "s";
    life_traits traits;
    traits.uid = "stream";
    traits.inputs = {{"in", "topic"}};
    service_changes made;
    made.new_streams = {entry};
    made.traits = {traits};
    EBB_TRY(db.change(made));
    EBB_TRY(db.begin_generation("stream"));
    EBB_TRY(db.reserve_epochs("stream", 1, 100));
    EBB_TRY(db.commit({record(1, 70), 1, {"first"}, 1}));
    EBB_TRY(db.commit({record(2, 40), 1, {"second"}, 1}));
    EBB_TRY(db.commit({record(3, 90), 1, {}, 1}));
    return db.commit({record(4, 95), 1, {}, 1});
  }));
  const auto needed = [&] { return needed_offsets(*records, "topic", 1).front(); };
  BOOST_TEST(needed() == 40U);
  require(records->with([](control_db& db) -> result<void> {
    EBB_ASSIGN(const auto first, db.savepoint("stream", "first"));
    const std::vector<sink_token> tokens{{"out", 0, 1, 20}};
    return db.rewind(first->record, 1, tokens);
  }));
  BOOST_TEST(needed() == 70U);
}

BOOST_AUTO_TEST_SUITE_END()
