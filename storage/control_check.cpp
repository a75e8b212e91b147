#include "storage/control_check.hpp"

#include "storage/control_db.hpp"
#include "storage/control_keys.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace ebb {

namespace {

/// One look at all tables, in one transaction.
class checker {
public:
  explicit checker(const control_transaction& in) : in_(in) {}

  result<control_check> run() {
    EBB_TRY(streams());
    EBB_TRY(names());
    EBB_TRY(topics());
    EBB_TRY(records());
    EBB_TRY(savepoints());
    EBB_TRY(tokens());
    EBB_TRY(lives());
    EBB_TRY(traits());
    EBB_TRY(events());
    return std::move(found_);
  }

private:
  void say(std::string text) {
    found_.problems.push_back(std::move(text));
  }

  /// Calls `take` with key and value of each entry that can be read.
  template <class T, class Decode, class Take>
  result<void> each(control_table table, const char* what, Decode decode, Take take) {
    EBB_ASSIGN(const auto entries, in_.scan(table, {}));
    found_.entries += entries.size();
    for (const auto& [key, value] : entries) {
      result<T> x = decode(value);
      if (x)
        take(key, *x);
      else
        say(std::string(what) + " cannot be read: " + x.error().message);
    }
    return {};
  }

  static result<std::string> plain(std::string_view text) {
    return std::string(text);
  }

  static std::string_view owner(std::string_view key) {
    return key.substr(0, key.find('\0'));
  }

  /// The stream that an entry belongs to; null, and a problem, where there is none.
  const stream_entry* owned(std::string_view uid, const std::string& what) {
    const auto at = streams_.find(uid);
    if (at != streams_.end() && at->second.life != stream_life::deleted)
      return &at->second;
    say(what + " of a stream that does not exist (" + std::string(uid) + ")");
    return nullptr;
  }

  result<void> streams() {
    return each<stream_entry>(control_table::streams, "a stream", decode_stream,
                              [&](std::string_view key, stream_entry& x) {
                                if (x.uid != key)
                                  say("stream " + x.name + " lies under another uid");
                                found_.streams.insert(x.uid);
                                streams_[std::string(key)] = std::move(x);
                              });
  }

  result<void> names() {
    std::map<std::string, std::string> uids;
    EBB_TRY(each<std::string>(control_table::names, "a name", plain,
                              [&](std::string_view key, const std::string& uid) {
                                uids[std::string(key)] = uid;
                                const auto* x = owned(uid, "name " + std::string(key));
                                if (x != nullptr && x->name != key)
                                  say("name " + std::string(key) + " stands for stream " + x->name);
                              }));
    for (const auto& [uid, x] : streams_)
      if (x.life != stream_life::deleted && uids[x.name] != uid)
        say("stream " + x.name + " cannot be found by its name");
    return {};
  }

  result<void> topics() {
    return each<topic_entry>(control_table::topics, "a topic", decode_topic,
                             [&](std::string_view key, const topic_entry& x) {
                               if (x.name != key)
                                 say("topic " + x.name + " lies under another name");
                               if (!found_.topics.insert(x.uid).second)
                                 say("topic " + x.name + " has the uid of another one");
                             });
  }

  void record(std::string_view uid, const checkpoint_record& x, const std::string& what) {
    const auto* stream = owned(uid, what);
    if (stream == nullptr)
      return;
    if (x.uid != uid)
      say(what + " of stream " + stream->name + " is another stream's");
    if (x.epoch >= stream->next_epoch || x.generation > stream->generation)
      say(what + " of stream " + stream->name + " is newer than the stream");
    for (const auto& output : x.outputs)
      if (output.epoch > x.epoch)
        say(what + " of stream " + stream->name + " lists output of a later epoch");
  }

