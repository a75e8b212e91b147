/// Manifests as typed values: what the YAML says, checked, with defaults filled in.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ebb {

enum class bad_record_policy : std::uint8_t { fail, skip, quarantine };
enum class record_format : std::uint8_t { json, csv, debezium };
enum class timestamp_unit : std::uint8_t { s, ms, us, ns };

struct file_source {
  std::string path; ///< a file, folder or glob; absolute, or relative to the manifest's folder
  record_format format = record_format::json;
  char delimiter = ',';
  std::vector<std::string> null = {""}; ///< CSV spellings of NULL
  bool follow = false;
  std::uint64_t max_record = std::uint64_t{16} << 20; ///< bytes
  error_place place = {};                             ///< of `path`
};

enum class nexmark_table : std::uint8_t { person, auction, bid };

struct nexmark_source {
  nexmark_table table = nexmark_table::bid;
  std::uint64_t events = 0;                  ///< numbers of all three tables; 0 = without end
  std::uint64_t events_per_second = 100'000; ///< of event time
  std::uint64_t rate = 0;                    ///< of real time; 0 = as fast as it goes
  std::uint64_t seed = 0;
};

/// Values of `generator` are functions of the row number, so a run can be repeated.
struct generator_source {
  std::uint64_t rows = 0;           ///< 0 = without end
  std::uint64_t rate = 0;           ///< rows a second; 0 = as fast as it goes
  std::vector<std::string> columns; ///< a SQL expression over `n` (BIGINT row number) per column
};

struct topic_source {
  std::string name;                           ///< within the stream's namespace
  bool latest = false;                        ///< a partition without a position begins at its end
  record_format format = record_format::json; ///< as the topic's: json or debezium
};

struct event_time {
  std::string column;
  micros max_delay = 0;
  std::optional<micros> idle_after;
  std::optional<micros> max_ahead; ///< rows further ahead of the clock are bad records
  error_place place;               ///< of `column`
};

struct source_definition {
  std::string name;
  schema columns;
  std::vector<std::string> primary_key;
  bool replaces = false; ///< onConflict: replace; a row takes the place of the one of its key
  std::optional<event_time> time;
  timestamp_unit unit = timestamp_unit::ms;
  bad_record_policy on_bad_record = bad_record_policy::fail;
  std::variant<file_source, nexmark_source, generator_source, topic_source> connector;
  error_place place;
};

struct operator_definition {
  std::string name;
  std::string sql;
  error_place
      sql_place; ///< of the first character of `sql`, so that SQL errors can point into YAML
  /// The SQL is a block scalar (`|`): its lines are the file's lines, indented by `sql_indent`.
  bool sql_is_block = false;
  std::uint32_t sql_indent = 0;
  std::optional<std::uint32_t> parallelism;
  std::optional<micros> state_retention;
  error_place place;
};

struct file_sink {
  std::string path;
  record_format format = record_format::json;
  char delimiter = ',';
};

enum class stdout_format : std::uint8_t { table, json, csv };

struct stdout_sink {
  stdout_format format = stdout_format::table;
};

/// Takes every row and column and forgets them; with `hash`, sums a hash of all rows first.
struct discard_sink {
  bool hash = false;
};

struct topic_sink {
  std::string name;                           ///< within the stream's namespace
  record_format format = record_format::json; ///< as the topic's: json or debezium
};

struct sink_definition {
  std::string name;
  std::string from; ///< operator or source
  std::variant<file_sink, stdout_sink, discard_sink, topic_sink> connector;
  error_place place;
};

inline constexpr const char* default_namespace = "default";

/// `name` in namespace `default`, else `name_space.name`: what ledgers and folders know it by.
[[nodiscard]] std::string qualified_name(const std::string& name_space, const std::string& name);

/// When a stream of a service goes to sleep.
struct sleep_definition {
  std::optional<micros> idle_after = 60 * micros_per_second; ///< nothing = never
  /// A quiet stream's event time moves on, `advance_after` without rows; else its windows wait.
  bool advance = false;
  micros advance_after = 5 * micros_per_second;

  bool operator==(const sleep_definition&) const = default;
};

struct stream_definition {
  std::string name; ///< qualified
  std::string name_space = default_namespace;
  std::string folder; ///< the manifest's folder; relative paths start here
  std::vector<source_definition> sources;
  std::vector<operator_definition> operators;
  std::vector<sink_definition> sinks;
  std::uint32_t parallelism = 1;
  std::uint32_t workers = 1; ///< processes that a service spreads the subtasks over, at most
  std::uint16_t max_parallelism = 128;
  micros checkpoint_interval = 10 * micros_per_second;
  bool exactly_once = true;
  bool reset_state = false; ///< onChange: reset
  sleep_definition sleep;
  std::string text; ///< of its document alone: a manifest of its own
  error_place place;
};

struct topic_definition {
  std::string name; ///< qualified
  std::string name_space = default_namespace;
  schema columns;
  std::vector<std::string> primary_key; ///< format debezium: of the rows that changes are about
  std::uint32_t partitions = 1;
  std::string key; ///< column whose value chooses the partition; empty = none
  micros retention_age = 7 * micros_per_day;
  std::uint64_t retention_bytes = std::uint64_t{1} << 30;
  std::uint64_t quota_bytes = 0;              ///< messages beyond are refused; 0 = none
  record_format format = record_format::json; ///< of messages
  std::string text;                           ///< of its document alone
  error_place place;
};

/// Documents of one file, by kind, each kind in the file's order.
struct manifest_documents {
  std::vector<stream_definition> streams;
  std::vector<topic_definition> topics;
};

/// All documents of one file. Every error carries file, line, column and field path; the first one
/// is returned. `warnings` gets what is allowed but odd (an unused source). A file without any
/// document is an error.
[[nodiscard]] result<manifest_documents>
parse_documents(std::string_view text, const std::string& file, std::vector<error>& warnings);

/// The streams of a file that holds nothing else: topics need the service (ec::unsupported).
[[nodiscard]] result<std::vector<stream_definition>>
parse_manifest(std::string_view text, const std::string& file, std::vector<error>& warnings);

/// `250ms 10s 5m 1h 7d` in microseconds.
[[nodiscard]] result<micros> parse_duration(std::string_view text);
/// `512`, `64Mi`, `1Gi` in bytes.
[[nodiscard]] result<std::uint64_t> parse_size(std::string_view text);

/// The nearest of `candidates` to `word` (edit distance ≤ ⅓ of its length), or empty.
[[nodiscard]] std::string nearest_name(std::string_view word,
                                       const std::vector<std::string>& candidates);

} // namespace ebb
