#include "actors/service/worker/remote_topics.hpp"

#include "actors/links/placement_calls.hpp"

#include <utility>

namespace ebb {

namespace {

link_mark mark_of(const sink_mark& x) {
  return {x.sink, x.generation, x.epoch};
}

topic_append_call call_of(const std::string& uid, topic_append&& x) {
  topic_append_call y;
  y.topic = uid;
  for (auto& part : x.parts)
    y.parts.push_back({std::move(part.rows), std::move(part.partitions)});
  if (x.producer)
    y.producer = link_producer{x.producer->producer, x.producer->epoch, x.producer->first_sequence};
  y.idempotency_key = std::move(x.idempotency_key);
  if (x.mark)
    y.mark = mark_of(*x.mark);
  return y;
}

error wrong_answer() {
  return make_error(ec::internal, "the control process has answered something else than was asked");
}

append_answer answer_of(call_outcome&& x) {
  append_answer y;
  if (!x) {
    y.problem = std::move(x).error();
    return y;
  }
  auto* value = std::get_if<link_append_answer>(&*x);
  if (value == nullptr || value->status > static_cast<std::uint8_t>(append_status::failed)) {
    y.problem = wrong_answer();
    return y;
  }
  y.status = static_cast<append_status>(value->status);
  y.ranges = std::move(value->ranges);
  y.time = value->time;
  y.expected_sequence = value->expected_sequence;
  y.problem = std::move(value->problem);
  return y;
}

/// What is no answer of the log is tried again by readers as an error of the device.
error as_device(error problem) {
  if (problem.code == ec::resource)
    problem.code = ec::io;
  return problem;
}

/// A topic's log, read by the control process.
class link_reading final : public topic_reader::implementation {
public:
  link_reading(placement_calls calls, std::string topic)
      : calls_(std::move(calls)), topic_(std::move(topic)) {}

  result<topic_slice> read(std::uint32_t partition, std::uint64_t offset,
                           const topic_read_limits& limits) override {
    auto slice = calls_.get<link_slice>(
        topic_read_call{topic_, partition, offset, limits.bytes, limits.rows});
    if (!slice)
      return as_device(std::move(slice).error());
    topic_slice x;
    x.next = slice->next;
    x.end = slice->end;
    x.batches.reserve(slice->batches.size());
    for (auto& y : slice->batches)
      x.batches.push_back({y.first, y.time, std::move(y.batch)});
    return x;
  }

  result<std::vector<topic_bounds>> bounds() override {
    const auto all = calls_.get<link_bounds>(topic_bounds_call{topic_});
    if (!all)
      return as_device(all.error());
    std::vector<topic_bounds> x;
    for (const auto& [begin, end] : all->all)
      x.push_back({begin, end});
    return x;
  }

private:
  const placement_calls calls_;
  const std::string topic_;
};

class remote_topics final : public topic_access {
public:
  remote_topics(std::shared_ptr<link_calls> calls, std::shared_ptr<topic_watches> watches,
                stream_placement of, topic_reading how, std::chrono::milliseconds patience)
      : calls_(std::move(calls)), watches_(std::move(watches)), of_(std::move(of)), how_(how),
        patience_(patience) {}

  result<topic_reader> open_reader(const topic_info& topic) override {
    if (how_ == topic_reading::files)
      return topic_reader::open(topic.folder);
    return topic_reader(
        std::make_unique<link_reading>(placement_calls(calls_, of_, patience_), topic.uid));
  }

  result<topic_info> find(const std::string& name) override {
    EBB_ASSIGN(auto found,
               placement_calls(calls_, of_, patience_).get<link_topic>(topic_find_call{name}));
    return topic_info{std::move(found.uid), std::move(found.name),       std::move(found.folder),
                      found.partitions,     std::move(found.columns),    std::move(found.key),
                      found.changes,        std::move(found.primary_key)};
  }

  std::shared_ptr<void> watch(const std::string& uid, std::function<void()> moved) override {
    return watches_->add(uid, std::move(moved));
  }

  void append(const std::string& uid, topic_append request,
              std::function<void(append_answer)> answer) override {
    calls_->start(
        of_, call_of(uid, std::move(request)),
        [answer = std::move(answer)](call_outcome&& x) { answer(answer_of(std::move(x))); });
  }

  result<void> append_file(const std::string& uid, const std::string& path,
                           const sink_mark& mark) override {
    EBB_TRY(calls_->call(of_, topic_append_file_call{uid, path, mark_of(mark)}, patience_));
    return {};
  }

private:
  const std::shared_ptr<link_calls> calls_;
  const std::shared_ptr<topic_watches> watches_;
  const stream_placement of_;
  const topic_reading how_;
  const std::chrono::milliseconds patience_;
};

} // namespace

std::unique_ptr<topic_access> make_remote_topics(std::shared_ptr<link_calls> calls,
                                                 std::shared_ptr<topic_watches> watches,
                                                 stream_placement of, topic_reading how,
                                                 std::chrono::milliseconds patience) {
  return std::make_unique<remote_topics>(std::move(calls), std::move(watches), std::move(of), how,
                                         patience);
}

} // namespace ebb
