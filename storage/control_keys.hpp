/// Keys and entries of the control database's tables.
///
/// streams: uid. names: name of an active or finished stream -> uid. The others begin with the uid
/// and a zero byte; then records: epoch (big-endian), savepoints: name, tokens: sink, zero byte,
/// lane (big-endian). lives, traits: uid. events: uid, zero byte, kind, zero byte, number
/// (big-endian). topics: name of the topic.
#pragma once

#include "schemas/control_codec.hpp"
#include "storage/control_store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// What all keys of a stream's records, savepoints and tokens begin with.
[[nodiscard]] std::string stream_prefix(std::string_view uid);
[[nodiscard]] std::string record_key(std::string_view uid, std::uint64_t epoch);
[[nodiscard]] std::string savepoint_key(std::string_view uid, std::string_view name);
[[nodiscard]] std::string token_key(std::string_view uid, std::string_view sink,
                                    std::uint32_t lane);
[[nodiscard]] std::string event_prefix(std::string_view uid, std::string_view kind);
[[nodiscard]] std::string event_key(std::string_view uid, std::string_view kind,
                                    std::uint64_t number);
/// Among the events of no stream; behind it the uid of the one that is to go back.
[[nodiscard]] std::string restore_key(std::string_view uid);
/// Also there; behind it, after a zero byte, the name of a savepoint whose history was given up.
[[nodiscard]] std::string given_up_key(std::string_view uid);
[[nodiscard]] std::string given_up_key(std::string_view uid, std::string_view savepoint);

/// ec::invalid_argument for a name that is empty, too long, or has a zero byte. `what` names it.
[[nodiscard]] result<void> check_name(std::string_view name, const char* what);

/// ec::not_found where there is none.
[[nodiscard]] result<stream_entry> load_stream(const control_transaction& from,
                                               std::string_view uid);
/// The same, and ec::conflict where its generation is another one.
[[nodiscard]] result<stream_entry> load_stream(const control_transaction& from,
                                               std::string_view uid, std::uint64_t generation);
[[nodiscard]] result<void> store_stream(control_transaction& to, const stream_entry& entry);

/// All of a stream's, in key order.
[[nodiscard]] result<std::vector<checkpoint_record>> load_records(const control_transaction& from,
                                                                  std::string_view uid);
[[nodiscard]] result<std::vector<savepoint_entry>> load_savepoints(const control_transaction& from,
                                                                   std::string_view uid);
[[nodiscard]] result<std::vector<sink_token>> load_tokens(const control_transaction& from,
                                                          std::string_view uid);

/// Entries whose key begins so, in key order.
template <class T, class Decode>
[[nodiscard]] result<std::vector<T>> load_entries(const control_transaction& from,
                                                  control_table table, std::string_view prefix,
                                                  Decode decode) {
  EBB_ASSIGN(const auto entries, from.scan(table, prefix));
  std::vector<T> all;
  all.reserve(entries.size());
  for (const auto& [key, value] : entries) {
    EBB_ASSIGN(auto x, decode(value));
    all.push_back(std::move(x));
  }
  return all;
}

/// The entry with this key, or nothing.
template <class T, class Decode>
[[nodiscard]] result<std::optional<T>> find_entry(const control_transaction& from,
                                                  control_table table, std::string_view key,
                                                  Decode decode) {
  EBB_ASSIGN(const auto value, from.get(table, key));
  if (!value)
    return std::optional<T>{};
  EBB_ASSIGN(auto x, decode(*value));
  return std::optional<T>(std::move(x));
}

/// Erases all of a stream's entries in a table.
[[nodiscard]] result<void> erase_all(control_transaction& in, control_table table,
                                     std::string_view uid);

} // namespace ebb
