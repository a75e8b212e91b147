#include "actors/connectors/file_source.hpp"

#include "actors/connectors/csv_reader.hpp"
#include "actors/connectors/file_feed.hpp"
#include "actors/connectors/json_reader.hpp"
#include "actors/connectors/quarantine.hpp"

#include <algorithm>

namespace ebb {

namespace {

// How often a followed file is looked at.
constexpr micros follow_period = 100'000;
// Files that are read ahead at a time, when they are read one after the other.
constexpr std::size_t open_ahead = 2;

error in_source(error problem, const source_definition& source, const char* key) {
  problem.place = source.place;
  problem.place.field += problem.place.field.empty() ? "file." : ".file.";
  problem.place.field += key;
  return problem;
}

result<std::vector<named_file>> checked_files(const source_definition& source,
                                              const file_source& options,
                                              const std::string& folder) {
  if (options.format == record_format::debezium)
    return in_source(make_error(ec::unsupported, "file sources do not read format debezium yet",
                                "use format json or csv"),
                     source, "format");
  const char d = options.delimiter;
  if (options.format == record_format::csv
      && (d == '"' || d == '\n' || d == '\r' || d == '\0' || static_cast<unsigned char>(d) >= 0x80))
    return in_source(make_error(ec::invalid_argument,
                                "the delimiter must be one ASCII character, no quote, line end or "
                                "NUL"),
                     source, "delimiter");
  auto files = list_files(options.path, folder);
  if (!files)
    return in_source(std::move(files).error(), source, "path");
  if (options.follow)
    for (const auto& file : *files)
      if (compression_of(file.path) != compression::none)
        return in_source(make_error(ec::unsupported,
                                    file.shown + " is compressed and cannot be followed",
                                    "follow plain files, or leave out follow"),
                         source, "follow");
  return files;
}

class file_source_reader final : public source_reader {
public:
  file_source_reader(const source_definition& source, const file_source& options,
                     std::vector<named_file> files, connector_context context)
      : source_(source), options_(options), context_(std::move(context)),
        lane_(context_.io->open_lane()) {
    if (source.on_bad_record == bad_record_policy::quarantine)
      quarantine_ = std::make_unique<quarantine>(context_, source.name);
    for (auto& file : files)
      files_.push_back({std::move(file), nullptr, nullptr, false, false, min_time});
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

private:
  struct open_file {
    named_file file;
    std::shared_ptr<file_feed> feed;
    std::unique_ptr<record_parser> parser;
    bool done = false;
    bool caught_up = false;
    micros look_at = min_time;
  };

  enum class progress : std::uint8_t { budget_used, pending, caught_up, done };

  void open(std::size_t index);
  result<progress> read_file(open_file& x, micros now, step_budget& budget, output& out);
  result<progress> feed(open_file& x, micros now);
  result<void> set_aside(record_parser& parser);

  const source_definition source_;
  const file_source options_;
  connector_context context_;
  const std::uint64_t lane_;
  std::vector<open_file> files_;
  std::unique_ptr<quarantine> quarantine_;
  std::size_t first_ = 0; ///< files before it are done
  std::size_t turn_ = 0;  ///< follow: which file comes first
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t bad_ = 0;
};

void file_source_reader::open(std::size_t index) {
  auto& x = files_[index];
  parse_options o;
  o.source = source_.name;
  o.file = x.file.shown;
  o.columns = source_.columns;
  o.unit = source_.unit;
  o.on_bad_record = source_.on_bad_record;
  o.delimiter = options_.delimiter;
  o.null = options_.null;
  o.max_record = options_.max_record;
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
  x.feed = std::make_shared<file_feed>(x.file, options_.follow, *context_.io, lane, context_.wake);
  x.feed->start();
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

result<void> file_source_reader::set_aside(record_parser& parser) {
  if (!quarantine_)
    return {};
  const auto records = parser.take_bad();
  return records.empty() ? result<void>{} : quarantine_->add(records);
}

result<file_source_reader::progress>
file_source_reader::read_file(open_file& x, micros now, step_budget& budget, output& out) {
  while (budget.rows != 0) {
    batch_ptr made;
    const auto bad_before = x.parser->bad_records();
    auto state = x.parser->next(budget.rows, made);
    bad_ += x.parser->bad_records() - bad_before;
    EBB_TRY(set_aside(*x.parser));
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
    if (quarantine_ && quarantine_->is_full())
      return progress::pending;
  }
  return progress::budget_used;
}

result<read_status> file_source_reader::read(micros now, step_budget& budget, output& out) {
  using kind = read_status::kind;
  if (quarantine_ && quarantine_->is_full())
    return read_status{kind::waiting};
  while (first_ != files_.size() && files_[first_].done)
    ++first_;
  const auto ahead = options_.follow ? files_.size() : std::min(first_ + open_ahead, files_.size());
  for (auto i = first_; i < ahead; ++i)
    if (!files_[i].feed && !files_[i].done)
      open(i);
  if (!options_.follow) {
    while (first_ != files_.size()) {
      auto& x = files_[first_];
      EBB_ASSIGN(const auto done, read_file(x, now, budget, out));
      if (done == progress::budget_used)
        return read_status{};
      if (done != progress::done)
        return read_status{kind::waiting};
      x.done = true;
      x.feed.reset();
      x.parser.reset();
      ++first_;
      if (first_ + 1 < files_.size())
        open(first_ + 1);
    }
    if (quarantine_) {
      EBB_ASSIGN(const bool settled, quarantine_->settle());
      if (!settled)
        return read_status{kind::waiting};
    }
    return read_status{kind::finished};
  }
  // Every followed file gets its turn; none of them ever ends.
  micros until = max_time;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    auto& x = files_[(turn_ + i) % files_.size()];
    EBB_ASSIGN(const auto done, read_file(x, now, budget, out));
    if (done == progress::budget_used) {
      turn_ = (turn_ + i + 1) % files_.size();
      return read_status{};
    }
    if (done == progress::caught_up)
      until = std::min(until, x.look_at);
  }
  return read_status{files_.empty() ? kind::finished : kind::waiting, until};
}

} // namespace

result<std::uint32_t> file_partitions(const source_definition& source, const file_source& options,
                                      const std::string& folder) {
  EBB_ASSIGN(const auto files, checked_files(source, options, folder));
  return static_cast<std::uint32_t>(files.size());
}

result<std::unique_ptr<source_reader>> open_file_source(const source_definition& source,
                                                        const file_source& options,
                                                        connector_context context) {
  EBB_ASSERT(context.io != nullptr && context.parallelism > 0);
  EBB_ASSIGN(auto files, checked_files(source, options, context.folder));
  std::vector<named_file> mine;
  for (std::size_t i = context.subtask; i < files.size(); i += context.parallelism)
    mine.push_back(std::move(files[i]));
  return std::unique_ptr<source_reader>(
      std::make_unique<file_source_reader>(source, options, std::move(mine), std::move(context)));
}

} // namespace ebb
