/// Keeps the batches that a source makes.
#pragma once

#include "actors/dataflow/operator.hpp"

#include <utility>
#include <vector>

namespace ebb::bench {

class collector final : public output {
public:
  void emit(batch_ptr rows) override {
    batches.push_back(std::move(rows));
  }

  void advance(micros) override {}

  void idle() override {}

  std::vector<batch_ptr> batches;
};

} // namespace ebb::bench
