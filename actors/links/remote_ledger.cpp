#include "actors/links/remote_ledger.hpp"

#include <utility>

namespace ebb {

namespace {

template <class T>
std::vector<T> all_of(std::span<const T> x) {
  return {x.begin(), x.end()};
}

} // namespace

remote_ledger::remote_ledger(std::shared_ptr<link_calls> calls, stream_placement from,
                             std::chrono::milliseconds patience)
    : calls_(std::move(calls), std::move(from), patience) {}

result<void> remote_ledger::act(call_operation operation) {
  EBB_TRY(calls_.get<std::monostate>(std::move(operation)));
  return {};
}

result<stream_entry> remote_ledger::open_or_create(const stream_entry& wanted) {
  return calls_.get<stream_entry>(ledger_open_or_create{wanted});
}

result<std::optional<stream_entry>> remote_ledger::find_stream(std::string_view name) {
  return calls_.get<std::optional<stream_entry>>(ledger_find_stream{std::string(name)});
}

result<void> remote_ledger::update_stream(const stream_entry& changed, std::uint64_t generation) {
  return act(ledger_update_stream{changed, generation});
}

result<void> remote_ledger::delete_stream(std::string_view name) {
  return act(ledger_delete_stream{std::string(name)});
}

result<void> remote_ledger::forget_stream(std::string_view uid) {
  return act(ledger_forget_stream{std::string(uid)});
}

result<std::uint64_t> remote_ledger::begin_generation(std::string_view uid) {
  return calls_.get<std::uint64_t>(ledger_begin_generation{std::string(uid)});
}

result<std::uint64_t> remote_ledger::reserve_epochs(std::string_view uid, std::uint64_t generation,
                                                    std::uint64_t count) {
  return calls_.get<std::uint64_t>(ledger_reserve_epochs{std::string(uid), generation, count});
}

result<void> remote_ledger::commit(const commit_request& request) {
  return act(
      ledger_commit{request.record, request.generation, request.savepoints, request.retained});
}

result<std::vector<checkpoint_record>> remote_ledger::records(std::string_view uid) {
  return calls_.get<std::vector<checkpoint_record>>(ledger_records{std::string(uid)});
}

result<std::optional<checkpoint_record>> remote_ledger::newest_record(std::string_view uid) {
  return calls_.get<std::optional<checkpoint_record>>(ledger_newest_record{std::string(uid)});
}

result<void> remote_ledger::rewind(const checkpoint_record& record, std::uint64_t generation,
                                   std::span<const sink_token> tokens) {
  return act(ledger_rewind{record, generation, all_of(tokens)});
}

result<std::vector<savepoint_entry>> remote_ledger::savepoints(std::string_view uid) {
  return calls_.get<std::vector<savepoint_entry>>(ledger_savepoints{std::string(uid)});
}

result<std::optional<savepoint_entry>> remote_ledger::savepoint(std::string_view uid,
                                                                std::string_view name) {
  return calls_.get<std::optional<savepoint_entry>>(
      ledger_savepoint{std::string(uid), std::string(name)});
}

result<void> remote_ledger::set_tokens(std::string_view uid, std::uint64_t generation,
                                       std::span<const sink_token> tokens) {
  return act(ledger_set_tokens{std::string(uid), generation, all_of(tokens)});
}

result<std::vector<sink_token>> remote_ledger::tokens(std::string_view uid) {
  return calls_.get<std::vector<sink_token>>(ledger_tokens{std::string(uid)});
}

result<std::vector<std::string>> remote_ledger::garbage(std::string_view uid,
                                                        std::span<const std::string> present) {
  return calls_.get<std::vector<std::string>>(ledger_garbage{std::string(uid), all_of(present)});
}

} // namespace ebb
