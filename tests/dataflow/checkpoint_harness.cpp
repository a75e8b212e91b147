#include "tests/dataflow/checkpoint_harness.hpp"

#include "actors/dataflow/exchange.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/row_pack.hpp"
#include "actors/dataflow/value_text.hpp"
#include "tests/support/row_text.hpp"

#include <algorithm>
#include <deque>
#include <optional>

namespace ebb::test {

namespace {

constexpr std::uint16_t key_groups = 16;
constexpr std::uint32_t parallelisms[] = {1, 2, 3, 5};
constexpr std::size_t marks_before_whole = 15;

std::string row_text(const batch& x, std::uint32_t i) {
  std::string text;
  if (x.weights && x.weights.as<const std::int32_t>()[i] != 1)
    text = std::to_string(x.weights.as<const std::int32_t>()[i]);
  for (const auto& c : x.columns) {
    text += ' ';
    test::append_cell(c, i, text);
  }
  return text;
}

struct gatherer final : output {
  explicit gatherer(std::vector<std::string>& to) : rows(to) {}

  void emit(batch_ptr x) override {
    for (std::uint32_t i = 0; i < x->rows; ++i)
      rows.push_back(row_text(*x, i));
  }

  void advance(micros time) override {
    watermark = std::max(watermark, time);
  }

  void idle() override {}

  std::vector<std::string>& rows;
  micros watermark = min_time;
};

/// Restored entries of one instance that are loaded when they are wished for.
class cold_entries final : public state_wishes {
public:
  cold_entries(stream_operator& op, kept_state::entries entries)
      : op_(op), entries_(std::move(entries)) {}

  [[nodiscard]] const kept_state::entries& all() const noexcept {
    return entries_;
  }

  /// Entries that are loaded and say which rows are gone of blocks that are not.
  [[nodiscard]] kept_state::entries early_notes() const {
    auto notes = notes_;
    std::erase_if(notes, [this](const auto& x) {
      const auto& [group, state, key] = x.first;
      const auto block = key.substr(0, sizeof(std::uint64_t));
      return !entries_.contains(
          {group, static_cast<std::uint16_t>(state - gone_states + row_states), block});
    });
    return notes;
  }

  [[nodiscard]] bool loaded(std::uint16_t key_group) const override {
    const auto first = entries_.lower_bound({key_group, 0, {}});
    return first == entries_.end() || std::get<0>(first->first) != key_group;
  }

  void wish(std::uint16_t key_group, std::uint16_t state, std::string_view key) override {
    const auto found = entries_.find({key_group, state, std::string(key)});
    if (found != entries_.end())
      load(found, std::next(found));
  }

  void wish_below(std::uint16_t key_group, std::uint16_t state, std::string_view to) override {
    const auto end = static_cast<std::uint16_t>(to.empty() ? state + 1 : state);
    load(entries_.lower_bound({key_group, state, {}}),
         entries_.lower_bound({key_group, end, std::string(to)}));
  }

  void wish_all() override {
    load(entries_.begin(), entries_.end());
  }

  /// Any entry; `in_order`: the first of its key group.
  void load_one(std::size_t at, bool in_order) {
    auto x = std::next(entries_.cbegin(), static_cast<std::ptrdiff_t>(at));
    if (in_order)
      x = entries_.lower_bound({std::get<0>(x->first), 0, {}});
    load(x, std::next(x));
  }

private:
  void load(kept_state::entries::const_iterator first, kept_state::entries::const_iterator last) {
    if (first == last)
      return;
    for (auto x = first; x != last; ++x) {
      const auto loaded =
          op_.load(std::get<0>(x->first), std::get<1>(x->first), std::get<2>(x->first), x->second);
      BOOST_REQUIRE_MESSAGE(bool(loaded), (loaded ? std::string() : loaded.error().message));
      if (says_what_is_gone(std::get<1>(x->first)))
        notes_.insert(*x);
    }
    entries_.erase(first, last);
    if (entries_.empty())
      op_.all_loaded();
  }

  stream_operator& op_;
  kept_state::entries entries_;
  kept_state::entries notes_; ///< loaded ones that say what is gone
};

/// All instances at one parallelism.
class instances {
public:
  instances(const checkpoint_case& x, std::uint32_t count, std::vector<std::string>& rows,
            std::mt19937_64& random)
      : case_(x), random_(random) {
    for (std::uint32_t i = 0; i < count; ++i) {
      operator_context context{x.name, x.inputs, key_groups, i, count};
      ops.push_back(x.make(std::move(context)));
      outs.emplace_back(rows);
    }
  }