  result<void> records() {
    return each<checkpoint_record>(control_table::records, "a checkpoint", decode_checkpoint,
                                   [&](std::string_view key, const checkpoint_record& x) {
                                     const auto what = "checkpoint " + std::to_string(x.epoch);
                                     if (key != record_key(owner(key), x.epoch))
                                       say(what + " lies under another number");
                                     record(owner(key), x, what);
                                   });
  }

  result<void> savepoints() {
    return each<savepoint_entry>(control_table::savepoints, "a savepoint", decode_savepoint,
                                 [&](std::string_view key, const savepoint_entry& x) {
                                   const auto what = "savepoint " + x.name;
                                   if (key != savepoint_key(owner(key), x.name))
                                     say(what + " lies under another name");
                                   record(owner(key), x.record, what);
                                 });
  }

  result<void> tokens() {
    return each<sink_token>(control_table::tokens, "a sink's token", decode_token,
                            [&](std::string_view key, const sink_token& x) {
                              const auto what = "the token of sink " + x.sink;
                              if (key != token_key(owner(key), x.sink, x.lane))
                                say(what + " lies under another name");
                              const auto* stream = owned(owner(key), what);
                              if (stream != nullptr && x.epoch >= stream->next_epoch)
                                say(what + " of stream " + stream->name
                                    + " is newer than the stream");
                            });
  }

  result<void> lives() {
    return each<life_record>(control_table::lives, "the life of a stream", decode_life,
                             [&](std::string_view key, const life_record& x) {
                               if (x.uid != key)
                                 say("the life of a stream lies under another uid");
                               static_cast<void>(owned(key, "the life"));
                             });
  }

  result<void> traits() {
    return each<life_traits>(control_table::traits, "what is known of a stream", decode_traits,
                             [&](std::string_view key, const life_traits& x) {
                               const auto* stream = owned(key, "what is known");
                               if (stream == nullptr)
                                 return;
                               const auto needs = [&](const std::string& topic) {
                                 if (found_.topics.count(topic) == 0)
                                   say("stream " + stream->name
                                       + " uses a topic that does not exist (" + topic + ")");
                               };
                               for (const auto& input : x.inputs)
                                 needs(input.topic);
                               for (const auto& output : x.outputs)
                                 needs(output);
                             });
  }

  result<void> events() {
    std::set<std::string> unknown;
    EBB_TRY(each<std::string>(control_table::events, "an event", plain,
                              [&](std::string_view key, const std::string&) {
                                const auto uid = owner(key);
                                if (!uid.empty() && streams_.find(uid) == streams_.end())
                                  unknown.emplace(uid);
                              }));
    for (const auto& uid : unknown)
      say("events of a stream that does not exist (" + uid + ")");
    return {};
  }

  const control_transaction& in_;
  control_check found_;
  std::map<std::string, stream_entry, std::less<>> streams_;
};

} // namespace

result<control_check> control_db::check() {
  EBB_TRY(store_->verify());
  EBB_ASSIGN(const auto in, store_->begin_read());
  return checker(in).run();
}

std::vector<std::string> folders_of(const std::string& data) {
  namespace fs = std::filesystem;
  std::vector<std::string> all;
  for (const char* kind : {"streams", "topics"}) {
    std::error_code ignored;
    for (fs::directory_iterator at(data + '/' + kind, ignored), end; at != end;
         at.increment(ignored)) {
      if (at->is_directory(ignored))
        all.push_back(std::string(kind) + '/' + at->path().filename().string());
      if (ignored)
        break;
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::string> left_over(const std::string& data, const std::vector<std::string>& folders,
                                   const control_check& known) {
  std::vector<std::string> all;
  for (const auto& x : folders) {
    const auto slash = x.find('/');
    const auto& uids = x.starts_with("streams/") ? known.streams : known.topics;
    std::error_code ignored;
    if (uids.count(x.substr(slash + 1)) == 0
        && std::filesystem::is_directory(data + '/' + x, ignored))
      all.push_back(x);
  }
  return all;
}

} // namespace ebb
