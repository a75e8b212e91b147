/// One simulated life of a stream: generations of a process, until its input is worked off.
#pragma once

#include "actors/runtime/prepare_run.hpp"
#include "tools/simulation/memory_connectors.hpp"
#include "tools/simulation/message_tap.hpp"
#include "tools/simulation/virtual_actors.hpp"
#include "tools/simulation/virtual_io.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebb::sim {

/// What a seed came to.
struct life_report {
  std::string violation; ///< empty = all promises were kept
  std::uint64_t generations = 0;
  std::uint64_t restarts = 0; ///< because a message was lost that nobody sends again
  std::uint64_t steps = 0;
  std::uint64_t faults = 0;
  std::uint64_t returns = 0; ///< to a savepoint
  std::uint64_t checkpoints = 0;
  std::uint64_t rows = 0;       ///< of the sinks
  std::uint64_t parts = 0;      ///< of generations, beside the first one of each
  std::uint64_t parts_lost = 0; ///< that died alone
};

class world {
public:
  /// `parts`: the stream is shared by two or three processes.
  world(std::uint64_t seed, bool parts, virtual_actors& actors, stream_shapes& shapes, trace& log);

  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  life_report run();

private:
  /// What one generation holds; kept to the end, since I/O jobs refer to it.
  struct incarnation;
  struct part;
  enum class end : std::uint8_t { again, finished };

  void draw();
  end live();
  end outlive(incarnation& x);
  void step(incarnation& x);
  [[nodiscard]] bool run_message();
  [[nodiscard]] bool run_old_io();
  void move_clock(incarnation& x);
  void tear_down(incarnation& x);
  void go_back();
  // Streams that several processes share (world_parts.cpp).
  [[nodiscard]] bool join_parts(incarnation& x, const planned_stream& planned,
                                const prepared_stream& first, stream_environment environment);
  void start_parts(incarnation& x);
  bool step_parts(incarnation& x);
  void kill_part(incarnation& x, std::size_t number);
  void settle(incarnation& x);
  void check_output();
  void check_sink(std::size_t sink, const std::vector<output_row>& expected);

  dice random_;
  virtual_actors& actors_;
  stream_shapes& shapes_;
  trace& log_;
  memory_disk disk_;
  message_tap tap_;
  fault_rates rates_;
  fault_rates none_;
  std::size_t shape_ = 0;
  source_input a_;
  source_input b_;
  checkpoint_settings settings_;
  std::size_t window_ = 0;
  std::uint32_t slice_ = 1;
  micros cost_ = 1; ///< of a message
  std::uint32_t order_ = 0;
  std::uint32_t interrupts_ = 0;
  std::uint32_t savepoints_ = 0;
  std::uint32_t returns_ = 0; ///< to the savepoint
  std::uint32_t parts_ = 1;
  std::uint32_t part_kills_ = 0; ///< chances in a million, of a step
  micros began_ = 0;
  micros clock_offset_ = 0;
  std::vector<std::unique_ptr<incarnation>> incarnations_;
  life_report report_;
};

} // namespace ebb::sim