  /// Steps an instance's item, or goes on with the last one; false = it is done.
  bool step(std::size_t i, stream_item* item) {
    if (i < cold.size() && !cold[i].all().empty()) {
      if (item != nullptr)
        ops[i]->wish(*item, cold[i]);
      if (random_() % 4 == 0 && !cold[i].all().empty())
        cold[i].load_one(random_() % cold[i].all().size(), case_.by_group);
    }
    step_budget budget{static_cast<std::uint32_t>(1 + random_() % 40)};
    auto more = ops[i]->step(item, budget, outs[i]);
    BOOST_REQUIRE_MESSAGE(bool(more), (more ? std::string() : more.error().message));
    return *more;
  }

  void finish(std::size_t i, stream_item* item) {
    for (std::size_t steps = 0; step(i, item); ++steps, item = nullptr)
      BOOST_REQUIRE_LT(steps, 1'000'000U);
  }

  void feed_rows(const scripted_item& x) {
    const auto shares = split(x);
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (shares[i].empty())
        continue;
      auto item = rows_item(
          x.input, std::make_shared<batch>(gather(*x.rows, shares[i].data(),
                                                  static_cast<std::uint32_t>(shares[i].size()))));
      finish(i, &item);
    }
  }

  [[nodiscard]] micros watermark() const {
    micros least = max_time;
    for (const auto& out : outs)
      least = std::min(least, out.watermark);
    return least;
  }

  std::vector<std::unique_ptr<stream_operator>> ops;
  std::vector<gatherer> outs;
  std::deque<cold_entries> cold; ///< by instance, after a restart

private:
  std::vector<std::vector<std::uint32_t>> split(const scripted_item& x) {
    const auto count = static_cast<std::uint32_t>(ops.size());
    std::vector<std::vector<std::uint32_t>> shares(count);
    std::vector<std::uint64_t> hashes(x.rows->rows);
    if (case_.routes[x.input] == route::hash) {
      std::vector<const column*> keys;
      for (const auto k : case_.route_keys[x.input])
        keys.push_back(&x.rows->columns[k]);
      hash_keys(keys, x.rows->rows, hashes.data());
    }
    for (std::uint32_t row = 0; row < x.rows->rows; ++row) {
      if (case_.routes[x.input] == route::everywhere) {
        for (auto& share : shares)
          share.push_back(row);
        continue;
      }
      const auto target =
          case_.routes[x.input] == route::hash
              ? target_of_group(key_group_of(hashes[row], key_groups), count, key_groups)
              : static_cast<std::uint32_t>(random_() % count);
      shares[target].push_back(row);
    }
    return shares;
  }

  const checkpoint_case& case_;
  std::mt19937_64& random_;
};

/// Where the input stands, and what had come out.
struct position {
  std::size_t next = 0; ///< item of the script
  std::size_t rows = 0;
  micros promised = min_time; ///< watermark that had come out
};

class run {
public:
  run(const checkpoint_case& x, std::uint64_t seed) : case_(x), random_(seed) {
    start(parallelisms[random_() % 4]);
  }

  std::vector<std::string> play() {
    while (next_ < case_.script.size()) {
      say_again();
      const auto& x = case_.script[next_++];
      if (x.rows) {
        now_->feed_rows(x);
        if (random_() % 4 == 0)
          cut();
      } else {
        advance(x.input, x.time);
      }
      slices(random_() % 3);
      if (random_() % 12 == 0)
        fail();
    }
    return rows_;
  }

  std::size_t restarts = 0;
  std::size_t cuts_in_fire = 0;

private:
  void start(std::uint32_t count) {
    now_ = std::make_unique<instances>(case_, count, rows_, random_);
    base_.assign(count, 0);
    saves_.clear();
    marks_after_base_ = 0;
  }

  // A watermark goes to all; sometimes the cut lies in the middle of what it sets off.
  void advance(std::uint32_t input, micros time) {
    const auto count = now_->ops.size();
    std::vector<bool> more(count, true);
    const bool cuts = random_() % 2 == 0;
    for (std::size_t i = 0; i < count; ++i) {
      auto item = watermark_item(input, time);
      const auto steps = cuts ? 1 + random_() % 6 : 1'000'000;
      for (std::size_t s = 0; s < steps && more[i]; ++s)
        more[i] = now_->step(i, s == 0 ? &item : nullptr);
    }
    if (cuts) {
      cuts_in_fire += static_cast<std::size_t>(std::count(more.begin(), more.end(), true));
      cut();
    }
    for (std::size_t i = 0; i < count; ++i)
      while (more[i]) {
        slices(random_() % 2);
        more[i] = now_->step(i, nullptr);
      }
  }

