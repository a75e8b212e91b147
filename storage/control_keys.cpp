#include "storage/control_keys.hpp"

#include "storage/control_db.hpp"

namespace ebb {

namespace {

// Big-endian, so that bytes sort as numbers.
template <class T>
void append_number(std::string& to, T value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
    to += static_cast<char>(value >> shift & 0xff);
}

} // namespace

std::string stream_prefix(std::string_view uid) {
  return std::string{uid} + '\0';
}

std::string record_key(std::string_view uid, std::uint64_t epoch) {
  auto key = stream_prefix(uid);
  append_number(key, epoch);
  return key;
}

std::string savepoint_key(std::string_view uid, std::string_view name) {
  return stream_prefix(uid).append(name);
}

std::string token_key(std::string_view uid, std::string_view sink, std::uint32_t lane) {
  auto key = stream_prefix(uid).append(sink) + '\0';
  append_number(key, lane);
  return key;
}

std::string event_prefix(std::string_view uid, std::string_view kind) {
  return stream_prefix(uid).append(kind) + '\0';
}

std::string event_key(std::string_view uid, std::string_view kind, std::uint64_t number) {
  auto key = event_prefix(uid, kind);
  append_number(key, number);
  return key;
}

std::string restore_key(std::string_view uid) {
  return event_prefix({}, "restore").append(uid);
}

std::string given_up_key(std::string_view uid) {
  return event_prefix({}, "given-up").append(uid);
}

std::string given_up_key(std::string_view uid, std::string_view savepoint) {
  return stream_prefix(given_up_key(uid)).append(savepoint);
}

result<void> check_name(std::string_view name, const char* what) {
  if (!name.empty() && name.size() <= control_name_max && name.find('\0') == std::string_view::npos)
    return {};
  return make_error(ec::invalid_argument,
                    std::string(what) + " '" + std::string(name.substr(0, 80))
                        + "' has no allowed length",
                    "use 1 to " + std::to_string(control_name_max) + " characters");
}

result<stream_entry> load_stream(const control_transaction& from, std::string_view uid) {
  EBB_ASSIGN(const auto value, from.get(control_table::streams, uid));
  if (!value)
    return make_error(ec::not_found, "there is no stream with uid " + std::string(uid));
  return decode_stream(*value);
}

result<stream_entry> load_stream(const control_transaction& from, std::string_view uid,
                                 std::uint64_t generation) {
  EBB_ASSIGN(auto entry, load_stream(from, uid));
  if (entry.generation != generation)
    return make_error(ec::conflict,
                      "stream " + entry.name + " is run by generation "
                          + std::to_string(entry.generation) + ", generation "
                          + std::to_string(generation) + " may not write any more",
                      "this process has been replaced by another one: it stops");
  if (entry.life == stream_life::deleted)
    return make_error(ec::conflict, "stream " + entry.name + " has been deleted");
  return entry;
}

result<void> store_stream(control_transaction& to, const stream_entry& entry) {
  return to.put(control_table::streams, entry.uid, encode(entry));
}

result<std::vector<checkpoint_record>> load_records(const control_transaction& from,
                                                    std::string_view uid) {
  return load_entries<checkpoint_record>(from, control_table::records, stream_prefix(uid),
                                         decode_checkpoint);
}

result<std::vector<savepoint_entry>> load_savepoints(const control_transaction& from,
                                                     std::string_view uid) {
  return load_entries<savepoint_entry>(from, control_table::savepoints, stream_prefix(uid),
                                       decode_savepoint);
}

result<std::vector<sink_token>> load_tokens(const control_transaction& from, std::string_view uid) {
  return load_entries<sink_token>(from, control_table::tokens, stream_prefix(uid), decode_token);
}

result<void> erase_all(control_transaction& in, control_table table, std::string_view uid) {
  EBB_ASSIGN(const auto entries, in.scan(table, stream_prefix(uid)));
  std::vector<std::string> keys;
  for (const auto& [key, value] : entries)
    keys.emplace_back(key);
  for (const auto& key : keys)
    EBB_TRY(in.erase(table, key));
  return {};
}

} // namespace ebb
