#include "storage/topic_admission.hpp"

#include "storage/segment_trailer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ebb {

namespace {

using decision = topic_admission::decision;

// What of the request is to blame.
constexpr const char* sequence_field = "header.Ebb-Sequence";
constexpr const char* key_field = "header.Idempotency-Key";

decision duplicate_of(std::uint32_t rows, const std::vector<topic_range>& ranges,
                      std::uint64_t now_rows, const std::string& what, const char* field) {
  decision d;
  if (rows != now_rows) {
    d.answer.status = append_status::conflict;
    d.answer.problem = make_error(
        ec::conflict,
        fmt::format("{} had {} rows the first time and has {} now", what, rows, now_rows),
        "send the same rows again, or new rows under a number or key of their own");
    d.answer.problem.place.field = field;
    return d;
  }
  d.answer.status = append_status::duplicate;
  d.answer.ranges = ranges;
  return d;
}

decision refuse(append_status status, ec code, std::string message, const char* hint) {
  decision d;
  d.answer.status = status;
  d.answer.problem = make_error(code, std::move(message), hint);
  return d;
}

decision invalid(std::string message, const char* hint) {
  return refuse(append_status::invalid, ec::invalid_argument, std::move(message), hint);
}

decision admit(bool starts = false) {
  decision d;
  d.append = true;
  d.note = true;
  d.starts = starts;
  d.answer.status = append_status::appended;
  return d;
}

} // namespace

decision topic_admission::decide(const topic_append& x) const {
  const auto rows = row_count(x);
  if (int{x.producer.has_value()} + int{!x.idempotency_key.empty()} + int{x.mark.has_value()} > 1)
    return invalid("a request has a producer and an idempotency key",
                   "send one of Ebb-Producer and Idempotency-Key");
  if (rows == 0 && !x.mark)
    return invalid("a request has no rows", "send at least one record");
  if (rows > UINT32_MAX)
    return invalid("a request has too many rows", "send it in parts");
  if (x.producer)
    return decide_producer(*x.producer, rows);
  if (!x.idempotency_key.empty())
    return decide_key(x.idempotency_key, rows);
  if (x.mark)
    return decide_mark(*x.mark);
  return admit();
}

decision topic_admission::decide_producer(const producer_position& x, std::uint64_t rows) const {
  if (x.producer.empty() || x.producer.size() > producer_name_max)
    return invalid(fmt::format("a producer's name has {} bytes", x.producer.size()),
                   "use 1 to 255 bytes");
  if (x.first_sequence > INT64_MAX - rows)
    return invalid("a sequence is too large", "numbers go up to 9223372036854775807");
  const auto* known = memory_->find_producer(x.producer);
  const auto in_group = by_producer_.find(x.producer);
  if (known == nullptr && in_group == by_producer_.end())
    return admit(true);
  // Where the group has gone on from what is known, or begun anew.
  const auto* last =
      in_group == by_producer_.end() ? nullptr : &group_.requests[in_group->second.back()];
  const auto epoch = last != nullptr ? last->epoch : known->epoch;
  const auto expected = last != nullptr ? last->sequence + last->rows : known->next_sequence;
  if (x.epoch > epoch)
    return admit(true);
  if (x.epoch < epoch) {
    auto d = refuse(append_status::conflict, ec::conflict,
                    fmt::format("producer {} goes on with epoch {}; this request is of epoch {}",
                                x.producer, epoch, x.epoch),
                    "another incarnation of the producer has taken over: stop this one");
    d.answer.problem.place.field = "header.Ebb-Producer-Epoch";
    return d;
  }
  if (x.first_sequence == expected)
    return admit();
  const auto what =
      fmt::format("the request of producer {} with sequence {}", x.producer, x.first_sequence);
  if (last != nullptr)
    for (const auto i : in_group->second)
      if (const auto& y = group_.requests[i]; y.sequence == x.first_sequence)
        return duplicate_of(y.rows, y.ranges, rows, what, sequence_field);
  const bool anew = last != nullptr && group_.requests[in_group->second.front()].starts;
  if (known != nullptr && !anew)
    if (const auto* y = topic_memory::find_request(*known, x.first_sequence); y != nullptr)
      return duplicate_of(y->rows, y->ranges(), rows, what, sequence_field);
  const bool gap = x.first_sequence > expected;
  auto d = refuse(append_status::conflict, ec::conflict,
                  fmt::format("producer {}: sequence {} is {}, expected {}", x.producer,
                              x.first_sequence,
                              gap ? "behind a gap" : "no request that is remembered", expected),
                  gap ? "send the requests before it first" : "go on with the expected sequence");
  d.answer.expected_sequence = expected;
  d.answer.problem.place.field = sequence_field;
  return d;
}

