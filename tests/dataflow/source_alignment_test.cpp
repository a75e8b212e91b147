#include "actors/dataflow/source_alignment.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace ebb; // NOLINT

namespace {

/// Released sources after the last `tell`, as text.
std::string released(source_alignment& x) {
  std::vector<std::uint32_t> names;
  x.released(names);
  std::string result;
  for (const auto n : names)
    result += std::to_string(n) + ' ';
  return result;
}

struct told {
  std::uint32_t source;
  source_progress at;
  bool may_read;        ///< expected
  const char* released; ///< expected
};

struct scenario {
  const char* name;
  std::uint32_t sources;
  std::vector<told> steps;
};

constexpr bool quiet = false;
constexpr bool reads = true;

/// The allowance is 100.
const std::vector<scenario> scenarios{
    {"one alone goes on for ever",
     1,
     {{0, {10, 100, reads}, true, ""}, {0, {20, 5000, reads}, true, ""}}},
    {"the one ahead waits for the slow one",
     2,
     {{0, {min_time, 0, reads}, true, ""},
      {1, {min_time, 0, reads}, true, ""},
      {1, {10, 50, reads}, true, ""},
      {0, {20, 50, reads}, true, ""},
      {0, {30, 200, reads}, false, ""},
      {1, {15, 60, reads}, true, ""},
      {1, {21, 70, reads}, true, "0 "},
      {1, {22, 80, reads}, true, ""}, // named once
      {0, {30, 200, reads}, true, ""}}},
    {"one that has not begun holds the others",
     2,
     {{0, {10, 50, reads}, true, ""},
      {0, {20, 160, reads}, false, ""},
      {1, {9, 10, reads}, true, ""}}},
    {"one that turns out to be quiet at first lets the others go",
     2,
     {{0, {10, 50, reads}, true, ""},
      {0, {20, 160, reads}, false, ""},
      {1, {min_time, 0, quiet}, true, "0 "}}},
    {"one without a watermark holds nobody",
     2,
     {{0, {10, 50, reads}, true, ""},
      {0, {20, 160, reads}, false, ""},
      {1, {min_time, 10, reads}, true, "0 "},
      {0, {20, 160, reads}, true, ""},
      {0, {30, 1000, reads}, true, ""}}},
    {"one without a watermark is never held",
     2,
     {{1, {10, 50, reads}, true, ""}, {0, {min_time, 100'000, reads}, true, ""}}},
    {"a quiet one holds nobody and holds again when rows come",
     2,
     {{1, {5, 10, reads}, true, ""},
      {0, {20, 50, reads}, true, ""},
      {0, {30, 200, reads}, false, ""},
      {1, {5, 10, quiet}, true, "0 "},
      {0, {30, 200, reads}, true, ""},
      {0, {40, 290, reads}, true, ""},
      {1, {6, 20, reads}, true, ""},
      {0, {50, 390, reads}, false, ""}}},
    {"equal watermarks do not hold, however many rows",
     2,
     {{0, {10, 50, reads}, true, ""},
      {1, {10, 50, reads}, true, ""},
      {0, {10, 5000, reads}, true, ""},
      {1, {10, 9000, reads}, true, ""}}},
    {"two wait for the third, which ends",
     3,
     {{2, {5, 10, reads}, true, ""},
      {0, {20, 50, reads}, true, ""},
      {1, {21, 50, reads}, true, ""},
      {0, {30, 200, reads}, false, ""},
      {1, {31, 200, reads}, false, ""},
      {2, {max_time, 20, quiet}, true, "0 1 "}}},
    {"a released one that asks too late waits again",
     3,
     {{1, {10, 50, reads}, true, ""},
      {2, {10, 50, quiet}, true, ""},
      {0, {20, 50, reads}, true, ""},
      {0, {30, 200, reads}, false, ""},
      {1, {25, 70, reads}, true, "0 "},
      {2, {11, 60, reads}, true, ""},
      {0, {30, 200, reads}, false, ""},
      {2, {11, 60, quiet}, true, "0 "}}},
};

/// All sources of a test in one thread.
class simple_meeting final : public source_meeting {
public:
  explicit simple_meeting(read_amount allowance) : rule(allowance) {}

  read_amount tell(std::uint32_t source, const source_progress& position) override {
    ++tells;
    const auto grant = rule.tell(source, position);
    rule.released(woken);
    return grant;
  }

  source_alignment rule;
  std::vector<std::uint32_t> woken;
  std::uint64_t tells = 0;
};

/// A source of rows at rising times, with pauses.
struct reader {
  aligned_source side;
  micros watermark = min_time;
  read_amount read = 0;
  read_amount end = 0;
  micros step = 1; ///< event time a row
  micros start = 0;
  bool sleeps = false; ///< held, until woken
  std::uint32_t quiet_for = 0;
  bool done = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(alignment)

BOOST_AUTO_TEST_CASE(table) {
  for (const auto& x : scenarios)
    BOOST_TEST_CONTEXT(x.name) {
      source_alignment rule(100);
      for (std::uint32_t i = 0; i < x.sources; ++i)
        BOOST_TEST(rule.join() == i);
      int number = 0;
      for (const auto& step : x.steps)
        BOOST_TEST_CONTEXT("step " << number++) {
          BOOST_TEST((rule.tell(step.source, step.at) > step.at.read) == step.may_read);
          BOOST_TEST(released(rule) == step.released);
        }
    }
}

BOOST_AUTO_TEST_CASE(amounts_count_rows_and_bytes) {
  BOOST_TEST(amount_read(0, 0) == 0U);
  BOOST_TEST(amount_read(7, 255) == 7U);
  BOOST_TEST(amount_read(7, 2560) == 17U);
}

BOOST_AUTO_TEST_CASE(a_source_without_a_meeting_is_never_held) {
  aligned_source x;
  for (read_amount i = 0; i < 10; ++i) {
    BOOST_TEST(x.may_read(static_cast<micros>(i)));
    x.has_read(i * 1'000'000, true, false);
    BOOST_TEST(!x.held());
  }
}

BOOST_AUTO_TEST_CASE(a_source_tells_some_times_a_grant) {
  const auto meeting = std::make_shared<simple_meeting>(64'000);
  aligned_source x(meeting, meeting->rule.join());
  for (read_amount i = 1; i <= 64'000; ++i) {
    BOOST_TEST_REQUIRE(x.may_read(static_cast<micros>(i)));
    x.has_read(i, true, false);
  }
  BOOST_TEST(meeting->tells <= 10U);
}

/// Random speeds, pauses and ends: nobody waits for ever, and who is ahead is so by two allowances
/// and the batch that was under way, plus what was read while nobody else had rows.
BOOST_AUTO_TEST_CASE(random_sources_end_and_stay_together) {
  constexpr read_amount allowance = 1000;
  constexpr read_amount batch = 100;
  for (std::uint32_t seed = 1; seed <= 300; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
      const auto meeting = std::make_shared<simple_meeting>(allowance);
      const bool pauses = seed % 2 == 0;
      std::vector<reader> all(2 + below(4));
      for (auto& x : all) {
        x.side = aligned_source(meeting, meeting->rule.join());
        x.end = 1 + below(40'000);
        x.step = 1 + below(5);
        x.start = below(3) * 20'000;
      }
      std::uint64_t turns = 0;
      const auto left = [&] {
        return std::any_of(all.begin(), all.end(), [](const auto& x) { return !x.done; });
      };
      while (left()) {
        BOOST_REQUIRE_MESSAGE(++turns < 10'000'000, "some source waits for ever");
        // Uneven turns: the first source is chosen half of the time.
        auto& x = all[below(2) == 0 ? 0 : below(static_cast<std::uint32_t>(all.size()))];
        if (x.quiet_for > 0 && --x.quiet_for > 0)
          continue;
        if (x.done || x.sleeps)
          continue;
        if (!x.side.may_read(x.watermark)) {
          x.sleeps = true;
        } else {
          const auto rows = std::min<read_amount>(1 + below(batch), x.end - x.read);
          x.read += rows;
          x.watermark = x.start + static_cast<micros>(x.read) * x.step;
          x.done = x.read == x.end;
          if (pauses && below(50) == 0)
            x.quiet_for = below(200);
          x.side.has_read(x.read, !x.done && x.quiet_for == 0, x.done);
          if (!pauses) {
            micros slowest = max_time;
            bool begun = true;
            for (const auto& y : all)
              if (!y.done && &y != &x) {
                slowest = std::min(slowest, y.watermark);
                begun &= y.watermark != min_time;
              }
            if (begun && slowest != max_time && x.watermark > slowest && slowest > x.start) {
              const auto ahead = static_cast<read_amount>((x.watermark - slowest) / x.step);
              // Others tell where they are an eighth of an allowance late.
              BOOST_TEST_REQUIRE(ahead <= 2 * allowance + allowance + 2 * batch);
            }
          }
        }
        for (const auto w : meeting->woken)
          all[w].sleeps = false;
        meeting->woken.clear();
      }
    }
}

// What is looked up in a table gets its first grant alone until the table has ended.
BOOST_AUTO_TEST_CASE(streams_wait_for_tables) {
  source_alignment rule(100);
  const auto stream = rule.join({1, false});
  const auto other = rule.join({2, false});
  const auto table = rule.join({3, true});
  const auto second = rule.join({4, true});
  BOOST_TEST(rule.tell(stream, {min_time, 0}) == 100U);
  // Neither its time nor that it is quiet in between gives it more.
  BOOST_TEST(rule.tell(stream, {50, 60}) == 100U);
  BOOST_TEST(rule.tell(stream, {90, 100}) == 100U);
  BOOST_TEST(released(rule).empty());
  // A table itself goes on, far as it may be.
  for (read_amount read = 0; read < 1000; read += 100)
    BOOST_TEST(rule.tell(table, {min_time, read}) > read);
  BOOST_TEST(rule.tell(second, {min_time, 10, false, true}) > 10U);
  BOOST_TEST(released(rule).empty());
  BOOST_TEST(rule.tell(table, {min_time, 1000, false, false}) > 1000U);
  BOOST_TEST(released(rule).empty());
  static_cast<void>(rule.tell(table, {min_time, 1000, false, true}));
  BOOST_TEST(released(rule) == std::to_string(stream) + ' ');
  BOOST_TEST(rule.tell(stream, {90, 100}) == 200U);
  // Those of different groups do not wait for each other.
  BOOST_TEST(rule.tell(other, {5, 0}) == 100U);
  for (read_amount read = 100; read < 2000; read += 100)
    BOOST_TEST(rule.tell(stream, {90 + static_cast<micros>(read), read}) > read);
}

BOOST_AUTO_TEST_SUITE_END()
