#include "storage/control_db.hpp"
#include "storage/control_keys.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace ebb {

namespace {

result<void> add_stream(control_transaction& in, const stream_entry& x) {
  EBB_TRY(check_name(x.name, "stream name"));
  EBB_TRY(check_name(x.uid, "stream uid"));
  EBB_ASSIGN(const auto taken, in.get(control_table::names, x.name));
  if (taken)
    return make_error(ec::conflict, "there is a stream named " + x.name);
  auto entry = x;
  entry.generation = 0;
  entry.next_epoch = 1;
  entry.life = stream_life::active;
  EBB_TRY(in.put(control_table::names, entry.name, entry.uid));
  return store_stream(in, entry);
}

result<void> change_stream(control_transaction& in, const stream_entry& x) {
  EBB_ASSIGN(auto entry, load_stream(in, x.uid));
  if (entry.life == stream_life::deleted)
    return make_error(ec::conflict, "stream " + entry.name + " has been deleted");
  entry.manifest = x.manifest;
  entry.parallelism = x.parallelism;
  entry.revision = x.revision;
  entry.life = x.life;
  return store_stream(in, entry);
}

// The savepoint's name behind one byte.
std::string text_of(const kept_restore& x) {
  return static_cast<char>(x.past_output) + x.savepoint;
}

result<kept_restore> restore_of(std::string_view uid, std::string_view text) {
  if (text.empty())
    return make_error(ec::corrupt, "the wish to restore stream " + std::string(uid) + " is empty");
  return kept_restore{std::string(uid), std::string(text.substr(1)),
                      static_cast<std::uint8_t>(text.front())};
}

result<void> add_event(control_transaction& in, const told_event& x) {
  const auto prefix = event_prefix(x.uid, x.kind);
  EBB_ASSIGN(const auto entries, in.scan(control_table::events, prefix));
  std::uint64_t number = 0;
  std::vector<std::string> old;
  if (!entries.empty()) {
    for (const char c : entries.back().first.substr(prefix.size()))
      number = number << 8 | static_cast<unsigned char>(c);
    ++number;
    for (std::size_t i = 0; i + told_events_kept <= entries.size(); ++i)
      old.emplace_back(entries[i].first);
  }
  for (const auto& key : old)
    EBB_TRY(in.erase(control_table::events, key));
  return in.put(control_table::events, event_key(x.uid, x.kind, number), x.text);
}

result<bool> is_there(const control_transaction& in, std::string_view uid) {
  EBB_ASSIGN(const auto value, in.get(control_table::streams, uid));
  if (!value)
    return false;
  EBB_ASSIGN(const auto entry, decode_stream(*value));
  return entry.life != stream_life::deleted;
}

/// Versions that told of streams which were deleted meanwhile left events of nobody; once a
/// database is enough, since none come any more.
result<void> sweep_events(control_transaction& in) {
  const auto done = event_key({}, "swept", 0);
  EBB_ASSIGN(const auto before, in.get(control_table::events, done));
  if (before)
    return {};
  EBB_ASSIGN(const auto entries, in.scan(control_table::events, {}));
  std::set<std::string, std::less<>> uids;
  for (const auto& [key, value] : entries)
    if (const auto uid = key.substr(0, key.find('\0')); !uid.empty() && !uids.contains(uid))
      uids.emplace(uid);
  for (const auto& uid : uids) {
    EBB_ASSIGN(const auto stream, in.get(control_table::streams, uid));
    if (!stream)
      EBB_TRY(erase_all(in, control_table::events, uid));
  }
  return in.put(control_table::events, done, "1");
}

} // namespace

result<void> control_db::change(const service_changes& changes) {
  EBB_ASSIGN(auto in, write());
  for (const auto& x : changes.deleted_streams)
    EBB_TRY(erase_stream(in, x));
  for (const auto& x : changes.new_streams)
    EBB_TRY(add_stream(in, x));
  for (const auto& x : changes.changed_streams)
    EBB_TRY(change_stream(in, x));
  for (const auto& x : changes.deleted_topics)
    EBB_TRY(in.erase(control_table::topics, x));
  for (const auto& x : changes.topics) {
    EBB_TRY(check_name(x.name, "topic name"));
    EBB_TRY(in.put(control_table::topics, x.name, encode(x)));
  }
  for (const auto& x : changes.lives)
    EBB_TRY(in.put(control_table::lives, x.uid, encode(x)));
  for (const auto& x : changes.traits)
    EBB_TRY(in.put(control_table::traits, x.uid, encode(x)));
  return in.commit("control.apply");
}

result<std::uint64_t> control_db::begin_incarnation(std::uint64_t least) {
  // No stream has an empty uid.
  const auto key = event_key({}, "incarnation", 0);
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(const auto before, in.get(control_table::events, key));
  const auto now =
      std::max<std::uint64_t>((before ? std::stoull(std::string(*before)) : 0) + 1, least);
  EBB_TRY(in.put(control_table::events, key, std::to_string(now)));
  EBB_TRY(sweep_events(in));
  EBB_TRY(in.commit("control.incarnation"));
  return now;
}

result<void> control_db::end_incarnation(std::uint64_t number) {
  EBB_ASSIGN(auto in, write());
  EBB_TRY(in.put(control_table::events, event_key({}, "ended", 0), std::to_string(number)));
  return in.commit("control.end");
}

result<bool> control_db::follows_an_end(std::uint64_t number) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(const auto ended, in.get(control_table::events, event_key({}, "ended", 0)));
  return ended && *ended == std::to_string(number - 1);
}

