/// Bytes of one file to batches: what CSV and JSON readers share. Pure: no files, no threads.
#pragma once

#include "actors/connectors/file_chunk.hpp"
#include "actors/connectors/file_position.hpp"
#include "actors/connectors/file_rows.hpp"
#include "actors/plan/manifest.hpp"
#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// What a parser must know of its source.
struct parse_options {
  std::string source; ///< name of the source
  std::string file;   ///< as messages show it
  schema columns;
  timestamp_unit unit = timestamp_unit::ms;
  bad_record_policy on_bad_record = bad_record_policy::fail;
  char delimiter = ',';
  std::vector<std::string> null = {""};
  std::uint64_t max_record = std::uint64_t{16} << 20; ///< bytes, line end not counted
  std::uint32_t batch_rows = 4096;                    ///< most rows of a batch
  std::optional<std::uint32_t> time_column;           ///< that `set_latest_time` is about
  bool changes = false;                               ///< records are changes (format debezium)
  std::vector<std::string> key; ///< changes: the columns that `before` is matched by; none = all
  std::uint32_t partition = 0;  ///< of the batches
  std::uint32_t partitions = 1; ///< of the reader
  std::uint32_t partitions_ended = 0; ///< before this one has rows
};

/// A record that was left out under `quarantine`.
struct bad_record {
  std::string error;
  std::uint64_t number = 0; ///< record number in its file, from 1
  std::string raw;          ///< the record's bytes, at most `raw_bytes_max`
  std::uint64_t length = 0; ///< bytes of the whole record, without its line end
};

/// What is kept of a bad record.
inline constexpr std::size_t raw_bytes_max = std::size_t{64} << 10;

/// Turns chunks into batches. Batches are cut at the end of a chunk, so that each keeps few chunks
/// alive. The result does not depend on where the chunks are cut.
class record_parser {
public:
  enum class state : std::uint8_t {
    batch,    ///< a batch was made
    starving, ///< feed() or end_input() comes next
    end,      ///< all input was read
  };

  explicit record_parser(parse_options options);
  virtual ~record_parser() = default;
  record_parser(const record_parser&) = delete;
  record_parser& operator=(const record_parser&) = delete;

  /// Goes on behind `at`, before anything is fed. `header`: the text's first `at.header` bytes;
  /// `trail`: of the bytes before `at`.
  [[nodiscard]] result<void> resume(const text_position& at, const byte_chunk& header,
                                    const text_trail& trail);

  /// Takes the next bytes. Only in state `starving` (or before the first `next`).
  void feed(const byte_chunk& chunk);
  /// There are no more bytes.
  void end_input();

  /// Records with times behind it are bad from now on.
  void set_latest_time(micros latest) noexcept {
    builder_.set_latest(latest);
  }

  /// Makes at most one batch of at most `rows` rows (at least 1).
  [[nodiscard]] result<state> next(std::uint32_t rows, batch_ptr& out);

  /// Where the parser stands. Between two calls of `next`: behind all rows given out.
  [[nodiscard]] text_position position() const;

  [[nodiscard]] std::uint64_t good_records() const noexcept {
    return good_;
  }

  [[nodiscard]] std::uint64_t bad_records() const noexcept {
    return bad_;
  }

  /// Records left out since the last call (quarantine only).
  [[nodiscard]] std::vector<bad_record> take_bad() {
    return std::exchange(quarantined_, {});
  }

protected:
  enum class progress : std::uint8_t {
    full,       ///< as many rows as asked for
    incomplete, ///< [at_, end_) holds no whole record
    failed,     ///< `failure_` is set
  };

  /// Reads records from `at_` on until the builder holds `rows` rows, and moves `at_` behind them.
  virtual progress parse(std::uint32_t rows) = 0;
  /// The end of the record that starts at `from` when `restart`, else goes on with the search of
  /// the last call; null when it is not in [from, to). Lenient: works on bad records.
  virtual const char* find_end(const char* from, const char* to, bool restart) = 0;

  /// Adds what the parser knows of the rows besides their columns.
  virtual void complete(batch& rows) {
    static_cast<void>(rows);
  }

  /// Reads the header, which lies whole in [at_, end_).
  virtual result<void> reread_header() {
    return {};
  }

  /// The header ends at at_.
  void note_header() noexcept {
    header_ = offset();
  }

  /// Deals with a bad record as the source's policy says; its number is `number_`, its first line
  /// `line_`. `raw` may hold its line end. False when the stream must fail.
  bool reject(std::string_view raw, value_problem problem);
  /// Fails whatever the policy is.
  void fail_file(value_problem problem, std::string hint);
  [[nodiscard]] value_problem too_long() const;
  /// Whether `text` is longer than a record may be.
  [[nodiscard]] bool over_limit(std::string_view text) const noexcept;

  parse_options options_;
  row_builder builder_;
  std::uint64_t number_ = 1; ///< of the record at at_
  std::uint64_t line_ = 1;   ///< of the first byte at at_
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::optional<error> failure_;
  bool ended_ = false;
  bool skippable_ = true; ///< the record at at_ may be left out (a header may not)

private:
  enum class mode : std::uint8_t { normal, long_record, discarding };

  /// Of at_ within the text.
  [[nodiscard]] std::uint64_t offset() const noexcept {
    return std::min(text_size_, fed_ - static_cast<std::uint64_t>(end_ - at_));
  }

  void remember();
  void adopt(const byte_chunk& chunk);
  void append(const byte_chunk& chunk);
  /// False when too little is there to tell, or `failure_` is set: compressed text is no record.
  bool skip_byte_order_mark();
  bool search_on();
  /// No record can begin at at_ and end behind end_.
  [[nodiscard]] bool reaches_limit() const noexcept;
  void starve();
  void start_discarding();
  bool discard();
  void note_discarded(std::string_view bytes);
  /// `raw`: the record's beginning, without the line end; `length`: of the whole.
  bool reject_whole(std::string_view raw, std::uint64_t length, value_problem problem);
  batch_ptr emit();

  buffer_ptr memory_;
  text_trail trail_;              ///< of the bytes before trailed_
  const char* trailed_ = nullptr; ///< in [memory, at_]
  std::uint64_t text_size_ = 0;   ///< bytes of the text so far
  std::uint64_t fed_ = 0;         ///< the same, and the line feed that end_input may add
  std::uint64_t header_ = 0;
  std::optional<text_position> held_; ///< the start of the record being discarded
  std::shared_ptr<const std::string> origin_;
  std::vector<bad_record> quarantined_;
  std::string discarded_raw_;
  std::string discarded_end_; ///< its last two bytes
  std::uint64_t discarded_size_ = 0;
  const char* searched_ = nullptr;
  std::uint64_t good_ = 0;
  std::uint64_t bad_ = 0;
  std::uint64_t discarded_lines_ = 0;
  mode mode_ = mode::normal;
  bool started_ = false;
};

} // namespace ebb
