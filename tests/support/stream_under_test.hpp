/// One scripted stream under the testing scheduler.
#pragma once

#include "actors/runtime/io_pool.hpp"
#include "actors/runtime/stream_run.hpp"
#include "tests/support/deterministic_system.hpp"
#include "tests/support/scripted_stream.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <utility>

namespace ebb::test {

/// Nothing runs before `start` and but by `actors`.
struct stream_under_test {
  explicit stream_under_test(planned_stream what) : stream(std::move(what)) {
    environment.make = passing;
    environment.io = &io;
    environment.clock = [this] { return actors.now(); };
    environment.slice.steps = 2;
  }

  ~stream_under_test() {
    stop();
  }

  stream_under_test(const stream_under_test&) = delete;
  stream_under_test& operator=(const stream_under_test&) = delete;

  void start() {
    auto setup = build_stream(stream.plan, stream.definition, connectors, environment);
    BOOST_REQUIRE(static_cast<bool>(setup));
    run = std::make_unique<stream_run>(actors.system(), stream.plan, stream.definition,
                                       std::move(*setup), nullptr);
  }

  /// Ends the actors. Whoever adds members that scripts refer to calls it before they go.
  void stop() {
    run.reset();
    actors.settle();
  }

  /// The stream has ended without an error.
  [[nodiscard]] bool ended_well() const {
    const auto x = run->outcome();
    return x && !x->problem;
  }

  inline_executor io;
  planned_stream stream;
  scripted_connectors connectors;
  stream_environment environment;
  deterministic_system actors;
  std::unique_ptr<stream_run> run;
};

} // namespace ebb::test
