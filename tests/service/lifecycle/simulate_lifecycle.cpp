/// simulate_lifecycle --seed N --count M: random worlds; --exhaustive: every interleaving of small
/// ones.
#include "tests/service/lifecycle/exhaustive.hpp"
#include "tests/service/lifecycle/model_world.hpp"
#include "tools/simulation/dice.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace ebb::model {
namespace {

/// Which adverse things happen, and how often: parts of a million.
struct character {
  std::array<std::uint32_t, acts> chances{};
  std::uint32_t time = 0;
  std::uint32_t slow_time = 0;
  std::uint32_t steps = 0;
};

world_settings draw_world(sim::dice& dice) {
  world_settings x;
  x.topics = 1 + static_cast<std::uint32_t>(dice.below(3));
  const auto streams = 1 + dice.below(4);
  for (std::uint64_t i = 0; i < streams; ++i) {
    auto& s = x.streams.emplace_back();
    for (std::uint32_t t = 0; t < x.topics; ++t)
      if (t == i % x.topics || dice.chance(300'000))
        s.topics.push_back(t);
    if (dice.chance(100'000))
      s.finish_at = static_cast<std::int64_t>(1 + dice.below(6));
    auto policy = std::make_shared<lifecycle_policy>();
    policy->idle_after = dice.one_of(
        {micros_per_second / 5, micros_per_second, 10 * micros_per_second, 60 * micros_per_second});
    if (dice.chance(50'000))
      policy->idle_after = max_time;
    else if (dice.chance(50'000))
      policy->cannot_wake = "files";
    policy->awake_min = dice.one_of({micros_per_second / 10, micros_per_second});
    s.policy = std::move(policy);
  }
  x.placement.warm = dice.below(2);
  x.placement.max_workers = 1 + dice.below(4);
  x.queue.starting = 1 + dice.below(3);
  x.queue.waiting = 1 + dice.below(4);
  x.timer_delay = dice.one_of({micros_per_second, 20 * micros_per_second, 90 * micros_per_second});
  return x;
}

character draw_character(sim::dice& dice) {
  character x;
  const auto maybe = [&](act what, std::uint32_t one_in, std::uint32_t chance) {
    if (dice.below(one_in) == 0)
      x.chances[static_cast<std::size_t>(what)] =
          static_cast<std::uint32_t>(1 + dice.below(chance));
  };
  maybe(act::append, 1, 100'000);
  maybe(act::kill_control, 2, 10'000);
  maybe(act::kill_worker, 2, 10'000);
  maybe(act::freeze, 3, 10'000);
  maybe(act::cut_link, 3, 10'000);
  maybe(act::lose_to_worker, 4, 30'000);
  maybe(act::lose_to_control, 4, 30'000);
  maybe(act::fail_job, 3, 100'000);
  maybe(act::fail_run, 4, 10'000);
  maybe(act::spoil_run, 8, 1'000);
  maybe(act::sleep, 3, 10'000);
  maybe(act::wake, 3, 10'000);
  maybe(act::stop, 6, 3'000);
  maybe(act::define, 3, 5'000);
  maybe(act::restore, 4, 5'000);
  maybe(act::remove, 6, 1'000);
  x.time = dice.one_of({10'000U, 50'000U, 200'000U});
  x.slow_time = dice.one_of({0U, 500'000U});
  x.steps = static_cast<std::uint32_t>(200 + dice.below(1200));
  return x;
}

class random_run {
public:
  explicit random_run(std::uint64_t seed)
      : dice_(sim::dice::mixed(seed)), world_(draw_world(dice_)),
        character_(draw_character(dice_)) {}

  void run() {
    for (std::uint32_t i = 0; i < character_.steps; ++i)
      if (!adverse_step() && !(dice_.chance(character_.time) && pass_time()))
        normal_step();
    // The faults are over: everything comes to its end in finite time.
    const auto limit = world_.now() + 6 * 3600 * micros_per_second;
    for (std::uint32_t i = 0; !world_.is_quiet(); ++i) {
      if (i == 200'000 || world_.now() > limit)
        throw violation("it does not come to rest");
      if (!normal_step())
        throw violation("nothing can happen any more");
    }
    world_.check_end();
  }

  std::string tell() const {
    std::string text;
    for (const auto& x : last_)
      text += "  " + to_string(x) + '\n';
    return text + world_.describe();
  }

  std::uint64_t steps() const {
    return steps_;
  }

private:
  void carry_out(const action& x) {
    ++steps_;
    last_.push_back(x);
    if (last_.size() > 80)
      last_.pop_front();
    world_.carry_out(x);
  }

  /// Each kind by its own chance, at any of the places that there are for it.
  bool adverse_step() {
    for (std::size_t kind = 0; kind < acts; ++kind) {
      if (!dice_.chance(character_.chances[kind]))
        continue;
      world_.list_actions(actions_, true);
      std::erase_if(actions_,
                    [&](const action& x) { return static_cast<std::size_t>(x.what) != kind; });
      if (actions_.empty())
        continue;
      carry_out(actions_[dice_.below(actions_.size())]);
      return true;
    }
    return false;
  }

  bool pass_time() {
    if (world_.next_time() == max_time)
      return false;
    const bool slowly = dice_.chance(character_.slow_time);
    carry_out({act::pass_time, 0, slowly ? static_cast<std::uint32_t>(2 + dice_.below(9)) : 0});
    return true;
  }

  bool normal_step() {
    world_.list_actions(actions_, false);
    // Time passes when nothing else is left to do.
    if (actions_.size() > 1)
      std::erase_if(actions_, [](const action& x) { return x.what == act::pass_time; });
    if (actions_.empty())
      return false;
    carry_out(actions_[dice_.below(actions_.size())]);
    return true;
  }

  sim::dice dice_;
  world world_;
  character character_;
  std::vector<action> actions_;
  std::deque<action> last_;
  std::uint64_t steps_ = 0;
};

int run_seeds(std::uint64_t first, std::uint64_t count) {
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t steps = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    random_run one(seed);
    try {
      one.run();
    } catch (const violation& x) {
      std::printf("%sseed %llu: %s\n  again: simulate_lifecycle --seed %llu --count 1\n",
                  one.tell().c_str(), static_cast<unsigned long long>(seed), x.what(),
                  static_cast<unsigned long long>(seed));
      return 1;
    }
    steps += one.steps();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%llu seeds, %llu steps, %.1f s\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(steps), took.count());
  return 0;
}

bool parse(std::string_view text, std::uint64_t& x) {
  return std::from_chars(text.data(), text.data() + text.size(), x).ec == std::errc();
}

} // namespace
} // namespace ebb::model

int main(int argc, char** argv) {
  std::uint64_t seed = 1;
  std::uint64_t count = 1000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--exhaustive") {
      std::string text;
      const bool passed = ebb::model::run_exhaustive(text);
      std::fputs(text.c_str(), stdout);
      return passed ? 0 : 1;
    }
    auto* value = name == "--seed" ? &seed : name == "--count" ? &count : nullptr;
    if (value == nullptr || ++i == argc || !ebb::model::parse(argv[i], *value)) {
      std::fputs("usage: simulate_lifecycle --exhaustive | [--seed N] [--count M]\n", stderr);
      return 2;
    }
  }
  return ebb::model::run_seeds(seed, count);
}
