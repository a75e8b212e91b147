/// A subtask that takes its state back while it runs.
#include "actors/dataflow/subtask.hpp"
#include "tests/support/scripted.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

constexpr std::uint16_t groups = 4;
constexpr std::uint16_t number = 5;

std::string key_of(std::int64_t value) {
  return std::to_string(value);
}

/// Counts how often each value came, by key group `v % 4`; needs a value's count before the value,
/// and, at a watermark, the counts of all values below it. State 0: watermark, loaded first.
class counting_operator final : public stream_operator {
public:
  explicit counting_operator(bool late) : late_(late) {}

  result<bool> step(stream_item* item, step_budget&, output& out) override {
    if (item->kind == item_kind::batch) {
      for (const auto v : values_of(*item->rows)) {
        auto& x = counts[v];
        ++x.count;
        x.changed = mark_;
        told += (told.empty() ? "" : " ") + key_of(v) + ':' + std::to_string(x.count);
      }
      out.emit(item->rows);
    } else if (item->kind == item_kind::watermark) {
      told += (told.empty() ? "w" : " w") + std::to_string(counts.size());
      out.advance(item->time);
    }
    return false;
  }

  [[nodiscard]] operator_counters counters() const override {
    return {};
  }

  change_mark mark() override {
    loaded_at_mark = counts.size();
    return mark_++;
  }

  void save(std::uint16_t group, change_mark since, state_sink& sink) const override {
    for (const auto& [v, x] : counts)
      if (v % groups == group && x.changed > since)
        sink.put(1, key_of(v), std::to_string(x.count));
  }

  [[nodiscard]] bool loads_late() const noexcept override {
    return late_;
  }

  [[nodiscard]] bool loads_first(std::uint16_t state) const noexcept override {
    return state == 0;
  }

  void wish(const stream_item& item, state_wishes& wishes) override {
    if (item.kind == item_kind::batch)
      for (const auto v : values_of(*item.rows)) {
        const auto group = static_cast<std::uint16_t>(v % groups);
        if (!wishes.loaded(group))
          wishes.wish(group, 1, key_of(v));
      }
    if (item.kind == item_kind::watermark && item.time != min_time)
      for (std::uint16_t group = 0; group < groups; ++group)
        wishes.wish_below(group, 1, key_of(item.time));
  }

  void all_loaded() override {
    ++ends;
  }

  result<void> load(std::uint16_t group, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    if (state == 0) {
      ++firsts;
      return {};
    }
    const auto v = std::stoll(std::string(key));
    BOOST_TEST(v % groups == group);
    BOOST_TEST(counts.count(v) == 0U);
    counts[v] = {std::stoull(std::string(value)), 1};
    return {};
  }

  struct entry {
    std::uint64_t count = 0;
    change_mark changed = 0;
  };

  std::map<std::int64_t, entry> counts;
  std::string told;
  std::size_t loaded_at_mark = 0;
  int firsts = 0;
  int ends = 0;

private:
  bool late_;
  change_mark mark_ = 1;
};

/// One input → counting operator.
struct restored {
  /// Values 1 to 8 came 100 times each. `whole`: a range a key group, else one a value.
  explicit restored(bool late = true, bool whole = false) {
    subtask_parts parts;
    parts.stream = "s";
    parts.checkpoints = true;
    parts.inputs = {1};
    parts.last_key_group = groups;
    auto counter = std::make_unique<counting_operator>(late);
    op = counter.get();
    auto& step = parts.steps.emplace_back();
    step.name = "count";
    step.operator_number = number;
    step.body = std::move(counter);
    step.inputs = {{true, 0}};
    task = std::make_unique<subtask>(std::move(parts));
    for (std::uint16_t group = 0; group < groups; ++group) {
      stored[{group, state_number(number, 0), {}}] = "";
      stored[{group, state_number(number + 1, 3), "other"}] = "";
    }
    for (std::int64_t v = 1; v <= 8; ++v)
      stored[{static_cast<std::uint16_t>(v % groups), state_number(number, 1), key_of(v)}] = "100";
    std::vector<state_place> cuts;
    for (const auto& [at, value] : stored)
      if (!whole || std::get<2>(at).empty())
        if (at != stored.begin()->first)
          cuts.push_back({std::get<0>(at), std::get<1>(at), std::get<2>(at)});
    ranges = std::make_unique<cold_ranges>(state_place{0, 0, {}}, cuts, state_place{groups, 0, {}});
  }

