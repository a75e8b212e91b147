/// Which requests of a group are appended, and which are known already. Pure.
///
/// One object decides for one group, in order: a request is compared with the memory and with the
/// requests of its group that were admitted before it. Nothing is remembered until the group's
/// transaction is durable; then `group` is applied to the memory.
#pragma once

#include "storage/topic_memory.hpp"
#include "storage/topic_request.hpp"

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ebb {

class topic_admission {
public:
  topic_admission(const topic_memory& memory, micros time) : memory_(&memory) {
    group_.time = time;
  }

  struct decision {
    bool append = false; ///< the rows are to be appended, unless the caller has to refuse them
    bool note = false;   ///< `admitted` is to be called before the next one is decided
    bool starts = false; ///< the numbering of the producer begins here
    std::uint64_t mark_epoch = 0;
    append_answer answer; ///< final unless `append`
  };

  [[nodiscard]] decision decide(const topic_append& x) const;

  /// To be stored with the rows, which go to `ranges`.
  void admitted(const topic_append& x, const decision& as, const std::vector<topic_range>& ranges);

  /// What has to be stored with the rows.
  [[nodiscard]] const logged_group& group() const noexcept {
    return group_;
  }

private:
  [[nodiscard]] decision decide_producer(const producer_position& x, std::uint64_t rows) const;
  [[nodiscard]] decision decide_key(const std::string& key, std::uint64_t rows) const;
  [[nodiscard]] decision decide_mark(const sink_mark& x) const;

  const topic_memory* memory_;
  logged_group group_;
  /// Of this group: the producer's requests since it last started, by name.
  std::unordered_map<std::string, std::vector<std::size_t>> by_producer_;
  std::unordered_map<std::string, std::size_t> by_key_;
  std::unordered_map<std::string, std::size_t> by_mark_;
};

} // namespace ebb
