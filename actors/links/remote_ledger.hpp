/// The ledger of the control process, for a stream in a worker.
#pragma once

#include "actors/links/placement_calls.hpp"
#include "storage/stream_ledger.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Each function is a call that blocks: give every stream a `shared_ledger` of its own, or they
/// wait for each other. Errors besides those of the ledger: see `link_calls::call`. ec::conflict,
/// too, where the placement is not the stream's any more. After ec::resource it goes on being of
/// use.
class remote_ledger final : public stream_ledger {
public:
  /// `patience`: how long a call may take, the time without a connection included.
  remote_ledger(std::shared_ptr<link_calls> calls, stream_placement from,
                std::chrono::milliseconds patience = std::chrono::seconds(30));

  result<stream_entry> open_or_create(const stream_entry& wanted) override;
  result<std::optional<stream_entry>> find_stream(std::string_view name) override;
  result<void> update_stream(const stream_entry& changed, std::uint64_t generation) override;
  result<void> delete_stream(std::string_view name) override;
  result<void> forget_stream(std::string_view uid) override;
  result<std::uint64_t> begin_generation(std::string_view uid) override;
  result<std::uint64_t> reserve_epochs(std::string_view uid, std::uint64_t generation,
                                       std::uint64_t count) override;
  result<void> commit(const commit_request& request) override;
  result<std::vector<checkpoint_record>> records(std::string_view uid) override;
  result<std::optional<checkpoint_record>> newest_record(std::string_view uid) override;
  result<void> rewind(const checkpoint_record& record, std::uint64_t generation,
                      std::span<const sink_token> tokens) override;
  result<std::vector<savepoint_entry>> savepoints(std::string_view uid) override;
  result<std::optional<savepoint_entry>> savepoint(std::string_view uid,
                                                   std::string_view name) override;
  result<void> set_tokens(std::string_view uid, std::uint64_t generation,
                          std::span<const sink_token> tokens) override;
  result<std::vector<sink_token>> tokens(std::string_view uid) override;
  result<std::vector<std::string>> garbage(std::string_view uid,
                                           std::span<const std::string> present) override;

private:
  result<void> act(call_operation operation);

  placement_calls calls_;
};

} // namespace ebb