  void load_first() {
    for (const auto state : task->first_states())
      for (std::uint16_t group = 0; group < groups; ++group)
        load({group, state, {}});
  }

  void load(const std::tuple<std::uint16_t, std::uint16_t, std::string>& at) {
    const auto& [group, state, key] = at;
    BOOST_TEST(bool(task->load({state_chunk::kind::put, group, state, key, stored.at(at)})));
  }

  work_state settle() {
    for (int i = 0; i < 10'000; ++i) {
      const auto state = task->work(1);
      BOOST_REQUIRE(static_cast<bool>(state));
      if (*state != work_state::ready)
        return *state;
    }
    BOOST_FAIL("the subtask does not come to rest");
    return work_state::ready;
  }

  void rows(std::vector<std::int64_t> values) {
    task->receive(0, 0, channel_item::of(rows_of(values), 8));
  }

  /// Reads what the subtask asks for; the keys that came.
  std::string read(std::size_t most = 100) {
    const auto spans = task->take_reads(most);
    if (spans.empty())
      return "";
    state_chunk entries;
    std::string keys;
    for (const auto& x : spans)
      for (auto at = stored.lower_bound({x.from.key_group, x.from.state, x.from.key});
           at != stored.lower_bound({x.to.key_group, x.to.state, x.to.key}); ++at) {
        const auto& [group, state, key] = at->first;
        entries.add({state_chunk::kind::put, group, state, key, at->second});
        keys += (keys.empty() ? "" : " ") + (key.empty() ? std::string("-") : key);
      }
    BOOST_TEST(bool(task->read(entries, spans)));
    return keys.empty() ? "nothing" : keys;
  }

  counting_operator* op = nullptr;
  std::unique_ptr<subtask> task;
  std::map<std::tuple<std::uint16_t, std::uint16_t, std::string>, std::string> stored;
  std::unique_ptr<cold_ranges> ranges;
};

} // namespace

BOOST_AUTO_TEST_SUITE(subtask_restore)

BOOST_AUTO_TEST_CASE(rows_wait_for_their_state_and_nothing_else_is_read) {
  restored x;
  x.load_first();
  BOOST_TEST(x.op->firsts == groups);
  x.task->resume(7, std::move(x.ranges));
  BOOST_TEST((x.settle() == work_state::waiting));
  BOOST_TEST(x.op->told == "w0");
  BOOST_TEST(x.read() == "");
  x.rows({3, 9});
  x.rows({3});
  BOOST_TEST((x.settle() == work_state::blocked));
  BOOST_TEST(x.op->told == "w0");
  // 9 is in no range of its own.
  BOOST_TEST(x.read() == "5 3");
  BOOST_TEST((x.settle() == work_state::waiting));
  BOOST_TEST(x.op->told == "w0 3:101 9:1 3:102");
  BOOST_TEST(x.op->ends == 0);
}

BOOST_AUTO_TEST_CASE(what_comes_with_a_range_is_there_as_well_but_nothing_of_another_operator) {
  restored x(true, true);
  x.load_first();
  x.task->resume(7, std::move(x.ranges));
  x.rows({3});
  x.settle();
  BOOST_TEST(x.read() == "- 3 7");
  x.settle();
  BOOST_TEST(x.op->told == "w0 3:101");
  BOOST_TEST(x.op->counts.size() == 2U);
  BOOST_TEST(x.op->firsts == groups); // not again
}