  void cut() {
    if (open_ && random_() % 3 != 0)
      slices(SIZE_MAX); // else the unfinished save is given up
    open_ = true;
    saves_.clear();
    cut_at_ = {next_, rows_.size(), now_->watermark()};
    const bool whole = !kept_ || marks_after_base_ >= marks_before_whole;
    ++marks_after_base_;
    marks_.clear();
    expected_.clear();
    for (std::size_t i = 0; i < now_->ops.size(); ++i) {
      auto& op = *now_->ops[i];
      if (whole && i < now_->cold.size())
        now_->cold[i].wish_all();
      marks_.push_back(op.mark());
      check_full(i);
      save_of_one save;
      if (whole)
        for (const auto group : groups_of(i))
          for (std::uint16_t state = 0; state < 16; ++state) {
            save.list.select_group(group);
            save.list.erase_prefix(state, {});
          }
      const auto since = whole ? 0 : base_[i];
      if (op.saves_frozen()) {
        op.begin_save(since);
      } else {
        for (const auto group : groups_of(i)) {
          save.list.select_group(group);
          op.save(group, since, save.list);
        }
        save.done = true;
      }
      saves_.push_back(std::move(save));
    }
    settle();
  }

  [[nodiscard]] std::vector<std::uint16_t> groups_of(std::size_t i) const {
    std::vector<std::uint16_t> groups;
    const auto count = static_cast<std::uint32_t>(now_->ops.size());
    for (std::uint16_t g = 0; g < key_groups; ++g)
      if (target_of_group(g, count, key_groups) == i)
        groups.push_back(g);
    groups.push_back(unkeyed_group);
    return groups;
  }

  // What all deltas must add up to.
  void check_full(std::size_t i) {
    for (const auto group : groups_of(i)) {
      change_list list(group);
      now_->ops[i]->save(group, 0, list);
      for (auto& x : list.changes) {
        BOOST_REQUIRE(x.what == kept_state::change::kind::put);
        BOOST_REQUIRE(expected_.emplace(x.at, std::move(x.value)).second);
      }
    }
    if (i < now_->cold.size())
      for (const auto& part : {now_->cold[i].all(), now_->cold[i].early_notes()})
        for (const auto& x : part)
          BOOST_REQUIRE(expected_.insert(x).second);
  }

  // Some slices of a frozen save.
  void slices(std::size_t most) {
    if (!open_)
      return;
    for (std::size_t i = 0; i < saves_.size(); ++i)
      for (std::size_t s = 0; s < most && !saves_[i].done; ++s)
        saves_[i].done = !now_->ops[i]->save_slice(static_cast<std::uint32_t>(1 + random_() % 30),
                                                   saves_[i].list);
    settle();
  }

  // Once all have answered: kept, or thrown away.
  void settle() {
    if (!std::all_of(saves_.begin(), saves_.end(), [](const auto& x) { return x.done; }))
      return;
    open_ = false;
    if (random_() % 4 == 0)
      return;
    std::vector<std::vector<kept_state::change>> deltas;
    for (auto& x : saves_)
      deltas.push_back(std::move(x.list.changes));
    state_.apply(deltas);
    const auto kept = in_rows(state_.all());
    const auto expected = in_rows(expected_);
    BOOST_REQUIRE_EQUAL(kept.size(), expected.size());
    BOOST_REQUIRE(kept == expected);
    base_ = marks_;
    marks_after_base_ = 0;
    kept_ = cut_at_;
  }

  void load(std::size_t i, const std::vector<std::uint16_t>& groups) {
    const auto& op = *now_->ops[i];
    kept_state::entries rest;
    const bool all = random_() % 2 == 0;
    for (const auto& [at, value] : state_.all()) {
      if (std::find(groups.begin(), groups.end(), std::get<0>(at)) == groups.end())
        continue;
      if (!all && op.loads_late() && std::get<0>(at) != unkeyed_group
          && !op.loads_first(std::get<1>(at))) {
        rest.emplace(at, value);
        continue;
      }
      const auto loaded =
          now_->ops[i]->load(std::get<0>(at), std::get<1>(at), std::get<2>(at), value);
      BOOST_REQUIRE_MESSAGE(bool(loaded), (loaded ? std::string() : loaded.error().message));
    }
    if (groups.front() == unkeyed_group)
      return;
    if (rest.empty())
      now_->ops[i]->all_loaded();
    now_->cold.emplace_back(*now_->ops[i], std::move(rest));
  }

  void fail() {
    if (!kept_)
      return;
    ++restarts;
    open_ = false;
    if (case_.optional_state && random_() % 4 == 0)
      state_.forget(*case_.optional_state);
    rows_.resize(kept_->rows);
    next_ = kept_->next;
    start(parallelisms[random_() % 4]);
    for (std::size_t i = 0; i < now_->ops.size(); ++i) {
      auto own = groups_of(i);
      load(i, {unkeyed_group});
      own.pop_back();
      const bool late = case_.loads_late && random_() % 2 == 0;
      if (!late)
        load(i, own);
      base_[i] = now_->ops[i]->mark();
      if (late)
        load(i, own);
    }
    const auto promised = kept_->promised;
    advance(0, min_time);
    // What it had promised is said again at once, by those that remember a watermark.
    if (now_->watermark() != min_time) {
      BOOST_TEST(now_->watermark() >= promised);
      if (case_.inputs.size() == 1)
        BOOST_TEST(now_->watermark() == promised_until(next_));
    }
    // Its inputs say theirs again, sooner or later.
    to_say_.clear();
    for (std::uint32_t input = 0; input < case_.inputs.size(); ++input)
      if (const auto time = told_until(next_, input); time != min_time)
        to_say_.push_back(watermark_item(input, time));
  }