result<std::vector<topic_entry>> control_db::topics() {
  EBB_ASSIGN(const auto in, store_->begin_read());
  return load_entries<topic_entry>(in, control_table::topics, {}, decode_topic);
}

result<std::optional<topic_entry>> control_db::find_topic(std::string_view name) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  return find_entry<topic_entry>(in, control_table::topics, name, decode_topic);
}

result<std::optional<life_traits>> control_db::find_traits(std::string_view uid) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  return find_entry<life_traits>(in, control_table::traits, uid, decode_traits);
}

result<std::optional<std::string>>
control_db::writer_of_file(const std::function<bool(const std::string&)>& is_it,
                           std::string_view but) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(const auto all,
             load_entries<life_traits>(in, control_table::traits, {}, decode_traits));
  for (const auto& x : all)
    if (x.uid != but && std::any_of(x.files.begin(), x.files.end(), is_it)) {
      EBB_ASSIGN(const auto entry, load_stream(in, x.uid));
      return std::optional(entry.name);
    }
  return std::optional<std::string>{};
}

result<std::vector<std::string>> control_db::users_of_topic(std::string_view uid) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(const auto all,
             load_entries<life_traits>(in, control_table::traits, {}, decode_traits));
  std::vector<std::string> names;
  for (const auto& x : all) {
    const bool uses =
        std::any_of(x.inputs.begin(), x.inputs.end(), [&](const auto& y) { return y.topic == uid; })
        || std::find(x.outputs.begin(), x.outputs.end(), uid) != x.outputs.end();
    if (!uses)
      continue;
    EBB_ASSIGN(const auto entry, load_stream(in, x.uid));
    names.push_back(entry.name);
  }
  return names;
}

result<std::vector<life_record>> control_db::lives() {
  EBB_ASSIGN(const auto in, store_->begin_read());
  return load_entries<life_record>(in, control_table::lives, {}, decode_life);
}

result<std::vector<life_traits>> control_db::traits() {
  EBB_ASSIGN(const auto in, store_->begin_read());
  return load_entries<life_traits>(in, control_table::traits, {}, decode_traits);
}

result<void> control_db::put_life(const life_record& life) {
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(const auto entry, load_stream(in, life.uid));
  if (entry.life == stream_life::deleted)
    return make_error(ec::conflict, "stream " + entry.name + " has been deleted");
  EBB_TRY(in.put(control_table::lives, life.uid, encode(life)));
  return in.commit("control.life");
}

result<void> control_db::keep_restore(const kept_restore& x) {
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(const auto entry, load_stream(in, x.uid));
  if (entry.life == stream_life::deleted)
    return make_error(ec::conflict, "stream " + entry.name + " has been deleted");
  EBB_TRY(in.put(control_table::events, restore_key(x.uid), text_of(x)));
  return in.commit("control.restore");
}

result<void> control_db::drop_restore(std::string_view uid) {
  EBB_ASSIGN(auto in, write());
  EBB_TRY(in.erase(control_table::events, restore_key(uid)));
  return in.commit("control.life");
}

result<std::optional<kept_restore>> control_db::find_restore(std::string_view uid) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(const auto text, in.get(control_table::events, restore_key(uid)));
  if (!text)
    return std::optional<kept_restore>{};
  EBB_ASSIGN(auto x, restore_of(uid, *text));
  return std::optional(std::move(x));
}

result<std::vector<kept_restore>> control_db::restores() {
  EBB_ASSIGN(const auto in, store_->begin_read());
  const auto prefix = restore_key({});
  EBB_ASSIGN(const auto entries, in.scan(control_table::events, prefix));
  std::vector<kept_restore> all;
  for (const auto& [key, text] : entries) {
    EBB_ASSIGN(auto x, restore_of(key.substr(prefix.size()), text));
    all.push_back(std::move(x));
  }
  return all;
}

result<void> control_db::add_events(std::span<const told_event> events) {
  EBB_ASSIGN(auto in, write());
  std::map<std::string_view, bool> wanted;
  for (const auto& x : events) {
    const auto [known, first] = wanted.try_emplace(x.uid, false);
    if (first) {
      EBB_ASSIGN(known->second, is_there(in, x.uid));
    }
    // It may have been deleted since: nothing would ever take its events away.
    if (known->second)
      EBB_TRY(add_event(in, x));
  }
  return in.commit("control.event");
}

result<std::vector<std::string>> control_db::events(std::string_view uid, std::string_view kind,
                                                    std::size_t limit) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(const auto entries, in.scan(control_table::events, event_prefix(uid, kind)));
  std::vector<std::string> all;
  for (auto x = entries.rbegin(); x != entries.rend() && all.size() < limit; ++x)
    all.emplace_back(x->second);
  return all;
}

result<std::uint64_t> control_db::name_newest(std::string_view uid, std::string_view name) {
  EBB_TRY(check_name(name, "savepoint name"));
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(const auto records, load_records(in, uid));
  if (records.empty())
    return make_error(ec::not_found, "the stream has no checkpoint yet",
                      "wake it, or send it a message first");
  const auto key = savepoint_key(uid, name);
  EBB_ASSIGN(const auto taken, in.get(control_table::savepoints, key));
  if (taken)
    return make_error(ec::conflict, "there is a savepoint named " + std::string(name),
                      "choose another name: a savepoint is kept as long as its stream");
  const auto& record = records.back();
  EBB_TRY(in.put(control_table::savepoints, key,
                 encode(savepoint_entry{std::string(name), record.when, record})));
  EBB_TRY(in.commit("control.savepoint"));
  return record.epoch;
}

} // namespace ebb
