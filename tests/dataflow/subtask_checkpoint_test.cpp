/// A subtask's part in checkpoints, with steps that do what the test tells them.
#include "actors/dataflow/subtask.hpp"
#include "tests/support/scripted.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <optional>
#include <string>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

constexpr std::uint16_t groups = 8;

/// Adds up values by key group `v % 8` and passes the rows on. Its state is one entry a group that
/// has changed.
class adding_operator final : public stream_operator {
public:
  explicit adding_operator(bool frozen) : frozen_(frozen) {}

  result<bool> step(stream_item* item, step_budget&, output& out) override {
    if (item->kind == item_kind::batch) {
      for (const auto v : values_of(*item->rows)) {
        auto& x = sums[static_cast<std::uint16_t>(v % groups)];
        x.sum += v;
        x.changed = mark_;
      }
      out.emit(item->rows);
    } else if (item->kind == item_kind::watermark) {
      watermarks.push_back(item->time);
      out.advance(item->time);
    }
    return false;
  }

  [[nodiscard]] operator_counters counters() const override {
    return {};
  }

  change_mark mark() override {
    return mark_++;
  }

  void save(std::uint16_t group, change_mark since, state_sink& sink) const override {
    ++saves;
    const auto found = sums.find(group);
    if (found != sums.end() && found->second.changed > since)
      sink.put(1, "sum", std::to_string(found->second.sum));
  }

  [[nodiscard]] bool saves_frozen() const noexcept override {
    return frozen_;
  }

  void begin_save(change_mark since) override {
    kept_.clear();
    for (const auto& [group, x] : sums)
      if (x.changed > since)
        kept_[group] = x.sum;
  }

  bool save_slice(std::uint32_t, state_sink& sink) override {
    ++saves;
    if (!kept_.empty()) {
      sink.select_group(kept_.begin()->first);
      sink.put(1, "sum", std::to_string(kept_.begin()->second));
      kept_.erase(kept_.begin());
    }
    return !kept_.empty();
  }

  result<void> load(std::uint16_t group, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    if (state != 1 || key != "sum")
      return make_error(ec::corrupt, "unknown state");
    sums[group] = {std::stoll(std::string(value)), 0};
    return {};
  }

  struct entry {
    std::int64_t sum = 0;
    change_mark changed = 0;
  };

  std::map<std::uint16_t, entry> sums;
  std::vector<micros> watermarks;
  mutable int saves = 0;

private:
  bool frozen_;
  change_mark mark_ = 1;
  std::map<std::uint16_t, std::int64_t> kept_;
};

/// Emits 0, 1, 2, … one a read up to `count`, then is finished or waits.
class counting_source final : public source_reader {
public:
  counting_source(std::int64_t next, std::int64_t count, bool ends)
      : next_(next), count_(count), ends_(ends) {}

  result<read_status> read(micros, step_budget&, output& out) override {
    if (next_ == count_)
      return read_status{ends_ ? read_status::kind::finished : read_status::kind::waiting};
    out.emit(rows_of({next_++}));
    return read_status{};
  }

  [[nodiscard]] source_counters counters() const override {
    return {};
  }

  [[nodiscard]] std::uint32_t partitions() const override {
    return 1;
  }

  void positions(std::vector<source_position>& out) const override {
    out.push_back({0, false, std::to_string(next_)});
  }

private:
  std::int64_t next_;
  std::int64_t count_;
  bool ends_;
};

/// Keeps what was written until it is sealed; a seal is durable after `delay` questions.
class sealing_sink final : public sink_writer {
public:
  explicit sealing_sink(int delay = 0) : delay_(delay) {}

  result<void> write(const batch_ptr& rows) override {
    BOOST_TEST(!finished);
    for (const auto v : values_of(*rows))
      open.push_back(v);
    return {};
  }

  [[nodiscard]] std::size_t backlog() const override {
    return 0;
  }

  result<void> seal(epoch_number epoch) override {
    BOOST_TEST(!sealing_);
    sealing_ = epoch;
    questions_ = delay_;
    outputs[epoch] = std::move(open);
    open.clear();
    return {};
  }

  result<std::optional<sealed_output>> sealed() override {
    BOOST_REQUIRE(sealing_);
    if (questions_-- > 0)
      return std::optional<sealed_output>{};
    sealed_output x;
    x.target = std::to_string(*sealing_);
    x.rows = outputs[*sealing_].size();
    sealing_.reset();
    return std::optional(x);
  }

