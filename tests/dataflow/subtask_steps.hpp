/// A subtask whose steps do what the test tells them, for its part in checkpoints.
#pragma once

#include "actors/dataflow/subtask.hpp"
#include "tests/support/scripted.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <optional>
#include <string>

namespace ebb::test::checkpointed {

inline constexpr std::uint16_t groups = 8;

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

inline std::string text(const std::vector<std::int64_t>& values) {
  std::string result;
  for (const auto v : values)
    result += (result.empty() ? "" : " ") + std::to_string(v);
  return result;
}

/// `g1=17 g2=5`, `-g1` for an erased prefix.
inline std::string text(const state_chunk& x) {
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

inline std::string text(const std::vector<sink_snapshot>& x) {
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
inline subtask_snapshot taken(lone_subtask& x) {
  auto made = x.task->take_snapshot();
  BOOST_REQUIRE(made.has_value());
  BOOST_TEST(!x.task->take_snapshot());
  return std::move(*made);
}

} // namespace ebb::test::checkpointed
