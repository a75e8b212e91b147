#include "actors/service/ack_desk.hpp"

#include "actors/service/apply_plan.hpp"
#include "actors/service/keeper/input_positions.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// All output of the record has reached its target.
bool is_applied(const checkpoint_record& x, const std::vector<sink_token>& tokens) {
  return std::all_of(x.outputs.begin(), x.outputs.end(), [&](const recorded_output& output) {
    return output.bytes == 0
           || std::any_of(tokens.begin(), tokens.end(), [&](const sink_token& token) {
                return token.sink == output.sink && token.lane == output.lane
                       && token.epoch >= output.epoch;
              });
  });
}

bool covers(const checkpoint_record& x, const ack_question& what) {
  const auto positions = input_positions(x);
  return std::all_of(what.ranges.begin(), what.ranges.end(), [&](const auto& range) {
    const auto at = positions.find({what.uid, range.partition});
    return at != positions.end() && at->second > range.last;
  });
}

} // namespace

void ack_desk::set_reader(const std::string& uid, const std::string& name, topic_list topics) {
  std::lock_guard guard(mutex_);
  readers_[uid] = {name, std::move(topics)};
}

void ack_desk::forget_reader(const std::string& uid) {
  std::lock_guard guard(mutex_);
  readers_.erase(uid);
}

std::optional<std::string> ack_desk::name_of(const std::string& uid) const {
  std::lock_guard guard(mutex_);
  const auto found = readers_.find(uid);
  return found == readers_.end() ? std::nullopt : std::optional(found->second.name);
}

void ack_desk::recorded(const std::string& uid) {
  std::vector<std::shared_ptr<std::function<void()>>> told;
  {
    std::lock_guard guard(mutex_);
    const auto found = readers_.find(uid);
    if (found == readers_.end() || watchers_.empty())
      return;
    for (const auto& topic : *found->second.topics) {
      const auto [first, last] = watchers_.equal_range(topic);
      for (auto i = first; i != last; ++i)
        told.push_back(i->second);
    }
  }
  for (const auto& tell : told)
    (*tell)();
}

result<std::string> ack_desk::reader_of(const ack_question& what) const {
  std::lock_guard guard(mutex_);
  std::string only;
  std::size_t count = 0;
  for (const auto& [uid, x] : readers_) {
    if (std::find(x.topics->begin(), x.topics->end(), what.uid) == x.topics->end())
      continue;
    if (!what.stream.empty()) {
      if (split(x.name).name == what.stream)
        return uid;
      continue;
    }
    only = uid;
    ++count;
  }
  if (count == 1)
    return only;
  auto problem =
      !what.stream.empty()
          ? make_error(ec::not_found, "stream " + what.stream + " does not read this topic",
                       "name a stream that does, or ask for ack=logged")
      : count == 0 ? make_error(ec::conflict, "no stream reads this topic",
                                "apply a stream that does, or ask for ack=logged")
                   : make_error(ec::conflict, "several streams read this topic",
                                "name one with stream=NAME, or ask for ack=logged");
  problem.place.field = "query.stream";
  return problem;
}

result<bool> ack_desk::reached(const ack_question& what) {
  EBB_ASSIGN(const auto uid, reader_of(what));
  return records_.with([&](control_db& db) -> result<bool> {
    EBB_ASSIGN(const auto records, db.records(uid));
    EBB_ASSIGN(const auto tokens, db.tokens(uid));
    return std::any_of(records.begin(), records.end(), [&](const checkpoint_record& x) {
      return covers(x, what) && (what.level != ack_level::committed || is_applied(x, tokens));
    });
  });
}

void ack_desk::remove(const std::string& topic, const std::shared_ptr<std::function<void()>>& x) {
  std::lock_guard guard(mutex_);
  const auto [first, last] = watchers_.equal_range(topic);
  const auto found = std::find_if(first, last, [&](const auto& y) { return y.second == x; });
  if (found != last)
    watchers_.erase(found);
}

std::shared_ptr<void> ack_desk::watch(const std::string& uid, std::function<void()> changed) {
  auto call = std::make_shared<std::function<void()>>(std::move(changed));
  {
    std::lock_guard guard(mutex_);
    watchers_.emplace(uid, call);
  }
  return {call.get(), [this, uid, call](void*) { remove(uid, call); }};
}

} // namespace ebb
