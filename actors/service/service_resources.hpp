/// The streams and topics of a running control process, for the bridge to a cluster.
#pragma once

#include "actors/runtime/connector.hpp"
#include "actors/service/keeper/keeper_actor.hpp"
#include "actors/service/resource_changes.hpp"
#include "actors/service/resource_desk.hpp"

namespace ebb {

class service_resources final : public resource_desk {
public:
  /// All outlive it. `lane`: of the control database.
  service_resources(resource_changes& changes, control_records& records, topic_registry& topics,
                    io_executor& io, std::uint64_t lane, std::function<micros()> clock,
                    keeper_actor streams);

  void apply(std::string text, std::string name_space, std::string uid,
             std::function<void(result<held_resource>)> done) override;
  void remove(held_resource what, std::function<void(result<void>)> done) override;
  void list(std::function<void(result<std::vector<held_resource>>)> done) override;
  void look(held_resource stream,
            std::function<void(result<std::optional<resource_report>>)> done) override;

private:
  void with_keeper(std::function<void(keeper&)> run) const;
  void remove_stream(const held_resource& what, std::function<void(result<void>)> done);

  resource_changes& changes_;
  control_records& records_;
  topic_registry& topics_;
  io_executor& io_;
  std::uint64_t lane_;
  std::function<micros()> clock_;
  keeper_actor streams_;
};

} // namespace ebb
