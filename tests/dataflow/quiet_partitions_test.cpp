/// What the watermark of a source does while partitions bring no rows.
#include "actors/dataflow/event_timer.hpp"
#include "actors/dataflow/operators/assign_watermarks.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/partition_news.hpp"
#include "tests/dataflow/window_model.hpp"

using namespace window_tests;

namespace {

/// Instance `subtask` of `parallelism` of a source's head with a delay of 5.
class head {
public:
  explicit head(quiet_time quiet, std::uint32_t partitions = 2, std::uint32_t subtask = 0,
                std::uint32_t parallelism = 1)
      : partitions_(partitions),
        op_(make_assign_watermarks({0, 5}, {"test", {row_types}, 16, subtask, parallelism},
                                   quiet)) {}

  void rows(std::uint32_t partition, std::vector<micros> times) {
    std::vector<row> values;
    for (const auto t : times)
      values.push_back({t, 1, 1});
    auto x = make_batch(values.data(), values.size());
    x.partition = partition;
    x.partitions = partitions_;
    feed(*op_, batch_item(std::make_shared<batch>(std::move(x))), out);
  }

  void quiet(std::vector<std::uint32_t> partitions) {
    auto x = std::make_shared<news_batch>();
    x->news = {partitions_, 0, std::move(partitions)};
    feed(*op_, batch_item(std::move(x)), out);
  }

  void tick(micros now) {
    feed(*op_, time_item(item_kind::tick, now), out);
  }

  [[nodiscard]] micros sent() const {
    for (auto i = out.events.rbegin(); i != out.events.rend(); ++i)
      if (i->what == event::kind::watermark)
        return i->time;
    return min_time;
  }

  [[nodiscard]] int idles() const {
    return static_cast<int>(std::count_if(out.events.begin(), out.events.end(), [](const auto& x) {
      return x.what == event::kind::idle;
    }));
  }

  /// Marks of the last batch; empty = none.
  [[nodiscard]] std::vector<micros> marks() const {
    for (auto i = out.events.rbegin(); i != out.events.rend(); ++i)
      if (i->what == event::kind::batch) {
        if (!i->rows->watermarks)
          return {};
        const auto* x = i->rows->watermarks.as<const micros>();
        return {x, x + i->rows->rows};
      }
    return {};
  }

  [[nodiscard]] const source_clock& clock() const {
    return dynamic_cast<const source_clock&>(*op_);
  }

  stream_operator& op() {
    return *op_;
  }

  void save(state_map& to) {
    static_cast<void>(op_->mark());
    to.group = unkeyed_group;
    op_->save(unkeyed_group, 0, to);
  }

  void restore(const state_map& from) {
    for (const auto& [key, value] : from.entries)
      BOOST_REQUIRE(bool(op_->load(std::get<0>(key), std::get<1>(key), std::get<2>(key), value)));
    feed(*op_, time_item(item_kind::watermark, min_time), out);
  }

  recorder out;

private:
  std::uint32_t partitions_;
  std::unique_ptr<stream_operator> op_;
};

constexpr quiet_time idle_after(micros x) {
  return {x, max_time};
}

constexpr quiet_time advance_after(micros x) {
  return {max_time, x};
}

} // namespace

BOOST_AUTO_TEST_SUITE(quiet_partitions)

BOOST_AUTO_TEST_CASE(one_quiet_partition_does_not_hold_the_others_back) {
  head x(idle_after(50));
  x.tick(1000);
  x.rows(0, {100});
  x.rows(1, {60});
  x.quiet({0, 1});
  BOOST_TEST(x.sent() == 55);
  BOOST_TEST(x.op().next_tick() == 1050);
  x.tick(1040);
  x.rows(0, {200}); // partition 1 holds it
  BOOST_TEST(x.sent() == 55);
  BOOST_TEST(x.clock().holder()->partition == 1U);
  x.tick(1049);
  BOOST_TEST(x.sent() == 55);
  x.tick(1050);
  BOOST_TEST(x.sent() == 195);
  BOOST_TEST(x.idles() == 0); // the source is not
  BOOST_TEST(x.clock().holder()->partition == 0U);
  // It is back: what is late is late, and what is not holds the watermark again.
  x.tick(1060);
  x.rows(1, {190, 197});
  BOOST_TEST(x.marks() == (std::vector<micros>{195, 195}), boost::test_tools::per_element());
  x.rows(0, {300});
  BOOST_TEST(x.sent() == 195);
  x.rows(1, {230});
  BOOST_TEST(x.sent() == 225);
}

