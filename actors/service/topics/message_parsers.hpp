/// Bodies of requests to rows of a topic's columns.
#pragma once

#include "actors/connectors/json_reader.hpp"
#include "actors/service/topics/topic_settings.hpp"
#include "schemas/batch.hpp"
#include "schemas/error.hpp"
#include "storage/topic_request.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

enum class message_form : std::uint8_t {
  object, ///< one JSON object, on one line or several
  lines,  ///< one JSON object a line
  batch,  ///< a batch as schemas/batch.capnp has it
};

/// Thread-safe: parsers are kept between requests and used by one thread at a time.
class message_parsers {
public:
  message_parsers(std::string topic, schema columns);
  /// Of this topic: bodies of one of changes are Debezium records, and become messages as its log
  /// has them.
  explicit message_parsers(const topic_settings& topic);

  /// All rows of the body, at least one. ec::bad_record for the first bad record, with its line
  /// (of several lines) and field; ec::invalid_argument where the body as a whole is none.
  [[nodiscard]] result<std::vector<topic_part>> parse(message_form form, std::string_view body);

private:
  /// A parser and how many lines it has read: it counts on.
  struct used_parser {
    std::unique_ptr<json_reader> reader;
    std::uint64_t lines = 0;
  };

  [[nodiscard]] used_parser take(std::size_t size_class);
  void give_back(std::size_t size_class, used_parser x);
  [[nodiscard]] result<std::vector<topic_part>> parse_json(std::string_view body, bool lines);
  [[nodiscard]] result<std::vector<topic_part>> parse_batch(std::string_view body) const;
  [[nodiscard]] result<batch_ptr> changes_of(const batch& rows, std::string_view ops,
                                             std::uint64_t lines_before) const;

  const std::string topic_;
  const schema columns_;
  const bool changes_ = false;
  const std::vector<std::string> primary_key_;
  const int key_ = -1; ///< of changes: the column that chooses one of several partitions
  std::mutex mutex_;
  std::array<std::vector<used_parser>, 4> resting_; ///< by most rows of a batch
};

/// Whether a batch from outside is one of these columns: types, NOT NULL, UTF-8, lengths, ranges;
/// without weights. ec::bad_record names column and row.
[[nodiscard]] result<void> check_rows(const batch& rows, const schema& columns);

} // namespace ebb
