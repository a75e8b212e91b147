#include "actors/runtime/snapshot_collector.hpp"

#include <boost/test/unit_test.hpp>

using namespace ebb; // NOLINT

namespace {

snapshot_ptr part(epoch_number epoch, micros watermark = max_time, const std::string& source = {},
                  const std::string& sink = {}) {
  auto x = std::make_shared<subtask_snapshot>();
  x->epoch = epoch;
  x->watermark = watermark;
  if (!source.empty())
    x->sources.push_back({source, {{0, false, "7"}}});
  if (!sink.empty())
    x->sinks.push_back({sink, epoch, {}});
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(collector)

BOOST_AUTO_TEST_CASE(is_complete_with_the_last_part_once) {
  snapshot_collector x({0, 1, 2});
  BOOST_TEST(!x.add(1, part(4)));
  BOOST_TEST(!x.add(1, part(4)));
  BOOST_TEST(!x.add(0, part(4)));
  BOOST_TEST(x.add(2, part(4)));
  BOOST_TEST(!x.add(2, part(4)));
  BOOST_TEST(x.epoch() == 4U);
}

BOOST_AUTO_TEST_CASE(a_higher_epoch_replaces_and_a_lower_one_means_nothing) {
  snapshot_collector x({0, 1});
  BOOST_TEST(!x.add(0, part(4)));
  BOOST_TEST(!x.add(1, part(6)));
  BOOST_TEST(x.epoch() == 6U);
  BOOST_TEST(!x.add(0, part(4)));
  BOOST_TEST(!x.add(1, part(5)));
  BOOST_TEST(x.add(0, part(6)));
  BOOST_TEST(x.parts()[0]->epoch == 6U);
  // Complete, and then superseded.
  BOOST_TEST(!x.add(0, part(7)));
  BOOST_TEST(x.parts()[1] == nullptr);
}

BOOST_AUTO_TEST_CASE(sums_up_sources_sinks_and_the_least_watermark) {
  snapshot_collector x({0, 1, 2});
  x.add(2, part(9, 30, "b", "z"));
  x.add(0, part(9, 50, "a"));
  x.add(1, part(9, max_time, "", "y"));
  const auto sum = x.summary();
  BOOST_REQUIRE(sum.sources.size() == 2U);
  BOOST_TEST(sum.sources[0].source == "a");
  BOOST_TEST(sum.sources[1].source == "b");
  BOOST_REQUIRE(sum.sinks.size() == 2U);
  BOOST_TEST(sum.sinks[0].sink == "y");
  BOOST_TEST(sum.sinks[1].sink == "z");
  BOOST_TEST(sum.watermark == 30);
  BOOST_TEST(!sum.segment);
}

// Their memory is what the next epoch's snapshots are written into.
BOOST_AUTO_TEST_CASE(lets_the_parts_of_a_written_epoch_go) {
  snapshot_collector x({0, 1});
  const auto first = part(4);
  const auto second = part(4);
  x.add(0, first);
  BOOST_TEST(x.add(1, second));
  x.let_go();
  BOOST_TEST(first.use_count() == 1);
  BOOST_TEST(second.use_count() == 1);
  // One that comes again changes nothing.
  BOOST_TEST(!x.add(0, part(4)));
  BOOST_TEST(x.complete());
  BOOST_TEST(x.epoch() == 4U);
  BOOST_TEST(!x.add(0, part(5)));
  BOOST_TEST(!x.complete());
  BOOST_TEST(x.add(1, part(5)));
  BOOST_TEST(x.parts()[1]->epoch == 5U);
}

BOOST_AUTO_TEST_SUITE_END()
