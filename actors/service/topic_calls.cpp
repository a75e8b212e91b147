#include "actors/service/topic_calls.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

/// Of stored rows in one answer.
constexpr std::uint64_t topic_read_max = std::uint64_t{4} << 20;

sink_mark mark_of(const link_mark& x) {
  return {x.sink, x.generation, x.epoch};
}

topic_append append_of(topic_append_call&& x) {
  topic_append y;
  for (auto& part : x.parts)
    y.parts.push_back({std::move(part.rows), std::move(part.partitions)});
  if (x.producer)
    y.producer =
        producer_position{x.producer->producer, x.producer->epoch, x.producer->first_sequence};
  y.idempotency_key = std::move(x.idempotency_key);
  if (x.mark)
    y.mark = mark_of(*x.mark);
  return y;
}

} // namespace

result<void> may_use(const topic_registry& topics, const std::string& name_space,
                     const std::string& topic_uid) {
  const auto found = topics.find_uid(topic_uid);
  if (!found || found->name_space != name_space)
    return make_error(ec::not_found, "the topic has been deleted",
                      "apply it again, or take the stream back");
  return {};
}

call_outcome answer_topic_call(topic_registry& topics, const std::string& name_space,
                               const call_operation& what) {
  if (const auto* find = std::get_if<topic_find_call>(&what)) {
    const auto found = topics.find(name_space, find->name);
    if (!found)
      return make_error(ec::not_found, "there is no topic named " + find->name,
                        "apply the topic, or take the stream back");
    // The worker reads the log's files: they must be there.
    if (const auto made = topics.mark(found->uid, "-"); !made)
      return made.error();
    return call_value(link_topic{found->uid, found->name, topics.folder(found->uid),
                                 found->partitions, found->columns, found->key, found->changes,
                                 found->primary_key});
  }
  if (const auto* file = std::get_if<topic_append_file_call>(&what)) {
    EBB_TRY(may_use(topics, name_space, file->topic));
    EBB_TRY(topics.append_file(file->topic, file->path, mark_of(file->mark)));
    return call_value{};
  }
  if (const auto* bounds = std::get_if<topic_bounds_call>(&what)) {
    EBB_TRY(may_use(topics, name_space, bounds->topic));
    EBB_ASSIGN(const auto found, topics.bounds(bounds->topic));
    link_bounds all;
    for (const auto& x : found)
      all.all.emplace_back(x.begin, x.end);
    return call_value{std::move(all)};
  }
  if (const auto* read = std::get_if<topic_read_call>(&what)) {
    EBB_TRY(may_use(topics, name_space, read->topic));
    EBB_ASSIGN(auto found, topics.read(read->topic, read->partition, read->offset,
                                       {std::min(read->bytes, topic_read_max), read->rows}));
    link_slice slice;
    slice.next = found.next;
    slice.end = found.end;
    slice.batches.reserve(found.batches.size());
    for (auto& x : found.batches)
      slice.batches.push_back({x.first, x.time, std::move(x.rows)});
    return call_value{std::move(slice)};
  }
  return make_error(ec::internal, "a worker has made a call that is not known");
}

void append_rows(topic_registry& topics, topic_append_call&& what,
                 std::function<void(call_outcome&&)> answer) {
  const auto uid = what.topic;
  topics.append(uid, append_of(std::move(what)), [answer = std::move(answer)](append_answer x) {
    link_append_answer y;
    y.status = static_cast<std::uint8_t>(x.status);
    y.ranges = std::move(x.ranges);
    y.time = x.time;
    y.expected_sequence = x.expected_sequence;
    y.problem = std::move(x.problem);
    answer(call_value(std::move(y)));
  });
}

} // namespace ebb
