#include "actors/connectors/file_source.hpp"

#include "actors/connectors/csv_reader.hpp"
#include "actors/connectors/file_feed.hpp"
#include "actors/connectors/json_reader.hpp"
#include "actors/connectors/quarantine.hpp"
#include "actors/connectors/time_bound.hpp"
#include "actors/dataflow/operators/window_slicer.hpp"
#include "actors/dataflow/partition_news.hpp"

#include <algorithm>

namespace ebb {

namespace {

// How often a followed file is looked at.
constexpr micros follow_period = 100'000;
// Files that are read ahead at a time, when they are read one after the other.
constexpr std::size_t open_ahead = 2;

/// At the field's own line where that is known: that of `path` is.
error in_source(error problem, const source_definition& source, const char* key) {
  const auto* options = std::get_if<file_source>(&source.connector);
  const bool known = options != nullptr && options->place.line != 0
                     && std::string_view(key) == "path";
  problem.place = known ? options->place : source.place;
  if (known)
    return problem;
  problem.place.field += problem.place.field.empty() ? "file." : ".file.";
  problem.place.field += key;
  return problem;
}

bool has_checkpoints(const connector_context& context) noexcept {
  return !context.stream_uid.empty();
}

result<std::vector<numbered_file>> checked_files(const source_definition& source,
                                                 const file_source& options,
                                                 const std::string& folder,
                                                 const std::vector<source_position>& known) {
  const char d = options.delimiter;
  if (options.format == record_format::csv
      && (d == '"' || d == '\n' || d == '\r' || d == '\0' || static_cast<unsigned char>(d) >= 0x80))
    return in_source(make_error(ec::invalid_argument,
                                "the delimiter must be one ASCII character, no quote, line end or "
                                "NUL"),
                     source, "delimiter");
  auto files = list_files(options.path, folder);
  // Files that were read to their ends may be gone.
  if (!files && files.error().code == ec::not_found && !known.empty())
    files = std::vector<named_file>{};
  if (!files)
    return in_source(found_at_start(std::move(files).error()), source, "path");
  if (options.follow)
    for (const auto& file : *files)
      if (compression_of(file.path) != compression::none)
        return in_source(make_error(ec::unsupported,
                                    file.shown + " is compressed and cannot be followed",
                                    "follow plain files, or leave out follow"),
                         source, "follow");
  auto numbered = number_files(source.name, *std::move(files), known);
  if (!numbered)
    return in_source(std::move(numbered).error(), source, "path");
  return numbered;
}

class file_source_reader final : public source_reader {
public:
  file_source_reader(const source_definition& source, const file_source& options,
                     std::vector<numbered_file> files, connector_context context)
      : source_(source), options_(options), context_(std::move(context)),
        lane_(context_.io->open_lane()), time_column_(bounded_time_column(source)) {
    if (source.on_bad_record == bad_record_policy::quarantine && !has_checkpoints(context_))
      quarantine_ = std::make_unique<quarantine>(context_, source.name);
    for (auto& file : files) {
      auto& x = files_.emplace_back();
      // A file that is followed has no end.
      x.done = !file.file || (file.finished && !options_.follow);
      x.file = std::move(file);
    }
    context_.positions.clear();
  }

  ~file_source_reader() override {
    for (auto& x : files_)
      if (x.feed)
        x.feed->stop();
  }

  file_source_reader(const file_source_reader&) = delete;
  file_source_reader& operator=(const file_source_reader&) = delete;

  result<read_status> read(micros now, step_budget& budget, output& out) override;

  source_counters counters() const override {
    return {rows_, bytes_, bad_};
  }

  std::uint32_t partitions() const override {
    return static_cast<std::uint32_t>(files_.size());
  }

  void positions(std::vector<source_position>& out) const override;

private:
  struct open_file {
    numbered_file file;
    std::shared_ptr<file_feed> feed;
    std::unique_ptr<record_parser> parser;
    std::unique_ptr<quarantine> bad; ///< with checkpoints
    bool begun = false;              ///< the parser stands where `file.at` says, or behind
    bool done = false;
    bool caught_up = false;
    micros look_at = min_time;
  };

  enum class progress : std::uint8_t { budget_used, pending, caught_up, done };

  void open(std::size_t index);
  void open_next();
  void close(open_file& x);
  [[nodiscard]] result<void> begin(open_file& x);
  [[nodiscard]] quarantine* quarantine_of(const open_file& x) const;
  [[nodiscard]] result<bool> settle();
  [[nodiscard]] partition_news news(const read_status& status, micros now) const;
  result<read_status> read_rows(micros now, step_budget& budget, output& out);
  result<progress> read_file(open_file& x, micros now, step_budget& budget, output& out);
  result<progress> feed(open_file& x, micros now);
  result<void> set_aside(open_file& x);

