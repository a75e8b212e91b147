/// Sources that can be read again from any position, and write-ahead sinks, in memory.
#pragma once

#include "actors/runtime/connector.hpp"
#include "tools/simulation/input.hpp"
#include "tools/simulation/memory_disk.hpp"

#include <memory>
#include <string>

namespace ebb::sim {

/// What the connectors of one process share.
struct connector_world {
  memory_disk* disk = nullptr;
  std::shared_ptr<process> by;
  const source_input* a = nullptr;
  const source_input* b = nullptr;
  trace* log = nullptr;
};

class memory_connectors final : public connector_factory {
public:
  explicit memory_connectors(connector_world world) : world_(std::move(world)) {}

  result<std::uint32_t> partitions(const source_definition& source, const std::string&) override {
    return static_cast<std::uint32_t>(input_of(source.name).rows.size());
  }

  result<std::unique_ptr<source_reader>> open_source(const source_definition& source,
                                                     connector_context context) override;
  result<std::unique_ptr<sink_writer>> open_sink(const sink_definition& sink, const schema& columns,
                                                 connector_context context) override;

  result<void> apply_output(const sink_definition& sink, const std::string&,
                            const sealed_output& output) override {
    return world_.disk->apply_output(*world_.by, sink.name, output);
  }

private:
  [[nodiscard]] const source_input& input_of(const std::string& source) const {
    return source == "a" ? *world_.a : *world_.b;
  }

  connector_world world_;
};

} // namespace ebb::sim
