/// Short ways to make requests for a topic's log and to read it.
#pragma once

#include "storage/topic_log.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include "storage_support.hpp"

namespace storage_test {

/// In memory where that is possible: these tests make thousands of commits, and none of them looks
/// at what a loss of power would leave.
class memory_folder : public temporary_folder {
public:
  memory_folder() : temporary_folder(parent()) {}

private:
  static std::filesystem::path parent() {
    const char* memory = "/dev/shm";
    return ::access(memory, W_OK) == 0 ? std::filesystem::path{memory}
                                       : std::filesystem::temp_directory_path();
  }
};

/// Rows (id BIGINT, text TEXT): ids from `first` on, each text `text_bytes` long.
inline ebb::batch_ptr rows_from(std::int64_t first, std::uint32_t count,
                                std::size_t text_bytes = 10) {
  auto made = std::make_shared<ebb::batch>();
  made->rows = count;
  auto ids = ebb::make_column(ebb::sql_type{ebb::type_kind::bigint}, count);
  ebb::text_builder texts{ebb::sql_type{ebb::type_kind::text}, count};
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto id = first + i;
    ids.mutable_data<std::int64_t>()[i] = id;
    auto text = std::to_string(id);
    text.resize(std::max(text.size(), text_bytes), static_cast<char>('a' + id % 26));
    texts.append(text);
  }
  made->columns = {std::move(ids), texts.take()};
  return made;
}

inline ebb::topic_append plain(ebb::batch_ptr rows, std::vector<std::uint32_t> partitions = {}) {
  ebb::topic_append x;
  x.parts.push_back({std::move(rows), std::move(partitions)});
  return x;
}

inline ebb::topic_append from_producer(ebb::batch_ptr rows, const std::string& name,
                                       std::uint64_t sequence, std::uint64_t epoch = 0) {
  auto x = plain(std::move(rows));
  x.producer = ebb::producer_position{name, epoch, sequence};
  return x;
}

inline ebb::topic_append with_key(ebb::batch_ptr rows, const std::string& key) {
  auto x = plain(std::move(rows));
  x.idempotency_key = key;
  return x;
}

inline ebb::topic_append with_mark(ebb::batch_ptr rows, const std::string& sink,
                                   std::uint64_t generation, std::uint64_t epoch) {
  auto x = plain(std::move(rows));
  x.mark = ebb::sink_mark{sink, generation, epoch};
  return x;
}

inline ebb::append_answer append_one(ebb::topic_log& log, const ebb::topic_append& x,
                                     ebb::micros now = 1000) {
  auto answers = log.append({&x, 1}, now);
  BOOST_REQUIRE_EQUAL(answers.size(), 1);
  return std::move(answers.front());
}

/// Appends and fails the test where that does not go well.
inline ebb::append_answer must_append(ebb::topic_log& log, const ebb::topic_append& x,
                                      ebb::micros now = 1000) {
  auto answer = append_one(log, x, now);
  BOOST_REQUIRE_MESSAGE(answer.status == ebb::append_status::appended,
                        to_string(answer.status) << ": " << to_string(answer.problem));
  return answer;
}

inline std::unique_ptr<ebb::topic_log>
open_topic(const std::string& folder, const ebb::topic_options& options, ebb::micros now = 1) {
  return value_of(ebb::topic_log::open(folder, options, now));
}

/// Ids of a partition from `from` on, checked: offsets without gaps, texts that fit the ids.
inline std::vector<std::int64_t> read_ids(ebb::topic_reader& reader, std::uint32_t partition,
                                          std::uint64_t from = 0,
                                          const ebb::topic_read_limits& limits = {}) {
  std::vector<std::int64_t> ids;
  for (auto offset = from;;) {
    const auto slice = value_of(reader.read(partition, offset, limits));
    if (slice.batches.empty()) {
      BOOST_REQUIRE_EQUAL(slice.next, slice.end);
      return ids;
    }
    for (const auto& x : slice.batches) {
      BOOST_REQUIRE_EQUAL(x.first, offset);
      for (std::uint32_t i = 0; i < x.rows->rows; ++i) {
        const auto id = x.rows->columns[0].data<std::int64_t>()[i];
        BOOST_REQUIRE(x.rows->columns[1].text_of(i).starts_with(std::to_string(id)));
        ids.push_back(id);
      }
      offset += x.rows->rows;
    }
    BOOST_REQUIRE_EQUAL(slice.next, offset);
  }
}

inline std::vector<std::int64_t> counted(std::int64_t first, std::int64_t end) {
  std::vector<std::int64_t> ids;
  for (; first < end; ++first)
    ids.push_back(first);
  return ids;
}

} // namespace storage_test

namespace ebb {

inline std::ostream& operator<<(std::ostream& to, append_status x) {
  return to << to_string(x);
}

inline std::ostream& operator<<(std::ostream& to, const topic_range& x) {
  return to << x.partition << ':' << x.first << '+' << x.rows;
}

inline std::ostream& operator<<(std::ostream& to, const topic_bounds& x) {
  return to << x.begin << '-' << x.end;
}

} // namespace ebb