BOOST_AUTO_TEST_CASE(a_partition_without_rows_holds_it_for_no_longer_than_that) {
  head x(idle_after(50), 3);
  x.quiet({1, 2});
  BOOST_TEST(x.op().next_tick() == min_time); // from when on is not known yet
  x.tick(1000);
  x.rows(0, {100});
  BOOST_TEST(x.sent() == min_time);
  BOOST_TEST(x.clock().holder()->partition == 1U);
  BOOST_TEST(x.clock().holder()->watermark == min_time);
  x.tick(1049);
  BOOST_TEST(x.sent() == min_time);
  x.tick(1050);
  BOOST_TEST(x.sent() == 95);
  // For ever where nothing is said.
  head holding({}, 3);
  holding.quiet({1, 2});
  holding.rows(0, {100});
  BOOST_TEST(!holding.op().wants_ticks());
  BOOST_TEST(holding.sent() == min_time);
  BOOST_TEST(holding.clock().holder()->partition == 1U);
}

BOOST_AUTO_TEST_CASE(a_partition_that_may_have_rows_does_not_fall_idle) {
  head x(idle_after(50));
  x.tick(1000);
  x.rows(0, {100});
  x.rows(1, {60});
  x.quiet({0});
  x.tick(2000); // 1 is read from far behind
  BOOST_TEST(x.sent() == 55);
  BOOST_TEST(x.op().next_tick() == max_time);
  BOOST_TEST(x.clock().falls_idle() == 1050); // if the stream slept now, 1 would be quiet
  x.quiet({0, 1});
  BOOST_TEST(x.op().next_tick() == 1050);
  x.tick(2001);
  BOOST_TEST(x.sent() == 95);
  BOOST_TEST(x.idles() == 1);
}

BOOST_AUTO_TEST_CASE(one_that_nothing_is_known_of_counts_from_now) {
  head x(idle_after(50));
  x.tick(1000);
  BOOST_TEST(x.clock().falls_idle() == max_time); // not even that it is there
  x.rows(0, {100});
  x.tick(1020);
  BOOST_TEST(x.clock().falls_idle() == 1050);
  x.rows(0, {101});
  x.tick(1060);
  BOOST_TEST(x.clock().falls_idle() == 1070);
  head plain({});
  plain.rows(0, {100});
  BOOST_TEST(plain.clock().falls_idle() == max_time);
}

BOOST_AUTO_TEST_CASE(all_idle_the_furthest_counts_and_the_source_says_it_once) {
  for (const bool first : {true, false}) {
    head x(idle_after(50));
    x.tick(1000);
    x.rows(0, {100});
    x.quiet({0, 1});
    x.tick(first ? 1000 : 1020);
    x.rows(1, {60});
    x.tick(1030);
    BOOST_TEST(x.sent() == 55);
    x.tick(1100);
    BOOST_TEST(x.sent() == 95);
    x.tick(1200);
    BOOST_TEST(x.idles() == 1);
    BOOST_TEST(!x.clock().holder().has_value());
    x.rows(1, {70});
    BOOST_TEST(x.sent() == 95);
    x.tick(1250);
    BOOST_TEST(x.idles() == 2);
  }
}

BOOST_AUTO_TEST_CASE(time_goes_on_without_rows) {
  constexpr micros s = 1'000'000;
  head x(advance_after(5 * s), 1);
  x.tick(1000 * s);
  x.rows(0, {100 * s + 5});
  x.quiet({0});
  BOOST_TEST(x.op().next_tick() == 1005 * s);
  BOOST_TEST(x.clock().advances_from() == 1005 * s);
  x.tick(1005 * s - 1);
  BOOST_TEST(x.sent() == 100 * s);
  x.tick(1005 * s);
  BOOST_TEST(x.sent() == 105 * s);
  BOOST_TEST(x.op().next_tick() == 1005 * s + partition_clocks::advance_period);
  BOOST_TEST(x.clock().advances_from() == min_time);
  x.tick(1007 * s);
  BOOST_TEST(x.sent() == 107 * s);
  // The clock goes back: the watermark does not.
  x.tick(1006 * s);
  BOOST_TEST(x.sent() == 107 * s);
  // A row of before is late, one of now is not; and time counts from there.
  x.rows(0, {106 * s, 107 * s + 5});
  BOOST_TEST(x.marks() == (std::vector<micros>{107 * s, 107 * s}),
             boost::test_tools::per_element());
  x.tick(1011 * s);
  BOOST_TEST(x.sent() == 107 * s);
  x.tick(1012 * s);
  BOOST_TEST(x.sent() == 112 * s);
  BOOST_TEST(x.idles() == 0);
}

