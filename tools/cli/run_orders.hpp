/// What persons ask of the streams of a running `ebb run --data`, by its door (control_socket.hpp).
///
/// An order that changes how a stream runs ends the round: all streams make their last checkpoint,
/// the order is carried out, and the next round goes on from there.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/runtime/run_data.hpp"
#include "actors/runtime/run_stream.hpp"
#include "tools/cli/control_socket.hpp"
#include "tools/cli/run_log.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ebb::cli {

/// Of `--sinks`: rewind or keep, else refuse.
[[nodiscard]] past_output output_of(const std::string& text);

/// `handle` from any thread, `note_progress` and `begun` while a round runs; the rest by the thread
/// that runs the rounds, between them.
class run_orders {
public:
  /// `end_round` is what the rounds look at (run_options::interrupted). Without a ledger nothing is
  /// kept, and nobody asks.
  run_orders(std::vector<stream_definition> streams, data_options options,
             std::shared_ptr<shared_ledger> ledger, std::shared_ptr<savepoint_desk> savepoints,
             run_log& log, std::atomic<bool>& end_round);

  void handle(door_request request, const door_answer& answer);

  /// Streams of the next round; none: all sleep or have ended.
  [[nodiscard]] std::vector<stream_definition> next_round() const;
  /// Where they go on; null without a ledger.
  [[nodiscard]] std::shared_ptr<run_data> data_of_round() const;

  /// All of the round is opened and begins: whoever ordered it is told.
  void begun();
  /// It could not begin yet, for this reason, and will be tried again.
  void held_up(const std::string& why);
  void note_progress(const run_progress& progress);
  void ended(const std::vector<stream_report>& reports);
  /// The round could not begin. True: because of orders, which have failed now; try again without
  /// them.
  [[nodiscard]] bool take_back(const error& problem);

  /// Carries out what was ordered, and takes `end_round` back; false: nothing was.
  [[nodiscard]] bool carry_out();
  [[nodiscard]] bool some_sleep() const;
  /// Until there are orders, for so long at most.
  void wait_for_orders(std::chrono::milliseconds at_most);

  /// Of all rounds together, one that has failed included as far as it came.
  [[nodiscard]] std::vector<stream_report> reports() const;

private:
  enum class order_kind : std::uint8_t { sleep, wake, scale, restore };

  struct order {
    order_kind what = order_kind::sleep;
    door_request request;
    door_answer answer;
  };

  struct life {
    stream_definition definition;
    bool asleep = false;
    bool finished = false;
    micros since = 0;
    std::optional<stream_report> before; ///< of earlier rounds
    std::optional<stream_report> now;
    std::optional<data_options> restore; ///< how the next round begins
    std::uint32_t parallelism_before = 0;
  };

  [[nodiscard]] life* find(const std::string& name);
  [[nodiscard]] result<std::optional<std::string>> done_already(const order& x, const life& of);
  [[nodiscard]] result<void> check_savepoint(const order& x, const life& of);
  void carry_out(order x);
  [[nodiscard]] std::string status_of(const life& x) const;

  data_options options_;
  std::shared_ptr<shared_ledger> ledger_;
  std::shared_ptr<savepoint_desk> savepoints_;
  run_log& log_;
  std::atomic<bool>& end_round_;
  mutable std::mutex mutex_;
  std::condition_variable ordered_;
  std::vector<life> streams_;
  std::vector<order> orders_;   ///< for the end of this round
  std::vector<order> starting_; ///< answered when the next one begins
  bool first_ = true;           ///< no round has begun
  std::string held_up_;         ///< why this one has not; empty = it has
};

} // namespace ebb::cli
