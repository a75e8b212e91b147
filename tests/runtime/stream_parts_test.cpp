#include "actors/runtime/stream_parts.hpp"

#include "actors/runtime/snapshot_collector.hpp"
#include "actors/runtime/stream_peers.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <vector>

using namespace ebb; // NOLINT

namespace {

/// Remembers what was sent; fails when it is told to.
class noted_channel final : public peer_channel {
public:
  result<void> send(const peer_message& x) override {
    if (broken)
      return make_error(ec::io, "the link is closed");
    sent.push_back(x.index());
    return {};
  }

  void finish() override {
    ++finished;
  }

  std::vector<std::size_t> sent;
  int finished = 0;
  bool broken = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(stream_parts)

BOOST_AUTO_TEST_CASE(neighbours_stay_together_and_the_first_parts_are_used) {
  for (std::uint32_t parts = 1; parts <= 9; ++parts)
    for (std::uint32_t parallelism = 1; parallelism <= 20; ++parallelism) {
      std::uint32_t before = 0;
      std::set<std::uint32_t> used;
      std::vector<std::uint32_t> sizes(parts);
      for (std::uint32_t i = 0; i < parallelism; ++i) {
        const auto part = part_of(i, parallelism, parts);
        BOOST_TEST_REQUIRE(part < parts);
        BOOST_TEST_REQUIRE(part >= before);
        before = part;
        used.insert(part);
        ++sizes[part];
      }
      const auto expected = std::min(parts, parallelism);
      BOOST_TEST_REQUIRE(used.size() == expected);
      BOOST_TEST_REQUIRE(*used.rbegin() == expected - 1);
      const auto [low, high] = std::minmax_element(sizes.begin(), sizes.begin() + expected);
      BOOST_TEST_REQUIRE(*high - *low <= 1U);
    }
}

BOOST_AUTO_TEST_CASE(what_a_subtask_shows_comes_back) {
  stats_board::entry x;
  x.watermark = -5;
  x.next_time = 7;
  x.windows = 8;
  x.advances_from = min_time;
  x.flow = {1, 2, 3, max_time};
  step_stats source;
  source.source = {10, 11, 12};
  source.held = watermark_holder{3, min_time};
  step_stats step;
  step.rows.rows_in = 1;
  step.rows.rows_out = 2;
  step.rows.late_rows = 3;
  step.rows.state_bytes = UINT64_MAX;
  step_stats sink;
  sink.sink = {20, 21, 22};
  x.steps = {source, step, sink};
  const auto message = to_peer_stats(9, x);
  BOOST_TEST(message.subtask == 9U);
  const auto y = from_peer_stats(message);
  BOOST_TEST(y.watermark == x.watermark);
  BOOST_TEST(y.next_time == x.next_time);
  BOOST_TEST(y.windows == x.windows);
  BOOST_TEST(y.advances_from == x.advances_from);
  BOOST_TEST(y.flow.batches == 1U);
  BOOST_TEST(y.flow.blocked == 2);
  BOOST_TEST(y.flow.first_in == 3);
  BOOST_TEST(y.flow.first_out == max_time);
  BOOST_TEST_REQUIRE(y.steps.size() == 3U);
  BOOST_TEST(y.steps[0].source.rows == 10U);
  BOOST_TEST(y.steps[0].source.bytes == 11U);
  BOOST_TEST(y.steps[0].source.bad_rows == 12U);
  BOOST_TEST_REQUIRE(y.steps[0].held.has_value());
  BOOST_TEST(y.steps[0].held->partition == 3U);
  BOOST_TEST(y.steps[0].held->watermark == min_time);
  BOOST_TEST(y.steps[1].rows.rows_in == 1U);
  BOOST_TEST(y.steps[1].rows.rows_out == 2U);
  BOOST_TEST(y.steps[1].rows.late_rows == 3U);
  BOOST_TEST(y.steps[1].rows.state_bytes == UINT64_MAX);
  BOOST_TEST(!y.steps[1].held.has_value());
  BOOST_TEST(y.steps[2].sink.rows == 20U);
  BOOST_TEST(y.steps[2].sink.bytes == 21U);
  BOOST_TEST(y.steps[2].sink.hash == 22U);
  // Bytes of a peer are not believed.
  BOOST_TEST(from_peer_stats({9, 0, 0, {1, 2}}).steps.empty());
}

BOOST_AUTO_TEST_CASE(what_was_written_comes_back) {
  written_part x;
  x.segment = segment_info{"delta-7-1-p1-0.seg", segment_kind::delta, 7, 100, {1, 2}, 3, 4, 5};
  x.sources = {{"a", {{0, true, "x"}, {2, false, "y"}}, true},
               {"b", {}, false},
               {"a", {{1, false, ""}}, false}};
  x.sinks = {{"out", 6, {1, "file", 10, {3, 4}, "target", 11, 12}}};
  x.watermark = -1;
  x.when = {5, 6};
  const auto message = to_peer_written(7, x);
  BOOST_TEST(message.part.epoch == 7U);
  const auto y = from_peer_written(message);
  BOOST_TEST((y.segment == x.segment));
  BOOST_TEST(y.watermark == -1);
  BOOST_TEST(y.when.aligned == 5);
  BOOST_TEST(y.when.made == 6);
  BOOST_TEST_REQUIRE(y.sources.size() == 3U);
  BOOST_TEST(y.sources[0].ended);
  BOOST_TEST_REQUIRE(y.sources[0].positions.size() == 2U);
  BOOST_TEST(y.sources[0].positions[1].partition == 2U);
  BOOST_TEST(y.sources[0].positions[1].bytes == "y");
  BOOST_TEST(y.sources[1].positions.empty());
  BOOST_TEST(y.sources[2].source == "a");
  BOOST_TEST_REQUIRE(y.sources[2].positions.size() == 1U);
  BOOST_TEST_REQUIRE(y.sinks.size() == 1U);
  BOOST_TEST(y.sinks[0].epoch == 6U);
  BOOST_TEST(y.sinks[0].output.target == "target");
  BOOST_TEST(y.sinks[0].output.rows == 12U);
  BOOST_TEST(!from_peer_written(to_peer_written(7, {})).segment.has_value());
}

BOOST_AUTO_TEST_CASE(snapshots_of_other_parts_are_not_waited_for) {
  const auto part = [](epoch_number epoch) {
    auto x = std::make_shared<subtask_snapshot>();
    x->epoch = epoch;
    return x;
  };
  snapshot_collector x({2, 5});
  BOOST_TEST(!x.add(5, part(1)));
  BOOST_TEST(!x.add(0, part(1)));
  BOOST_TEST(!x.add(3, part(1)));
  BOOST_TEST(x.add(2, part(1)));
  BOOST_TEST(x.complete());
  BOOST_TEST(x.parts().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_message_goes_to_its_part_and_channels_are_finished_once_all_ends) {
  stream_peers peers(1, 3, 4);
  const auto zero = std::make_shared<noted_channel>();
  const auto two = std::make_shared<noted_channel>();
  peers.connect(0, zero);
  peers.connect(2, two);
  peers.send(0, peer_ready{});
  peers.send(1, peer_ready{}); // itself
  peers.send_all(peer_go{});
  BOOST_TEST(zero->sent.size() == 2U);
  BOOST_TEST(two->sent.size() == 1U);
  // Before its actors are there, and after they have ended, nothing is done with what comes.
  peers.receive(0, peer_credit{0, 0, 0, 1});
  two->broken = true;
  peers.send(2, peer_go{});
  peers.detach();
  peers.receive(0, peer_items{});
  BOOST_TEST(zero->finished == 1);
  BOOST_TEST(two->finished == 1);
}

BOOST_AUTO_TEST_SUITE_END()
