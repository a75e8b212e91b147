/// Runs any operator with checkpoints, failures and rescaling, and compares with a run that has
/// none.
///
/// A script of items is played to several instances, rows routed as an exchange would. At random
/// points, in the middle of what a watermark sets off too, all are marked and saved; some saves are
/// thrown away; now and then everything is dropped and goes on from the last save that was kept, at
/// another parallelism.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "tests/dataflow/joins_support.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace ebb::test {

enum class route : std::uint8_t { hash, everywhere, anywhere };

struct scripted_item {
  std::uint32_t input = 0;
  batch_ptr rows; ///< null: watermark
  micros time = 0;
};

struct checkpoint_case {
  std::string name;
  std::vector<std::vector<sql_type>> inputs;
  std::vector<route> routes;                          ///< by input
  std::vector<std::vector<std::uint32_t>> route_keys; ///< by input, for hash
  std::function<std::unique_ptr<stream_operator>(operator_context)> make;
  std::vector<scripted_item> script;
  /// Sometimes restored entries with a key group are loaded after the first mark, all before the
  /// first step.
  bool loads_late = false;
  /// Restored entries of a key group that come by themselves come in order.
  bool by_group = false;
  /// A state without which a restart must do: sometimes it is not in what was saved.
  std::optional<std::uint16_t> optional_state = {};
};

/// State as a chain of deltas leaves it, by key group, state and key.
class kept_state {
public:
  using place = std::tuple<std::uint16_t, std::uint16_t, std::string>;
  using entries = std::map<place, std::string>;

  struct change {
    enum class kind : std::uint8_t { put, erase, erase_prefix } what;
    place at;
    std::string value;
  };

  /// One epoch of all instances: prefixes erase what was there before.
  void apply(const std::vector<std::vector<change>>& deltas);

  /// Forgets a state's entries, as if it had never been saved.
  void forget(std::uint16_t state) {
    std::erase_if(entries_, [&](const auto& x) { return std::get<1>(x.first) == state; });
  }

  [[nodiscard]] const entries& all() const noexcept {
    return entries_;
  }

private:
  entries entries_;
};

/// Notes changes; checks that nothing is erased that was put before.
class change_list final : public state_sink {
public:
  explicit change_list(std::uint16_t group = unkeyed_group) : group_(group) {}

  void select_group(std::uint16_t key_group) override {
    group_ = key_group;
  }

  void put(std::uint16_t state, std::string_view key, std::string_view value) override;
  void erase(std::uint16_t state, std::string_view key) override;
  void erase_prefix(std::uint16_t state, std::string_view prefix) override;

  std::vector<kept_state::change> changes;

private:
  std::uint16_t group_;
};

/// Plays the case and fails unless the rows that come out are those of an undisturbed run.
void check_checkpoints(const checkpoint_case& x, std::uint64_t seed);

} // namespace ebb::test