BOOST_AUTO_TEST_CASE(partitions_advance_each_by_itself_and_one_without_rows_does_not_hold_them) {
  head x({max_time, 100}, 3);
  x.tick(1000);
  x.quiet({0, 1, 2});
  x.rows(0, {105});
  x.tick(1060);
  x.rows(1, {205});
  x.tick(1100); // 2 has no time to go on from
  BOOST_TEST(x.sent() == 200);
  x.tick(1110);
  BOOST_TEST(x.sent() == 200); // 1 has been quiet for 50
  x.tick(1160);
  BOOST_TEST(x.sent() == 260);
  x.rows(2, {900});
  x.tick(1170);
  BOOST_TEST(x.sent() == 270);
  BOOST_TEST(x.clock().holder()->partition == 0U);
}

BOOST_AUTO_TEST_CASE(idle_partitions_advance_too) {
  head x({50, 20}, 1);
  x.tick(1000);
  x.rows(0, {105});
  x.quiet({0});
  x.tick(1050);
  BOOST_TEST(x.sent() == 150);
  BOOST_TEST(x.idles() == 1);
  x.tick(1060);
  BOOST_TEST(x.sent() == 160);
  BOOST_TEST(x.idles() == 2); // a watermark had said that it is active
}

BOOST_AUTO_TEST_CASE(the_time_counts_across_restarts_whoever_reads_the_partitions) {
  for (const std::uint32_t before : {1U, 2U})
    for (const std::uint32_t after : {1U, 2U})
      BOOST_TEST_CONTEXT(before << " to " << after) {
        state_map state;
        for (std::uint32_t i = 0; i < before; ++i) {
          head x(idle_after(500), 2 / before, i, before);
          x.tick(1000);
          x.quiet(before == 1 ? std::vector<std::uint32_t>{0, 1} : std::vector<std::uint32_t>{0});
          if (i == 0)
            x.rows(0, {105}); // partition 1 has none
          x.save(state);
        }
        BOOST_TEST(state.entries.size() == 2U);
        micros reached = max_time;
        for (std::uint32_t i = 0; i < after; ++i) {
          head x(idle_after(500), 2 / after, i, after);
          x.restore(state);
          x.quiet(after == 1 ? std::vector<std::uint32_t>{0, 1} : std::vector<std::uint32_t>{0});
          BOOST_TEST(x.clock().falls_idle() == 1500);
          x.tick(1499);
          BOOST_TEST(x.idles() == 0);
          x.tick(1500);
          BOOST_TEST(x.idles() == 1);
          if (i == 0)
            reached = x.sent();
        }
        BOOST_TEST(reached == 100);
      }
}

BOOST_AUTO_TEST_CASE(an_advance_is_not_taken_back_by_a_restart) {
  state_map state;
  {
    head x(advance_after(100), 1);
    x.tick(1000);
    x.rows(0, {105});
    x.quiet({0});
    x.tick(1200);
    BOOST_TEST(x.sent() == 300);
    x.save(state);
  }
  head x(advance_after(100), 1);
  x.restore(state);
  BOOST_TEST(x.sent() == 300);
  x.tick(1150); // another machine's clock
  x.quiet({0});
  x.tick(1151);
  BOOST_TEST(x.sent() == 300);
  x.tick(1900); // last + elapsed, not counted twice
  BOOST_TEST(x.sent() == 1000);
  // Now it waits for rows again.
  head holding({}, 1);
  holding.restore(state);
  BOOST_TEST(holding.sent() == 300);
  BOOST_TEST(!holding.op().wants_ticks());
}

BOOST_AUTO_TEST_CASE(state_of_before_arrivals_were_kept_is_read) {
  state_map state;
  {
    head x({}, 1);
    x.rows(0, {105});
    x.save(state);
  }
  for (auto& [key, value] : state.entries)
    value.resize(value.size() - 16);
  head x(idle_after(50), 1);
  x.restore(state);
  BOOST_TEST(x.sent() == 100);
  x.quiet({0});
  x.tick(1000);
  BOOST_TEST(x.idles() == 0);
  x.tick(1050);
  BOOST_TEST(x.idles() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
