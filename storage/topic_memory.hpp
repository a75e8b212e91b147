/// What a topic's log remembers of requests, to know one again that comes a second time. Pure.
///
/// Its state follows from the groups that were applied, in order, and from nothing else: the log
/// applies a group once its transaction is durable, and all groups of a file when it is opened.
/// What expires does so by the time of a group, so that both give the same.
#pragma once

#include "schemas/topic_records.hpp"
#include "storage/topic_log.hpp"

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ebb {

class topic_memory {
public:
  /// Mostly of one range, and there may be a million: 40 bytes each.
  struct request {
    std::uint64_t sequence = 0;
    topic_range first;
    std::uint32_t rows = 0;
    std::unique_ptr<std::vector<topic_range>> others; ///< null: no more than `first`

    [[nodiscard]] std::vector<topic_range> ranges() const;
  };

  struct producer {
    std::string name;
    std::uint64_t epoch = 0;
    std::uint64_t next_sequence = 0;
    micros last_time = 0;
    std::deque<request> requests; ///< the newest ones, in order of their sequences
  };

  explicit topic_memory(const topic_memory_limits& limits) : limits_(limits) {}

  topic_memory(const topic_memory&) = delete;
  topic_memory& operator=(const topic_memory&) = delete;

  /// Null where it is not known.
  [[nodiscard]] const producer* find_producer(std::string_view name) const;
  [[nodiscard]] const remembered_key* find_key(const digest128& key) const;
  [[nodiscard]] const remembered_mark* find_mark(std::string_view sink) const;

  /// The remembered request that begins with `sequence`, or null.
  [[nodiscard]] static const request* find_request(const producer& in, std::uint64_t sequence);

  void apply(const logged_group& group);

  /// All of it, in chunks of about `chunk_bytes`; restoring them in order gives the same memory.
  [[nodiscard]] std::vector<topic_memory_chunk> chunks(std::size_t chunk_bytes) const;
  void restore(const topic_memory_chunk& chunk);

  [[nodiscard]] std::size_t producers() const noexcept {
    return producers_.size();
  }

  [[nodiscard]] std::size_t requests() const noexcept {
    return requests_;
  }

  [[nodiscard]] std::size_t keys() const noexcept {
    return keys_.size();
  }

private:
  struct digest_hash {
    std::size_t operator()(const digest128& x) const noexcept {
      return static_cast<std::size_t>(x.low);
    }
  };

  void apply_producer(const logged_request& x, micros time);
  void apply_mark(const logged_request& x);
  void expire(micros now);
  void forget_oldest_producer();
  void trim_requests();

  topic_memory_limits limits_;
  std::list<producer> producers_; ///< the longest silent one first
  std::unordered_map<std::string_view, std::list<producer>::iterator> by_name_; ///< views of names
  std::size_t requests_ = 0;
  std::deque<remembered_key> keys_; ///< the oldest first
  std::uint64_t first_key_ = 0;     ///< number of the oldest
  std::unordered_map<digest128, std::uint64_t, digest_hash> key_numbers_;
  std::map<std::string, remembered_mark, std::less<>> marks_;
};

} // namespace ebb
