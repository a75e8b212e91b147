#include "storage/topic_memory.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

std::size_t size_of(const std::vector<topic_range>& ranges) noexcept {
  return ranges.size() * sizeof(topic_range);
}

topic_memory::request compact(std::uint64_t sequence, std::uint32_t rows,
                              const std::vector<topic_range>& ranges) {
  topic_memory::request x;
  x.sequence = sequence;
  x.rows = rows;
  if (!ranges.empty())
    x.first = ranges.front();
  if (ranges.size() > 1)
    x.others = std::make_unique<std::vector<topic_range>>(ranges.begin() + 1, ranges.end());
  return x;
}

} // namespace

std::vector<topic_range> topic_memory::request::ranges() const {
  std::vector<topic_range> all{first};
  if (others)
    all.insert(all.end(), others->begin(), others->end());
  return all;
}

const topic_memory::producer* topic_memory::find_producer(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &*found->second;
}

const remembered_key* topic_memory::find_key(const digest128& key) const {
  const auto found = key_numbers_.find(key);
  return found == key_numbers_.end() ? nullptr : &keys_[found->second - first_key_];
}

const remembered_mark* topic_memory::find_mark(std::string_view sink) const {
  const auto found = marks_.find(sink);
  return found == marks_.end() ? nullptr : &found->second;
}

const topic_memory::request* topic_memory::find_request(const producer& in,
                                                        std::uint64_t sequence) {
  const auto found =
      std::lower_bound(in.requests.begin(), in.requests.end(), sequence,
                       [](const request& x, std::uint64_t y) { return x.sequence < y; });
  return found == in.requests.end() || found->sequence != sequence ? nullptr : &*found;
}

void topic_memory::apply(const logged_group& group) {
  for (const auto& x : group.requests)
    switch (x.kind) {
    case logged_kind::producer:
      apply_producer(x, group.time);
      break;
    case logged_kind::key:
      key_numbers_[x.key] = first_key_ + keys_.size();
      keys_.push_back({x.key, x.rows, group.time, x.ranges});
      break;
    case logged_kind::mark:
      apply_mark(x);
      break;
    case logged_kind::forgotten:
      std::erase_if(marks_, [&](const auto& y) { return y.first.starts_with(x.name); });
      break;
    }
  expire(group.time);
}

void topic_memory::apply_producer(const logged_request& x, micros time) {
  auto found = by_name_.find(x.name);
  if (found == by_name_.end()) {
    producers_.push_back({x.name, 0, 0, 0, {}});
    const auto last = std::prev(producers_.end());
    found = by_name_.emplace(last->name, last).first;
  } else {
    producers_.splice(producers_.end(), producers_, found->second);
  }
  auto& p = *found->second;
  if (x.starts)
    requests_ -= std::exchange(p.requests, {}).size();
  p.epoch = x.epoch;
  p.next_sequence = x.sequence + x.rows;
  p.last_time = time;
  p.requests.push_back(compact(x.sequence, x.rows, x.ranges));
  ++requests_;
  if (p.requests.size() > limits_.requests_a_producer) {
    p.requests.pop_front();
    --requests_;
  }
}

void topic_memory::apply_mark(const logged_request& x) {
  marks_[x.name] = {x.name, x.epoch, x.sequence};
}

void topic_memory::forget_oldest_producer() {
  requests_ -= producers_.front().requests.size();
  by_name_.erase(producers_.front().name);
  producers_.pop_front();
}

// Down to less than the limit, so that it is not done for each request.
void topic_memory::trim_requests() {
  const std::size_t enough = limits_.requests - limits_.requests / 8;
  for (auto& p : producers_)
    while (requests_ > enough && !p.requests.empty()) {
      p.requests.pop_front();
      --requests_;
    }
}

void topic_memory::expire(micros now) {
  while (!producers_.empty()
         && (producers_.size() > limits_.producers
             || producers_.front().last_time < now - limits_.producer_age))
    forget_oldest_producer();
  if (requests_ > limits_.requests)
    trim_requests();
  while (!keys_.empty()
         && (keys_.size() > limits_.keys || keys_.front().time < now - limits_.key_age)) {
    // The key may have come again after it was forgotten once.
    const auto known = key_numbers_.find(keys_.front().key);
    if (known != key_numbers_.end() && known->second == first_key_)
      key_numbers_.erase(known);
    keys_.pop_front();
    ++first_key_;
  }
}

std::vector<topic_memory_chunk> topic_memory::chunks(std::size_t chunk_bytes) const {
  std::vector<topic_memory_chunk> made;
  std::size_t bytes = chunk_bytes;
  const auto next = [&](std::size_t more) -> topic_memory_chunk& {
    if (bytes + more > chunk_bytes) {
      made.emplace_back();
      bytes = 0;
    }
    bytes += more;
    return made.back();
  };
  for (const auto& p : producers_) {
    remembered_producer stored{p.name, p.epoch, p.next_sequence, p.last_time, {}};
    std::size_t size = 64 + p.name.size();
    for (const auto& x : p.requests) {
      stored.requests.push_back({x.sequence, x.rows, x.ranges()});
      size += sizeof x + size_of(stored.requests.back().ranges);
    }
    next(size).producers.push_back(std::move(stored));
  }
  for (const auto& x : keys_)
    next(sizeof x + size_of(x.ranges)).keys.push_back(x);
  for (const auto& [name, x] : marks_)
    next(sizeof x + name.size()).marks.push_back(x);
  return made;
}

void topic_memory::restore(const topic_memory_chunk& chunk) {
  for (const auto& x : chunk.producers) {
    if (by_name_.contains(x.name))
      continue; // never written so
    producers_.push_back({x.name, x.epoch, x.next_sequence, x.last_time, {}});
    for (const auto& y : x.requests)
      producers_.back().requests.push_back(compact(y.sequence, y.rows, y.ranges));
    by_name_.emplace(producers_.back().name, std::prev(producers_.end()));
    requests_ += x.requests.size();
  }
  for (const auto& x : chunk.keys) {
    key_numbers_[x.key] = first_key_ + keys_.size();
    keys_.push_back(x);
  }
  for (const auto& x : chunk.marks)
    marks_[x.sink] = x;
}

} // namespace ebb
