#include "schemas/assert.hpp"
#include "tools/simulation/memory_connectors.hpp"
#include "tools/simulation/naive_model.hpp"

#include <optional>
#include <utility>

namespace ebb::sim {

namespace {

/// What a sink and its I/O job share.
struct sealing {
  bool done = false;
  std::optional<error> problem;
  std::string name;
};

/// One lane: keeps the rows of an epoch until it is sealed, then makes them durable.
class memory_sink final : public sink_writer {
public:
  memory_sink(connector_world world, std::string name, connector_context context)
      : world_(std::move(world)), name_(std::move(name)), context_(std::move(context)),
        lane_(context_.io->open_lane()) {}

  result<void> write(const batch_ptr& rows) override {
    if (finished_)
      world_.log->violated("a row after the end of " + name_);
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      auto& row = open_.emplace_back();
      for (const auto& column : rows->columns)
        row.push_back(column.is_null(i) ? no_value : column.data<std::int64_t>()[i]);
      if (rows->weights)
        row.push_back(rows->weights.as<const std::int32_t>()[i]);
    }
    counters_.rows += rows->rows;
    return {};
  }

  [[nodiscard]] std::size_t backlog() const override {
    return 0;
  }

  result<void> seal(epoch_number epoch) override {
    if (epoch <= sealed_epoch_)
      world_.log->violated("epoch " + std::to_string(epoch) + " is sealed after "
                           + std::to_string(sealed_epoch_));
    sealed_epoch_ = epoch;
    sealing_ = std::make_shared<sealing>();
    rows_ = open_.size();
    if (open_.empty()) {
      sealing_->done = true;
      return {};
    }
    context_.io->submit(lane_, [state = sealing_, world = world_, name = name_,
                                lane = context_.subtask, wake = context_.wake,
                                rows = kept_output{epoch, std::exchange(open_, {})}]() mutable {
      auto kept = world.disk->keep_output(*world.by, name, lane, std::move(rows));
      if (!kept)
        state->problem = std::move(kept).error();
      else
        state->name = std::move(*kept);
      state->done = true;
      wake();
    });
    return {};
  }

  result<std::optional<sealed_output>> sealed() override {
    if (!sealing_->done)
      return std::optional<sealed_output>{};
    if (sealing_->problem)
      return *sealing_->problem;
    sealed_output x;
    x.lane = context_.subtask;
    x.file = sealing_->name;
    x.rows = rows_;
    x.bytes = rows_ * 8;
    return std::optional(std::move(x));
  }

  result<bool> finish() override {
    if (!open_.empty())
      world_.log->violated("the sink " + name_ + " is concluded with rows of no epoch");
    finished_ = true;
    return true;
  }

  void abandon() override {}

  [[nodiscard]] sink_counters counters() const override {
    return counters_;
  }

private:
  connector_world world_;
  std::string name_;
  connector_context context_;
  std::uint64_t lane_;
  std::vector<output_row> open_;
  std::shared_ptr<sealing> sealing_;
  epoch_number sealed_epoch_ = 0;
  std::uint64_t rows_ = 0; ///< of the epoch sealed last
  sink_counters counters_;
  bool finished_ = false;
};

} // namespace

result<std::unique_ptr<sink_writer>> memory_connectors::open_sink(const sink_definition& sink,
                                                                  const schema&,
                                                                  connector_context context) {
  return std::unique_ptr<sink_writer>(
      std::make_unique<memory_sink>(world_, sink.name, std::move(context)));
}

} // namespace ebb::sim