decision topic_admission::decide_key(const std::string& key, std::uint64_t rows) const {
  if (key.size() > idempotency_key_max)
    return invalid(fmt::format("an idempotency key has {} bytes", key.size()),
                   "use at most 255 bytes");
  const auto what = fmt::format("the request with idempotency key {}", key);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    const auto& y = group_.requests[found->second];
    return duplicate_of(y.rows, y.ranges, rows, what, key_field);
  }
  if (const auto* y = memory_->find_key(hash_bytes(key)); y != nullptr)
    return duplicate_of(y->rows, y->ranges, rows, what, key_field);
  return admit();
}

decision topic_admission::decide_mark(const sink_mark& x) const {
  if (x.sink.empty() || x.sink.size() > producer_name_max)
    return invalid(fmt::format("a sink's name has {} bytes", x.sink.size()), "use 1 to 255 bytes");
  const auto in_group = by_mark_.find(x.sink);
  const auto* known = memory_->find_mark(x.sink);
  if (known == nullptr && in_group == by_mark_.end()) {
    auto d = admit();
    d.mark_epoch = x.epoch;
    return d;
  }
  const bool here = in_group != by_mark_.end();
  const auto generation = here ? group_.requests[in_group->second].epoch : known->generation;
  const auto epoch = here ? group_.requests[in_group->second].sequence : known->epoch;
  if (x.generation < generation)
    return refuse(
        append_status::conflict, ec::conflict,
        fmt::format("sink {} goes on with generation {}; this request is of generation {}", x.sink,
                    generation, x.generation),
        "another incarnation of the stream has taken over");
  auto d = admit();
  d.mark_epoch = std::max(epoch, x.epoch);
  if (x.epoch <= epoch) {
    d.append = false;
    d.note = x.generation > generation; // fences, without rows
    d.answer.status = append_status::duplicate;
  }
  return d;
}

void topic_admission::admitted(const topic_append& x, const decision& as,
                               const std::vector<topic_range>& ranges) {
  logged_request logged;
  logged.rows = static_cast<std::uint32_t>(row_count(x));
  logged.ranges = ranges;
  if (x.producer) {
    logged.kind = logged_kind::producer;
    logged.starts = as.starts;
    logged.name = x.producer->producer;
    logged.epoch = x.producer->epoch;
    logged.sequence = x.producer->first_sequence;
    auto& since_start = by_producer_[logged.name];
    if (as.starts)
      since_start.clear();
    since_start.push_back(group_.requests.size());
  } else if (!x.idempotency_key.empty()) {
    logged.kind = logged_kind::key;
    logged.key = hash_bytes(x.idempotency_key);
    by_key_[x.idempotency_key] = group_.requests.size();
  } else if (x.mark) {
    logged.kind = logged_kind::mark;
    logged.name = x.mark->sink;
    logged.epoch = x.mark->generation;
    logged.sequence = as.mark_epoch;
    logged.rows = 0;
    logged.ranges.clear();
    by_mark_[logged.name] = group_.requests.size();
  } else {
    return;
  }
  group_.requests.push_back(std::move(logged));
}

} // namespace ebb