  const source_definition source_;
  const file_source options_;
  connector_context context_;
  const std::uint64_t lane_;
  const std::optional<std::uint32_t> time_column_; ///< whose times have an upper bound
  std::vector<open_file> files_;
  std::unique_ptr<quarantine> quarantine_;
  std::size_t first_ = 0; ///< files before it are done
  std::size_t turn_ = 0;  ///< follow: which file comes first
  news_teller news_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t bad_ = 0;
};

void file_source_reader::open(std::size_t index) {
  auto& x = files_[index];
  parse_options o;
  o.source = source_.name;
  o.file = x.file.file->shown;
  o.columns = source_.columns;
  o.unit = source_.unit;
  o.on_bad_record = source_.on_bad_record;
  o.delimiter = options_.delimiter;
  o.null = options_.null;
  o.max_record = options_.max_record;
  o.changes = options_.format == record_format::debezium;
  o.key = source_.primary_key;
  o.time_column = time_column_;
  o.partition = static_cast<std::uint32_t>(index);
  o.partitions = static_cast<std::uint32_t>(files_.size());
  // One after the other, unless all are followed at once.
  o.partitions_ended = options_.follow ? 0 : o.partition;
  if (options_.format == record_format::csv)
    x.parser = std::make_unique<csv_reader>(std::move(o));
  else
    x.parser = std::make_unique<json_reader>(std::move(o));
  // Followed files must not wait for each other; others are read in order anyway.
  const auto lane = options_.follow && index != 0 ? context_.io->open_lane() : lane_;
  x.feed = std::make_shared<file_feed>(*x.file.file, x.file.at.text, options_.follow, *context_.io,
                                       lane, context_.wake);
  x.feed->start();
  if (source_.on_bad_record == bad_record_policy::quarantine && !quarantine_)
    x.bad = std::make_unique<quarantine>(context_, source_.name,
                                         static_cast<std::uint32_t>(index) * context_.parallelism
                                             + context_.subtask,
                                         x.file.at.quarantine.offset);
}

// Opens what is read now, and what comes after it.
void file_source_reader::open_next() {
  while (first_ != files_.size() && files_[first_].done)
    ++first_;
  auto ahead = options_.follow ? files_.size() : open_ahead;
  for (auto i = first_; i != files_.size() && ahead != 0; ++i) {
    if (files_[i].done)
      continue;
    --ahead;
    if (!files_[i].feed)
      open(i);
  }
}

void file_source_reader::close(open_file& x) {
  x.file.at.text = x.parser->position();
  x.done = true;
  x.feed.reset();
  x.parser.reset();
}

// The parser goes on where an earlier run has stopped.
result<void> file_source_reader::begin(open_file& x) {
  if (x.begun)
    return {};
  x.begun = true;
  const auto start = x.feed->take_start();
  return start ? x.parser->resume(x.file.at.text, start->header, start->trail) : result<void>{};
}

void file_source_reader::positions(std::vector<source_position>& out) const {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const auto& x = files_[i];
    auto at = x.file.at;
    if (x.parser && x.begun)
      at.text = x.parser->position();
    if (x.bad)
      at.quarantine = x.bad->position();
    out.push_back({static_cast<std::uint32_t>(i) * context_.parallelism + context_.subtask, x.done,
                   encode(at)});
  }
}

quarantine* file_source_reader::quarantine_of(const open_file& x) const {
  return x.bad ? x.bad.get() : quarantine_.get();
}

// True when all bad records are written.
result<bool> file_source_reader::settle() {
  bool all = true;
  for (auto& x : files_) {
    if (!x.bad)
      continue;
    EBB_ASSIGN(const bool settled, x.bad->settle());
    all = all && settled;
    if (!settled)
      continue;
    x.file.at.quarantine = x.bad->position();
    x.bad.reset();
  }
  if (!quarantine_)
    return all;
  return quarantine_->settle();
}

// Gives the parser its next bytes.
result<file_source_reader::progress> file_source_reader::feed(open_file& x, micros now) {
  if (x.caught_up) {
    if (now < x.look_at)
      return progress::caught_up;
    x.caught_up = false;
    x.feed->look_again();
  }
  byte_chunk chunk;
  EBB_ASSIGN(const auto state, x.feed->take(chunk));
  if (state != file_feed::state::pending)
    EBB_TRY(begin(x));
  switch (state) {
  case file_feed::state::chunk:
    bytes_ += chunk.size();
    x.parser->feed(chunk);
    return progress::done;
  case file_feed::state::pending:
    return progress::pending;
  case file_feed::state::caught_up:
    x.caught_up = true;
    x.look_at = now + follow_period;
    return progress::caught_up;
  case file_feed::state::end:
    x.parser->end_input();
    return progress::done;
  }
  EBB_UNREACHABLE("a feed's state");
}

result<void> file_source_reader::set_aside(open_file& x) {
  auto* const to = quarantine_of(x);
  if (to == nullptr)
    return {};
  const auto records = x.parser->take_bad();
  return records.empty() ? result<void>{} : to->add(records);
}

result<file_source_reader::progress>
file_source_reader::read_file(open_file& x, micros now, step_budget& budget, output& out) {
  const auto* bad_ones = quarantine_of(x);
  if (bad_ones != nullptr && bad_ones->is_full())
    return progress::pending;
  while (budget.rows != 0) {
    batch_ptr made;
    const auto bad_before = x.parser->bad_records();
    if (time_column_)
      x.parser->set_latest_time(saturated_sum(now, *source_.time->max_ahead));
    auto state = x.parser->next(budget.rows, made);
    bad_ += x.parser->bad_records() - bad_before;
    EBB_TRY(set_aside(x));
    if (!state)
      return std::move(state).error();
    switch (*state) {
    case record_parser::state::batch:
      rows_ += made->rows;
      budget.rows -= made->rows;
      out.emit(std::move(made));
      break;
    case record_parser::state::starving: {
      EBB_ASSIGN(const auto fed, feed(x, now));
      if (fed != progress::done)
        return fed;
      break;
    }
    case record_parser::state::end:
      return progress::done;
    }
    // A file of bad records alone must not hold the thread: it pays for them, too.
    const auto bad = x.parser->bad_records() - bad_before;
    budget.rows -= static_cast<std::uint32_t>(std::min<std::uint64_t>(bad, budget.rows));
    if (bad_ones != nullptr && bad_ones->is_full())
      return progress::pending;
  }
  return progress::budget_used;
}

result<read_status> file_source_reader::read(micros now, step_budget& budget, output& out) {
  // Before the rows as well: a file that was quiet may have grown by now.
  if (source_.time)
    news_.tell(news({}, now), out);
  EBB_ASSIGN(const auto status, read_rows(now, budget, out));
  if (source_.time)
    news_.tell(news(status, now), out);
  return status;
}

// A followed file that is being looked at may have more; one that is gone never has. Of others only
// one is read at a time, and what is not there yet of it (of a pipe) makes it quiet.
partition_news file_source_reader::news(const read_status& status, micros now) const {
  partition_news result{partitions(), 0, {}};
  if (!options_.follow) {
    result.ended = static_cast<std::uint32_t>(std::min(first_, files_.size()));
    if (status.what == read_status::kind::waiting && !status.coming && first_ < files_.size())
      result.quiet.push_back(result.ended);
    return result;
  }
  for (std::uint32_t i = 0; i < files_.size(); ++i)
    if (files_[i].done || (files_[i].caught_up && now < files_[i].look_at))
      result.quiet.push_back(i);
  return result;
}

result<read_status> file_source_reader::read_rows(micros now, step_budget& budget, output& out) {
  using kind = read_status::kind;
  open_next();
  if (!options_.follow) {
    while (first_ != files_.size()) {
      auto& x = files_[first_];
      EBB_ASSIGN(const auto done, read_file(x, now, budget, out));
      if (done == progress::budget_used)
        return read_status{};
      if (done != progress::done)
        return read_status{kind::waiting, max_time, x.feed->is_plain()};
      close(x);
      open_next();
    }
    EBB_ASSIGN(const bool settled, settle());
    if (!settled)
      return read_status{kind::waiting, max_time, true};
    return read_status{kind::finished};
  }
  // Every followed file gets its turn; none of them ever ends.
  micros until = max_time;
  bool coming = false;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    auto& x = files_[(turn_ + i) % files_.size()];
    if (x.done)
      continue;
    EBB_ASSIGN(const auto done, read_file(x, now, budget, out));
    if (done == progress::budget_used) {
      turn_ = (turn_ + i + 1) % files_.size();
      return read_status{};
    }
    if (done == progress::caught_up)
      until = std::min(until, x.look_at);
    coming |= done == progress::pending && x.feed->is_plain();
  }
  return read_status{files_.empty() ? kind::finished : kind::waiting, until, coming};
}

} // namespace