  result<bool> finish() override {
    finished = true;
    return true;
  }

  void abandon() override {}

  [[nodiscard]] sink_counters counters() const override {
    return {};
  }

  std::vector<std::int64_t> open;
  std::map<epoch_number, std::vector<std::int64_t>> outputs;
  bool finished = false;

private:
  int delay_;
  int questions_ = 0;
  std::optional<epoch_number> sealing_;
};

std::string text(const std::vector<std::int64_t>& values) {
  std::string result;
  for (const auto v : values)
    result += (result.empty() ? "" : " ") + std::to_string(v);
  return result;
}

/// `g1=17 g2=5`, `-g1` for an erased prefix.
std::string text(const state_chunk& x) {
  std::string result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto e = x.at(i);
    BOOST_TEST(e.state >> operator_state_bits == 3);
    if (e.what == state_chunk::kind::erase_prefix) {
      if ((e.state & 15) == 1)
        result += (result.empty() ? "-g" : " -g") + std::to_string(e.key_group);
      continue;
    }
    BOOST_TEST((e.state & 15) == 1);
    result +=
        (result.empty() ? "g" : " g") + std::to_string(e.key_group) + '=' + std::string(e.value);
  }
  return result;
}

std::string text(const std::vector<sink_snapshot>& x) {
  std::string result;
  for (const auto& s : x)
    result +=
        (result.empty() ? "" : " ") + std::to_string(s.epoch) + ':' + std::to_string(s.output.rows);
  return result;
}

struct options {
  std::int64_t source_rows = -1; ///< -1 = no source
  std::int64_t source_next = 0;
  bool source_ends = true;
  std::vector<std::uint32_t> inputs = {}; ///< channels
  bool output = false;                    ///< an edge of the sums to one target
  bool frozen = true;
  int seal_delay = 0;
  std::size_t window = credit_ledger::default_window;
};

/// source and inputs → adding operator (number 3) → sink and edge.
struct lone_subtask {
  explicit lone_subtask(const options& x) {
    subtask_parts parts;
    parts.stream = "s";
    parts.checkpoints = true;
    parts.inputs = x.inputs;
    parts.channel_window = x.window;
    parts.first_key_group = 0;
    parts.last_key_group = groups;
    std::vector<subtask_link> links;
    if (x.source_rows >= 0) {
      auto& source = parts.steps.emplace_back();
      source.name = "in";
      source.body = std::make_unique<counting_source>(x.source_next, x.source_rows, x.source_ends);
      links.push_back({false, 0});
    }
    for (std::uint32_t i = 0; i < x.inputs.size(); ++i)
      links.push_back({true, i});
    auto adder = std::make_unique<adding_operator>(x.frozen);
    sums = adder.get();
    subtask_step op;
    op.name = "sum";
    op.operator_number = 3;
    op.body = std::move(adder);
    op.inputs = links;
    parts.steps.push_back(std::move(op));
    const auto at = static_cast<std::uint32_t>(parts.steps.size() - 1);
    step = at;
    auto writer = std::make_unique<sealing_sink>(x.seal_delay);
    sink = writer.get();
    subtask_step out;
    out.name = "out";
    out.body = std::move(writer);
    out.inputs = {{false, at}};
    parts.steps.push_back(std::move(out));
    if (x.output)
      parts.outputs.push_back({at, {}});
    task = std::make_unique<subtask>(std::move(parts));
  }

  work_state settle() {
    for (int i = 0; i < 100'000; ++i) {
      const auto state = task->work(1);
      BOOST_REQUIRE(static_cast<bool>(state));
      if (*state == work_state::ready)
        continue;
      // A sink's question needs a wake.
      if (!wakes)
        return *state;
      --wakes;
      task->wake();
    }
    BOOST_FAIL("the subtask does not come to rest");
    return work_state::ready;
  }

  void rows(std::uint32_t input, std::uint32_t channel, std::vector<std::int64_t> values) {
    task->receive(input, channel, channel_item::of(rows_of(values), 8 * values.size()));
  }

  void barrier(std::uint32_t input, std::uint32_t channel, epoch_number epoch) {
    task->receive(input, channel, channel_item::barrier(epoch));
  }

