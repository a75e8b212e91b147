#include "actors/service/resource_changes.hpp"

#include "actors/connectors/same_file.hpp"
#include "actors/service/sink_files.hpp"

namespace ebb {

namespace {

/// A control process that starts is given all that its cluster has once more, and a transaction
/// waits for the disk twice.
bool is_nothing(const service_changes& x) {
  return x.new_streams.empty() && x.changed_streams.empty() && x.deleted_streams.empty()
         && x.topics.empty() && x.deleted_topics.empty() && x.traits.empty() && x.lives.empty();
}

} // namespace

// The file of a sink that the stream did not have, or had with another path, is begun anew.
result<void> resource_changes::spare_files(const service_changes& changes) {
  for (const auto& x : changes.changed_streams) {
    EBB_ASSIGN(const auto before,
               records_.with([&](control_db& db) { return db.find_stream(x.name); }));
    EBB_ASSIGN(const auto newest,
               records_.with([&](control_db& db) { return db.newest_record(x.uid); }));
    if (!before || !newest)
      continue;
    EBB_ASSIGN(const auto old, definition_of(*before, files_folder_));
    EBB_ASSIGN(const auto now, definition_of(x, files_folder_));
    if (auto spared = empties_no_file(old, *newest, now); !spared) {
      auto problem = std::move(spared).error();
      problem.message = "stream " + split(x.name).name + ": " + problem.message;
      problem.place = {{}, 0, 0, problem.place.field}; // lines are those of the stored document
      return problem;
    }
  }
  return {};
}

result<apply_plan> resource_changes::apply(const wish& x) {
  apply_options options;
  options.name_space = x.name_space;
  options.files_folder = files_folder_;
  options.now = clock_();
  options.new_uid = x.new_uid;
  const resource_lookup known{
      [this](const std::string& name) {
        return records_.with([&](control_db& db) { return db.find_stream(name); });
      },
      [this](const std::string& name) {
        return records_.with([&](control_db& db) { return db.find_topic(name); });
      },
      [this](const std::string& uid) {
        return records_.with([&](control_db& db) { return db.find_traits(uid); });
      },
      [this](const std::string& path, const std::string& but) {
        return records_.with(
            [&](control_db& db) { return db.writer_of_file(same_file_as(path), but); });
      }};
  EBB_ASSIGN(auto plan, plan_apply(x.text, options, known));
  if (!files_folder_.empty())
    EBB_TRY(spare_files(plan.changes));
  if (x.dry_run || is_nothing(plan.changes))
    return plan;
  EBB_TRY(records_.with([&](control_db& db) { return db.change(plan.changes); }));
  for (const auto& topic : plan.topics)
    EBB_TRY(topics_.put(topic));
  return plan;
}

// Between the look at its users and the end of the topic no stream can be applied: both are jobs of
// one lane.
result<void> resource_changes::remove_topic(const std::string& qualified) {
  const auto shown = split(qualified).name;
  EBB_ASSIGN(const auto uid, records_.with([&](control_db& db) -> result<std::string> {
    EBB_ASSIGN(const auto found, db.find_topic(qualified));
    if (!found)
      return make_error(ec::not_found, "there is no topic named " + shown);
    EBB_ASSIGN(const auto users, db.users_of_topic(found->uid));
    if (!users.empty()) {
      std::string names;
      for (const auto& x : users)
        names += (names.empty() ? "" : ", ") + split(x).name;
      return make_error(ec::conflict, "topic " + shown + " is used by " + names,
                        "delete these streams first, or apply them without the topic");
    }
    service_changes changes;
    changes.deleted_topics = {found->name};
    EBB_TRY(db.change(changes));
    return found->uid;
  }));
  return topics_.remove(uid);
}

} // namespace ebb