result<std::uint32_t> file_partitions(const source_definition& source, const file_source& options,
                                      const std::string& folder,
                                      const std::vector<source_position>& known) {
  EBB_ASSIGN(const auto files, checked_files(source, options, folder, known));
  return static_cast<std::uint32_t>(files.size());
}

result<std::unique_ptr<source_reader>> open_file_source(const source_definition& source,
                                                        const file_source& options,
                                                        connector_context context) {
  EBB_ASSERT(context.io != nullptr && context.parallelism > 0);
  EBB_ASSIGN(auto files, checked_files(source, options, context.folder, context.positions));
  std::vector<numbered_file> mine;
  for (std::size_t i = context.subtask; i < files.size(); i += context.parallelism) {
    auto& at = files[i].at.quarantine;
    if (source.on_bad_record == bad_record_policy::quarantine && has_checkpoints(context)) {
      EBB_ASSIGN(at.offset, restore_quarantine(context, source.name, static_cast<std::uint32_t>(i),
                                               i < context.positions.size() ? &at : nullptr));
      at.pending.clear();
    }
    mine.push_back(std::move(files[i]));
  }
  return std::unique_ptr<source_reader>(
      std::make_unique<file_source_reader>(source, options, std::move(mine), std::move(context)));
}

} // namespace ebb
