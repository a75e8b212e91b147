/// Random changes, and what is left of the changes that an operator emits: what the tests of
/// operators with revised results share.
#pragma once

#include "tests/dataflow/checkpoint_harness.hpp"
#include "tests/dataflow/joins_support.hpp"

#include <map>
#include <random>
#include <string>
#include <vector>

namespace ebb::test {

/// Rows with weights.
struct changed_rows {
  std::vector<cells> rows;
  std::vector<std::int32_t> weights;
};

[[nodiscard]] batch_ptr changes_of(const std::vector<sql_type>& types, const changed_rows& x);

/// What one input holds, and random changes of it: rows come, and some that are there go.
class changing_input {
public:
  using make_row = std::function<cells(std::mt19937_64&)>;

  /// `deletes` of 100 changes are deletions.
  changing_input(make_row row, unsigned deletes) : make_row_(std::move(row)), deletes_(deletes) {}

  [[nodiscard]] changed_rows next(std::mt19937_64& random, std::size_t rows);

  [[nodiscard]] const std::vector<cells>& rows() const noexcept {
    return rows_;
  }

private:
  make_row make_row_;
  unsigned deletes_;
  std::vector<cells> rows_;
};

/// Rows as text and how many there are of each.
using row_counts = std::map<std::string, std::int64_t>;

/// The rows as lines, for comparing.
[[nodiscard]] std::vector<std::string> lines(const row_counts& rows);

[[nodiscard]] std::string row_text(const batch& x, std::uint32_t i);

/// Adds up what an operator emits and checks each batch: it is net, deletions come first, nothing
/// is deleted that is not there.
struct change_collector final : output {
  void emit(batch_ptr rows) override;

  void advance(micros) override {}

  void idle() override {}

  row_counts table;
  std::size_t batches = 0;
  std::size_t largest_batch = 0;
};

/// Steps an item to its end.
void feed(stream_operator& op, stream_item item, output& out, std::uint32_t budget = 4096);

/// Marks and saves to nowhere what changed since the mark before; returns the new one.
change_mark save_away(stream_operator& op, change_mark since);

/// A script of changes of all inputs for check_checkpoints.
[[nodiscard]] std::vector<scripted_item>
changing_script(const std::vector<std::vector<sql_type>>& types, std::vector<changing_input> inputs,
                std::mt19937_64& random, std::size_t items, std::size_t rows_max);

} // namespace ebb::test