BOOST_AUTO_TEST_CASE(a_watermark_waits_for_all_that_it_passes) {
  restored x;
  x.load_first();
  x.task->resume(7, std::move(x.ranges));
  x.task->receive(0, 0, channel_item::of(channel_signal::watermark, 4));
  x.settle();
  BOOST_TEST(x.read() == "1 2 3");
  x.settle();
  BOOST_TEST(x.op->told == "w0 w3");
}

BOOST_AUTO_TEST_CASE(the_rest_comes_by_itself_once_much_was_needed) {
  restored x;
  x.load_first();
  x.task->resume(7, std::move(x.ranges));
  x.rows({1, 2, 3, 4, 5, 6});
  x.settle();
  BOOST_TEST(x.read() == "4 1 5 2 6 3");
  x.settle();
  std::string more;
  for (auto keys = x.read(2); !keys.empty(); keys = x.read(2))
    more += keys + ',';
  BOOST_TEST(x.op->counts.size() == 8U);
  BOOST_TEST(x.op->ends == 1);
  BOOST_TEST(x.task->all_loaded());
  BOOST_TEST(!more.empty());
}

BOOST_AUTO_TEST_CASE(only_what_changed_is_saved_whenever_it_was_loaded) {
  restored x;
  x.load_first();
  x.task->resume(7, std::move(x.ranges));
  x.rows({5});
  x.settle();
  x.read();
  x.settle();
  x.task->begin_checkpoint(8, 7, false);
  x.task->receive(0, 0, channel_item::barrier(8));
  x.settle();
  const auto made = x.task->take_snapshot();
  BOOST_REQUIRE(made);
  BOOST_REQUIRE(made->state.size() == 1U);
  BOOST_TEST(made->state.at(0).key == "5");
  BOOST_TEST(made->state.at(0).value == "101");
}

BOOST_AUTO_TEST_CASE(no_cut_lies_between_an_item_and_its_state) {
  restored x;
  x.load_first();
  x.task->resume(7, std::move(x.ranges));
  x.settle();
  x.rows({6});
  x.task->begin_checkpoint(8, 7, false);
  x.task->receive(0, 0, channel_item::barrier(8));
  BOOST_TEST((x.settle() == work_state::blocked));
  BOOST_TEST(!x.task->take_snapshot());
  BOOST_TEST(x.read() == "6");
  x.settle();
  const auto made = x.task->take_snapshot();
  BOOST_REQUIRE(made);
  BOOST_TEST(made->state.at(0).value == "101");
}

BOOST_AUTO_TEST_CASE(a_checkpoint_of_everything_reads_everything_first) {
  restored x;
  x.load_first();
  x.task->resume(7, std::move(x.ranges));
  x.settle();
  x.task->begin_checkpoint(30, 7, true);
  x.task->receive(0, 0, channel_item::barrier(30));
  BOOST_TEST((x.settle() == work_state::blocked));
  while (!x.read(3).empty())
    x.settle();
  x.settle();
  const auto made = x.task->take_snapshot();
  BOOST_REQUIRE(made);
  std::size_t puts = 0;
  for (std::size_t i = 0; i < made->state.size(); ++i)
    puts += made->state.at(i).what == state_chunk::kind::put ? 1 : 0;
  BOOST_TEST(puts == 8U);
}

BOOST_AUTO_TEST_CASE(an_operator_that_needs_all_has_it_before_it_goes_on) {
  restored x(false);
  BOOST_TEST(x.task->first_states().empty());
  BOOST_REQUIRE(x.task->first_operators() == std::vector<std::uint16_t>{number});
  BOOST_TEST(!x.task->loads_late());
  for (const auto& [at, value] : x.stored)
    x.load(at);
  x.task->resume(7, nullptr);
  BOOST_TEST(x.op->loaded_at_mark == 8U);
  BOOST_TEST(x.op->ends == 1);
  x.rows({3});
  x.settle();
  BOOST_TEST(x.op->told == "w8 3:101");
}

BOOST_AUTO_TEST_SUITE_END()
