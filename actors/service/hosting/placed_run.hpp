/// What a host runs on one order: a stream, or a part of one.
#pragma once

#include "actors/runtime/build_stream.hpp"
#include "actors/runtime/run_stream.hpp"
#include "actors/runtime/topic_access.hpp"
#include "schemas/link_records.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ebb {

/// `open`, `stop` and `close` block and are called by one I/O lane; the others are thread-safe and
/// do not.
class placed_run {
public:
  explicit placed_run(start_stream order) : order_(std::move(order)) {}

  virtual ~placed_run() = default;
  placed_run(const placed_run&) = delete;
  placed_run& operator=(const placed_run&) = delete;

  /// Plans it, restores its state, starts its actors. `concluded` is called from an actor's thread
  /// when they have ended (from this one, where the stream had finished before); not, where the
  /// result is an error. Only part 0 says that it has started. ec::cancelled after `kill`.
  [[nodiscard]] virtual result<std::optional<stream_started>>
  open(const std::function<void()>& concluded) = 0;

  /// How it ended. Its handles go.
  [[nodiscard]] virtual stream_ended close() = 0;

  /// Sources stop, the last checkpoint is made. Part 0 alone can do that.
  virtual void stop() {}

  /// Before `stop`, by any thread: what waits for other workers to begin waits no more.
  virtual void hurry() {}

  /// As if the process had been killed; also while it opens.
  virtual void kill() = 0;

  /// `answer` is called once, or never where the stream ends before.
  virtual void savepoint(const std::string& name,
                         const std::function<void(const result<epoch_number>&)>& answer) const {
    static_cast<void>(name);
    answer(make_error(ec::conflict, "the stream does not run here"));
  }

  [[nodiscard]] virtual hosted_stream name() const = 0;

  /// Nothing while it starts, after its end, and, unless `always`, where nothing has changed since
  /// the last call. It is busy where rows have moved since then. Part 0 speaks for all.
  [[nodiscard]] virtual std::optional<stream_status> change(bool always) {
    static_cast<void>(always);
    return std::nullopt;
  }

  [[nodiscard]] const start_stream& order() const noexcept {
    return order_;
  }

  /// An end that says nothing more.
  [[nodiscard]] stream_ended ended() const {
    stream_ended x;
    x.uid = order_.uid;
    x.placement = order_.placement;
    x.part = order_.part;
    return x;
  }

protected:
  /// What lives until the last of the run's actors has ended.
  struct parts {
    planned_stream planned;
    std::unique_ptr<topic_access> topics;
    std::unique_ptr<connector_factory> connectors;
  };

  /// The order's manifest as a plan.
  [[nodiscard]] result<planned_stream> plan() const;

  const start_stream order_;
};

} // namespace ebb