  // One input's sooner or later; several at once, since which rows are late depends on all.
  void say_again() {
    if (to_say_.empty() || (case_.inputs.size() == 1 && random_() % 2 == 0))
      return;
    for (std::size_t i = 0; i < now_->ops.size(); ++i) {
      auto item = to_say_.back();
      now_->finish(i, &item);
    }
    to_say_.pop_back();
    say_again();
  }

  [[nodiscard]] micros told_until(std::size_t next, std::uint32_t input) const {
    micros time = min_time;
    for (std::size_t k = 0; k < next; ++k)
      if (!case_.script[k].rows && case_.script[k].input == input)
        time = case_.script[k].time;
    return time;
  }

  [[nodiscard]] micros promised_until(std::size_t next) const {
    std::vector<std::string> rows;
    std::mt19937_64 random(1);
    instances all(case_, 1, rows, random);
    for (std::size_t k = 0; k < next; ++k) {
      const auto& x = case_.script[k];
      if (x.rows) {
        all.feed_rows(x);
      } else {
        auto item = watermark_item(x.input, x.time);
        all.finish(0, &item);
      }
    }
    return all.watermark();
  }

  struct save_of_one {
    change_list list;
    bool done = false;
  };

  const checkpoint_case& case_;
  std::mt19937_64 random_;
  std::vector<std::string> rows_;
  std::unique_ptr<instances> now_;
  std::size_t next_ = 0;
  kept_state state_;
  std::optional<position> kept_;
  std::vector<stream_item> to_say_; ///< watermarks of before the restart
  std::vector<change_mark> base_;   ///< marks of the save that was kept last
  std::size_t marks_after_base_ = 0;
  bool open_ = false; ///< a save is under way
  position cut_at_;
  std::vector<change_mark> marks_;
  std::vector<save_of_one> saves_;
  kept_state::entries expected_;
};

} // namespace

void kept_state::apply(const std::vector<std::vector<change>>& deltas) {
  for (const auto& delta : deltas)
    for (const auto& x : delta)
      if (x.what == change::kind::erase_prefix)
        std::erase_if(entries_, [&](const auto& entry) {
          return std::get<0>(entry.first) == std::get<0>(x.at)
                 && std::get<1>(entry.first) == std::get<1>(x.at)
                 && std::get<2>(entry.first).starts_with(std::get<2>(x.at));
        });
  for (const auto& delta : deltas)
    for (const auto& x : delta)
      if (x.what == change::kind::put)
        entries_[x.at] = x.value;
      else if (x.what == change::kind::erase)
        entries_.erase(x.at);
}

void change_list::put(std::uint16_t state, std::string_view key, std::string_view value) {
  changes.push_back(
      {kept_state::change::kind::put, {group_, state, std::string(key)}, std::string(value)});
}

void change_list::erase(std::uint16_t state, std::string_view key) {
  changes.push_back({kept_state::change::kind::erase, {group_, state, std::string(key)}, {}});
}

void change_list::erase_prefix(std::uint16_t state, std::string_view prefix) {
  for (const auto& x : changes)
    BOOST_REQUIRE(x.what != kept_state::change::kind::put || std::get<0>(x.at) != group_
                  || std::get<1>(x.at) != state || !std::get<2>(x.at).starts_with(prefix));
  changes.push_back(
      {kept_state::change::kind::erase_prefix, {group_, state, std::string(prefix)}, {}});
}

void check_checkpoints(const checkpoint_case& x, std::uint64_t seed) {
  std::vector<std::string> expected;
  std::mt19937_64 random(seed);
  instances undisturbed(x, 1, expected, random);
  for (const auto& item : x.script) {
    if (item.rows) {
      undisturbed.feed_rows(item);
      continue;
    }
    auto watermark = watermark_item(item.input, item.time);
    undisturbed.finish(0, &watermark);
  }
  run disturbed(x, seed);
  auto rows = disturbed.play();
  std::sort(expected.begin(), expected.end());
  std::sort(rows.begin(), rows.end());
  BOOST_TEST(expected == rows, boost::test_tools::per_element());
  BOOST_TEST_MESSAGE(x.name << ": " << rows.size() << " rows, " << disturbed.restarts
                            << " restarts, " << disturbed.cuts_in_fire << " cuts in a fire");
}

} // namespace ebb::test