  void end(std::uint32_t input, std::uint32_t channel) {
    task->receive(input, channel, channel_item::of(channel_signal::end));
  }

  /// Moves out what was sent: `2` rows, `|5` barrier, `e` end, `s` stop.
  std::string sent() {
    std::vector<outgoing_item> items;
    task->take_outgoing(items);
    std::string result;
    for (const auto& x : items) {
      if (!result.empty())
        result += ' ';
      switch (x.item.what) {
      case channel_signal::batch:
        result += std::to_string(x.item.rows->rows);
        break;
      case channel_signal::barrier:
        result += '|' + std::to_string(x.item.epoch);
        break;
      case channel_signal::end:
        result += 'e';
        break;
      case channel_signal::stop:
        result += 's';
        break;
      case channel_signal::watermark:
        result += 'w';
        break;
      case channel_signal::idle:
        result += 'i';
        break;
      }
    }
    return result;
  }

  std::unique_ptr<subtask> task;
  adding_operator* sums = nullptr;
  sealing_sink* sink = nullptr;
  std::size_t step = 0;
  int wakes = 0;
};

/// The snapshot, which has to be there.
subtask_snapshot taken(lone_subtask& x) {
  auto made = x.task->take_snapshot();
  BOOST_REQUIRE(made.has_value());
  BOOST_TEST(!x.task->take_snapshot());
  return std::move(*made);
}

} // namespace

BOOST_AUTO_TEST_SUITE(subtask_checkpoints)

BOOST_AUTO_TEST_CASE(a_source_is_cut_at_the_request) {
  lone_subtask x({.source_rows = 100, .source_ends = false, .output = true});
  for (int i = 0; i < 9; ++i)
    BOOST_TEST((*x.task->work(1) == work_state::ready));
  BOOST_TEST(!x.task->take_snapshot());
  x.task->begin_checkpoint(5, 0, false);
  while (x.sink->outputs.empty())
    BOOST_TEST((*x.task->work(1) == work_state::ready));
  const auto rows = static_cast<std::int64_t>(x.sink->outputs[5].size());
  BOOST_TEST(rows > 0);
  BOOST_TEST(rows < 100);
  BOOST_TEST((x.settle() == work_state::waiting));
  const auto made = taken(x);
  BOOST_TEST(made.epoch == 5U);
  BOOST_REQUIRE(made.sources.size() == 1U);
  BOOST_TEST(made.sources[0].source == "in");
  BOOST_TEST(made.sources[0].positions[0].bytes == std::to_string(rows));
  BOOST_TEST(!made.sources[0].positions[0].finished);
  BOOST_TEST(text(made.sinks) == "5:" + std::to_string(rows));
  // What came before the barrier left before it.
  BOOST_TEST(x.sent().substr(0, 4) == std::to_string(rows) + " |5");
}

BOOST_AUTO_TEST_CASE(held_channels_wait_for_the_others) {
  lone_subtask x({.inputs = {2, 1}, .output = true});
  x.task->begin_checkpoint(5, 0, false);
  x.rows(0, 0, {1});
  x.barrier(0, 0, 5);
  x.rows(0, 0, {100}); // of the next epoch
  x.rows(0, 1, {2});
  x.rows(1, 0, {3});
  BOOST_TEST((x.settle() == work_state::waiting));
  BOOST_TEST(text(x.sink->open) == "1 3 2");
  x.barrier(1, 0, 5);
  x.rows(1, 0, {101});
  x.rows(0, 1, {4});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "1 3 2 4");
  BOOST_TEST(!x.task->take_snapshot());
  x.barrier(0, 1, 5);
  x.settle();
  BOOST_TEST(text(x.sink->outputs[5]) == "1 3 2 4");
  BOOST_TEST(text(x.sink->open) == "101 100");
  BOOST_TEST(text(taken(x).state) == "g1=1 g2=2 g3=3 g4=4");
  x.task->credit(0, 0, x.task->in_flight(0, 0));
  x.task->flush_idle();
  BOOST_TEST(x.sent() == "4 |5 2");
}

BOOST_AUTO_TEST_CASE(barriers_wait_for_the_request) {
  lone_subtask x({.inputs = {1}});
  x.rows(0, 0, {1});
  x.barrier(0, 0, 5);
  x.rows(0, 0, {2});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "1");
  x.task->begin_checkpoint(5, 0, false);
  x.settle();
  BOOST_TEST(text(x.sink->outputs[5]) == "1");
  BOOST_TEST(text(x.sink->open) == "2");
}

