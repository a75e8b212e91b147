/// State of aggregates over windows: saved in pieces, taken back, refused when damaged.
#include "actors/dataflow/operators/assign_watermarks.hpp"
#include "actors/dataflow/operators/window_aggregate.hpp"
#include "tests/dataflow/window_model.hpp"

using namespace window_tests;

BOOST_AUTO_TEST_SUITE(window_state)

namespace {

/// Runs rows with a save at every few items, mid-fire too: what the deltas add up to must be what a
/// full save says, and an operator loaded from it must go on as the first would have.
void check_saved(const window_spec& w, unsigned seed, calls which) {
  std::mt19937 random(seed);
  const auto rows = random_rows(random, 400, 9, 40);
  const micros delay = 30;
  const auto spec = by_key(w, true, which);
  const std::uint16_t groups = 16;
  auto op = make_window_aggregate(spec, context());
  const auto head = make_assign_watermarks({0, delay}, context());
  recorder out;
  state_map deltas;
  change_mark since = 0;
  std::uint64_t late = 0;
  bool restarted = false;
  const auto checkpoint = [&] {
    const auto next = op->mark();
    deltas.take(*op, groups, since);
    since = next;
    state_map whole;
    whole.take(*op, groups, 0);
    BOOST_REQUIRE(deltas.entries.size() == whole.entries.size());
    BOOST_REQUIRE((deltas.entries == whole.entries));
    if (random() % 2 != 0)
      return;
    late += op->counters().late_rows;
    op = make_window_aggregate(spec, context());
    whole.give(*op);
    restarted = true;
    since = op->mark();
    deltas.entries.clear();
    deltas.take(*op, groups, 0);
    BOOST_REQUIRE((deltas.entries == whole.entries));
  };

  // Steps one item, with checkpoints between steps of firing.
  class stepper final : public output {
  public:
    explicit stepper(std::function<void(stream_item)> take) : take_(std::move(take)) {}

    void emit(batch_ptr rows) override {
      take_(batch_item(std::move(rows)));
    }

    void advance(micros watermark) override {
      take_(time_item(item_kind::watermark, watermark));
    }

    void idle() override {}

  private:
    std::function<void(stream_item)> take_;
  };

  micros passed = min_time;

  class no_repeats final : public output {
  public:
    no_repeats(recorder& to, micros& passed) : to_(to), passed_(passed) {}

    void emit(batch_ptr rows) override {
      to_.emit(std::move(rows));
    }

    // A restarted operator may say its last watermark again.
    void advance(micros watermark) override {
      BOOST_TEST(watermark >= passed_);
      if (watermark > passed_)
        to_.advance(passed_ = watermark);
    }

    void idle() override {}

  private:
    recorder& to_;
    micros& passed_;
  } once(out, passed);

  stepper steps([&](stream_item item) {
    stream_item* next = &item;
    while (true) {
      step_budget budget{item.kind == item_kind::batch ? 4096U : 2U};
      const auto more = op->step(next, budget, once);
      BOOST_REQUIRE(bool(more));
      next = nullptr;
      if (item.kind == item_kind::watermark && random() % 3 == 0)
        checkpoint();
      if (!*more)
        break;
    }
  });
  feed_rows(*head, rows, 13, steps);
  steps.advance(max_time);
  const auto expected = model(rows, w, true, delay, which);
  BOOST_TEST(restarted);
  BOOST_TEST(out.sorted_rows() == expected.rows, boost::test_tools::per_element());
  BOOST_TEST(late + op->counters().late_rows == expected.late);
}

} // namespace

BOOST_AUTO_TEST_CASE(deltas_add_up_and_a_loaded_operator_goes_on) {
#ifdef __SANITIZE_ADDRESS__ // each seed takes minutes there
  constexpr unsigned last = 31;
#else
  constexpr unsigned last = 34;
#endif
  for (unsigned seed = 31; seed <= last; ++seed)
    for (const auto& s : shapes)
      for (const auto which : {calls::all, calls::sums})
        BOOST_TEST_CONTEXT("seed " << seed << ' ' << s.name
                                   << (which == calls::sums ? " sums" : "")) {
          check_saved(s.window, seed, which);
        }
}

BOOST_AUTO_TEST_CASE(damaged_state_is_refused) {
  for (const auto& w : {tumble(100), session(10)}) {
    const auto op = make_window_aggregate(by_key(w), context());
    BOOST_TEST(!op->load(0, 0, "", "short"));
    BOOST_TEST(!op->load(0, 1, "short", "x"));
    BOOST_TEST(!op->load(0, 9, std::string(24, '\0'), "x"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