BOOST_AUTO_TEST_CASE(the_base_of_a_request_counts_though_a_barrier_came_first) {
  lone_subtask x({.inputs = {1}});
  const auto epoch = [&](epoch_number e, epoch_number base, bool whole, std::int64_t value) {
    x.rows(0, 0, {value});
    x.barrier(0, 0, e);
    x.settle();
    x.task->begin_checkpoint(e, base, whole);
    x.settle();
    return taken(x);
  };
  BOOST_TEST(text(epoch(1, 0, false, 1).state) == "g1=1");
  auto made = epoch(2, 1, false, 2);
  BOOST_TEST(text(made.state) == "g2=2");
  BOOST_TEST(text(made.sinks) == "2:1");
  made = epoch(3, 2, true, 3);
  BOOST_TEST(text(made.state) == "-g0 -g1 -g2 -g3 -g4 -g5 -g6 -g7 -g65535 g1=1 g2=2 g3=3");
  BOOST_TEST(text(made.sinks) == "3:1");
  // Whole once, not for ever.
  BOOST_TEST(text(epoch(4, 3, false, 4).state) == "g4=4");
}

BOOST_AUTO_TEST_CASE(a_higher_epoch_supersedes_one_under_way) {
  lone_subtask x({.inputs = {2}});
  x.task->begin_checkpoint(5, 0, false);
  x.rows(0, 0, {1});
  x.barrier(0, 0, 5);
  x.rows(0, 0, {2});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "1");
  // The other channel never saw epoch 5.
  x.rows(0, 1, {3});
  x.barrier(0, 1, 6);
  x.rows(0, 1, {100});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "1 3 2");
  x.task->begin_checkpoint(6, 0, false);
  x.barrier(0, 0, 6);
  x.settle();
  BOOST_TEST(text(x.sink->outputs[6]) == "1 3 2");
  BOOST_TEST(x.sink->outputs.count(5) == 0U);
  BOOST_TEST(taken(x).epoch == 6U);
  // Late arrivals of the epoch that was given up.
  x.barrier(0, 1, 5);
  x.task->begin_checkpoint(5, 0, false);
  x.rows(0, 1, {7});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "100 7");
}

BOOST_AUTO_TEST_CASE(changes_of_an_aborted_epoch_go_with_the_next_record) {
  for (const bool frozen : {true, false}) {
    lone_subtask x({.inputs = {1}, .frozen = frozen});
    const auto epoch = [&](epoch_number e, epoch_number base, std::vector<std::int64_t> values) {
      if (!values.empty())
        x.rows(0, 0, values);
      x.barrier(0, 0, e);
      x.task->begin_checkpoint(e, base, false);
      x.settle();
      auto made = taken(x);
      return text(made.state) + " | " + text(made.sinks);
    };
    BOOST_TEST(epoch(1, 0, {1, 2}) == "g1=1 g2=2 | 1:2");
    BOOST_TEST(epoch(2, 1, {2}) == "g2=4 | 2:1");
    BOOST_TEST(epoch(4, 1, {3}) == "g2=4 g3=3 | 2:1 4:1");
    BOOST_TEST(epoch(5, 1, {}) == "g2=4 g3=3 | 2:1 4:1 5:0");
    BOOST_TEST(epoch(9, 5, {1}) == "g1=2 | 9:1");
    BOOST_TEST(epoch(10, 9, {}) == " | 10:0");
  }
}

BOOST_AUTO_TEST_CASE(a_superseded_save_is_given_up) {
  for (const bool frozen : {true, false}) {
    lone_subtask x({.inputs = {1}, .frozen = frozen});
    x.rows(0, 0, {1, 2, 3});
    x.barrier(0, 0, 1);
    x.task->begin_checkpoint(1, 0, false);
    while (x.sums->saves < 2)
      BOOST_TEST((*x.task->work(1) == work_state::ready));
    BOOST_TEST(!x.task->take_snapshot());
    x.rows(0, 0, {9});
    x.barrier(0, 0, 2);
    x.task->begin_checkpoint(2, 0, false);
    x.settle();
    const auto made = taken(x);
    BOOST_TEST(made.epoch == 2U);
    BOOST_TEST(text(made.state) == "g1=10 g2=2 g3=3");
    BOOST_TEST(text(made.sinks) == "1:3 2:1");
  }
}

BOOST_AUTO_TEST_CASE(what_is_frozen_is_the_state_at_the_barrier) {
  lone_subtask x({.inputs = {1}});
  x.rows(0, 0, {1, 2, 3});
  x.barrier(0, 0, 1);
  for (int i = 0; i < 20; ++i)
    x.rows(0, 0, {1, 2, 3});
  x.task->begin_checkpoint(1, 0, false);
  x.settle();
  BOOST_TEST(text(taken(x).state) == "g1=1 g2=2 g3=3");
  BOOST_TEST(x.sums->sums[3].sum == 63);
}

BOOST_AUTO_TEST_CASE(sources_and_channels_of_one_subtask_are_cut_together) {
  lone_subtask x({.source_rows = 3, .source_ends = false, .inputs = {1}});
  BOOST_TEST((x.settle() == work_state::waiting));
  BOOST_TEST(text(x.sink->open) == "0 1 2");
  x.task->begin_checkpoint(1, 0, false);
  x.rows(0, 0, {10});
  x.settle();
  // The source may not go on while the channel's barrier is missing.
  BOOST_TEST(text(x.sink->open) == "0 1 2 10");
  BOOST_TEST(!x.task->take_snapshot());
  x.barrier(0, 0, 1);
  x.rows(0, 0, {11});
  x.settle();
  const auto made = taken(x);
  BOOST_TEST(made.sources[0].positions[0].bytes == "3");
  BOOST_TEST(text(made.sinks) == "1:4");
  BOOST_TEST(text(x.sink->open) == "11");
}

BOOST_AUTO_TEST_CASE(a_waiting_source_is_not_read_between_the_request_and_the_cut) {
  lone_subtask x({.source_rows = 50, .source_ends = true, .inputs = {1}});
  x.task->begin_checkpoint(1, 0, false);
  BOOST_TEST((x.settle() == work_state::waiting));
  BOOST_TEST(x.sink->open.empty());
  x.end(0, 0);
  x.settle();
  BOOST_TEST(taken(x).sources[0].positions[0].bytes == "0");
  BOOST_TEST(x.sink->open.size() == 50U);
}

BOOST_AUTO_TEST_CASE(closed_channels_hold_no_epoch_up) {
  lone_subtask x({.inputs = {2}});
  x.rows(0, 0, {1});
  x.end(0, 0);
  x.settle();
  x.task->begin_checkpoint(1, 0, false);
  x.rows(0, 1, {2});
  x.settle();
  BOOST_TEST(!x.task->take_snapshot());
  x.end(0, 1);
  BOOST_TEST((x.settle() == work_state::drained));
  BOOST_TEST(text(taken(x).sinks) == "1:2");
}

BOOST_AUTO_TEST_CASE(drained_until_concluded) {
  lone_subtask x({.source_rows = 3, .output = true, .seal_delay = 2});
  BOOST_TEST((x.settle() == work_state::drained));
  BOOST_TEST((x.settle() == work_state::drained));
  BOOST_TEST(!x.sink->finished);
  x.task->flush_idle();
  BOOST_TEST(x.sent() == "3 w e");
  x.task->begin_checkpoint(1, 0, false);
  x.settle();
  BOOST_TEST(!x.task->take_snapshot());
  x.wakes = 2;
  BOOST_TEST((x.settle() == work_state::drained));
  const auto made = taken(x);
  BOOST_TEST(made.sources[0].positions[0].finished);
  BOOST_TEST(made.sources[0].ended);
  BOOST_TEST(text(made.sinks) == "1:3");
  // Its edge is closed: no barrier there.
  BOOST_TEST(x.sent() == "");
  x.task->conclude();
  BOOST_TEST((x.settle() == work_state::finished));
  BOOST_TEST(x.sink->finished);
  BOOST_TEST(!x.task->cut());
}

BOOST_AUTO_TEST_CASE(an_interrupted_source_is_not_finished) {
  lone_subtask x({.source_rows = 3, .source_ends = false, .output = true});
  x.settle();
  x.task->interrupt();
  BOOST_TEST((x.settle() == work_state::drained));
  BOOST_TEST(x.sent() == "3 s");
  x.task->begin_checkpoint(1, 0, false);
  x.settle();
  const auto made = taken(x);
  BOOST_TEST(!made.sources[0].positions[0].finished);
  BOOST_TEST(!made.sources[0].ended);
  BOOST_TEST(made.sources[0].positions[0].bytes == "3");
  x.task->conclude();
  BOOST_TEST((x.settle() == work_state::finished));
  BOOST_TEST(x.task->cut());
}

BOOST_AUTO_TEST_CASE(a_seal_that_takes_long_holds_the_next_cut_but_no_rows) {
  lone_subtask x({.inputs = {1}, .seal_delay = 1});
  x.rows(0, 0, {1});
  x.barrier(0, 0, 1);
  x.rows(0, 0, {2});
  x.task->begin_checkpoint(1, 0, false);
  x.settle();
  BOOST_TEST(text(x.sink->open) == "2");
  BOOST_TEST(!x.task->take_snapshot());
  x.barrier(0, 0, 2);
  x.task->begin_checkpoint(2, 0, false);
  x.settle();
  BOOST_TEST(x.sink->outputs.count(2) == 0U);
  x.wakes = 2;
  x.settle();
  const auto made = taken(x);
  BOOST_TEST(made.epoch == 2U);
  BOOST_TEST(text(made.sinks) == "1:1 2:1");
}

BOOST_AUTO_TEST_CASE(a_blocked_channel_holds_the_barrier_back) {
  lone_subtask x({.inputs = {1}, .output = true, .window = 64});
  for (int i = 0; i < 4; ++i)
    x.rows(0, 0, {1, 2, 3, 4, 5, 6, 7});
  x.barrier(0, 0, 1);
  x.task->begin_checkpoint(1, 0, false);
  std::string sent;
  std::vector<outgoing_item> items;
  std::uint32_t rows = 0;
  bool cut = false;
  for (int i = 0; i < 100; ++i) {
    x.settle();
    x.task->take_outgoing(items);
    std::size_t bytes = 0;
    for (const auto& item : items) {
      bytes += item.item.bytes;
      if (item.item.what == channel_signal::batch) {
        BOOST_TEST(!cut);
        rows += item.item.rows->rows;
      }
      if (item.item.what == channel_signal::barrier) {
        BOOST_TEST(rows == 28U);
        cut = true;
      }
    }
    items.clear();
    if (bytes != 0)
      x.task->credit(0, 0, bytes);
    else
      x.task->flush_idle();
  }
  BOOST_TEST(cut);
}

BOOST_AUTO_TEST_CASE(loads_and_goes_on_from_the_restored_epoch) {
  lone_subtask first({.source_rows = 20, .source_ends = false, .inputs = {1}});
  first.settle();
  first.task->receive(0, 0, channel_item::of(channel_signal::watermark, 7));
  first.barrier(0, 0, 4);
  first.task->begin_checkpoint(4, 0, false);
  first.settle();
  const auto made = taken(first);

  lone_subtask second({.source_rows = 24, .source_next = 20, .source_ends = false, .inputs = {1}});
  for (std::size_t i = 0; i < made.state.size(); ++i) {
    const auto e = made.state.at(i);
    BOOST_REQUIRE(static_cast<bool>(second.task->load(e)));
  }
  second.task->resume(4, nullptr);
  second.settle();
  // The sign to go on comes before everything else.
  BOOST_REQUIRE(!second.sums->watermarks.empty());
  BOOST_TEST(second.sums->watermarks.front() == min_time);
  BOOST_TEST(second.sums->sums[3].sum == 3 + 11 + 19);
  BOOST_TEST(second.sums->sums[4].sum == 4 + 12 + 20);
  // Only what changed since is saved.
  second.barrier(0, 0, 9);
  second.task->begin_checkpoint(9, 4, false);
  second.settle();
  const auto next = taken(second);
  BOOST_TEST(text(next.state) == "g4=36 g5=39 g6=42 g7=45");
  BOOST_TEST(next.sources[0].positions[0].bytes == "24");

  lone_subtask third({.inputs = {1}});
  const auto unknown = state_number(3, 2);
  BOOST_TEST(!third.task->load({state_chunk::kind::put, 0, unknown, "sum", "1"}));
  // An operator that the stream no longer has.
  BOOST_TEST(bool(third.task->load({state_chunk::kind::put, 0, state_number(4, 1), "sum", "1"})));
}

BOOST_AUTO_TEST_SUITE_END()
