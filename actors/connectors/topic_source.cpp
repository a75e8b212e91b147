#include "actors/connectors/topic_source.hpp"

#include "actors/connectors/time_bound.hpp"
#include "actors/connectors/topic_changes.hpp"
#include "actors/connectors/topic_columns.hpp"
#include "actors/connectors/topic_feed.hpp"
#include "actors/connectors/topic_position.hpp"
#include "actors/dataflow/operators/window_slicer.hpp"
#include "actors/dataflow/partition_news.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace ebb {

namespace {

// How long after an error of the device the log is opened again.
constexpr micros retry_period = 200'000;

error in_source(error problem, const source_definition& source) {
  if (!problem.message.starts_with("source "))
    problem.message = "source " + source.name + ": " + problem.message;
  problem.place = source.place;
  problem.place.field += problem.place.field.empty() ? "topic" : ".topic";
  return problem;
}

/// One partition, from the reader's side.
struct partition_state {
  std::uint32_t number = 0;
  std::uint64_t next = 0; ///< offset of the row to emit next
  std::shared_ptr<const std::string> origin;
};

class topic_source_reader final : public source_reader {
public:
  topic_source_reader(const source_definition& source, const topic_info& topic,
                      std::vector<std::uint32_t> columns, std::vector<partition_state> partitions,
                      std::shared_ptr<topic_feed> feed)
      : source_(source), topic_(topic), columns_(std::move(columns)),
        partitions_(std::move(partitions)), feed_(std::move(feed)),
        time_column_(bounded_time_column(source)),
        keys_(numbers_of(topic.primary_key, topic.columns)) {
    for (std::size_t k = 0; k < columns_.size(); ++k)
      if (source.columns[k].not_null)
        not_null_.push_back(k);
  }

  ~topic_source_reader() override {
    if (feed_)
      feed_->stop();
  }

  topic_source_reader(const topic_source_reader&) = delete;
  topic_source_reader& operator=(const topic_source_reader&) = delete;

  result<read_status> read(micros now, step_budget& budget, output& out) override {
    using kind = read_status::kind;
    if (!feed_)
      return read_status{kind::finished};
    if (retry_at_ != max_time) {
      if (now < retry_at_)
        return read_status{kind::waiting, retry_at_, true};
      retry_at_ = max_time;
      feed_->try_again();
    }
    // Before the rows as well: a partition that was quiet may be behind by now.
    tell_news(out);
    EBB_ASSIGN(const auto status, read_rows(now, budget, out));
    tell_news(out);
    return status;
  }

  source_counters counters() const override {
    return counters_;
  }

  std::uint32_t partitions() const override {
    return static_cast<std::uint32_t>(partitions_.size());
  }

  void positions(std::vector<source_position>& out) const override {
    for (const auto& x : partitions_)
      out.push_back({x.number, false, encode(topic_position{topic_.uid, x.next})});
  }

private:
  void tell_news(output& out) {
    if (source_.time)
      news_.tell({partitions(), 0, feed_->at_end()}, out);
  }

  result<read_status> read_rows(micros now, step_budget& budget, output& out) {
    using kind = read_status::kind;
    while (budget.rows != 0) {
      topic_rows rows;
      std::size_t index = 0;
      auto state = feed_->take(rows, index);
      if (!state)
        return in_source(std::move(state).error(), source_);
      switch (*state) {
      case topic_feed::state::rows:
        EBB_TRY(emit(rows, index, now, budget, out));
        break;
      case topic_feed::state::pending:
        return read_status{kind::waiting, max_time, true};
      case topic_feed::state::at_end:
        return read_status{kind::waiting};
      case topic_feed::state::failed:
        retry_at_ = now + retry_period;
        return read_status{kind::waiting, retry_at_, true};
      }
    }
    return read_status{};
  }

  [[nodiscard]] std::shared_ptr<batch> rows_of(const batch& stored) const {
    if (topic_.changes)
      return std::make_shared<batch>(
          rows_of_messages(stored, topic_.columns.size(), keys_, columns_));
    auto rows = std::make_shared<batch>();
    rows->rows = stored.rows;
    rows->columns.reserve(columns_.size());
    for (const auto k : columns_)
      rows->columns.push_back(stored.columns[k]);
    return rows;
  }

  result<void> emit(const topic_rows& from, std::size_t index, micros now, step_budget& budget,
                    output& out) {
    auto& at = partitions_[index];
    auto rows = rows_of(*from.rows);
    rows->partition = static_cast<std::uint32_t>(index);
    rows->partitions = partitions();
    rows->origin.source = at.origin;
    rows->origin.first = from.first;
    counters_.bytes += byte_size(*rows);
    budget.rows -= std::min(budget.rows, from.rows->rows);
    EBB_ASSIGN(const auto good, without_bad_rows(std::move(rows), now));
    at.next = from.first + from.rows->rows;
    if (good->rows == 0)
      return {};
    counters_.rows += good->rows;
    out.emit(good);
    return {};
  }

  /// What is wrong with a row: of changes, what would be wrong with the row when it came.
  [[nodiscard]] std::optional<error> problem_of(const batch& rows, std::uint32_t i,
                                                micros latest) const {
    for (const auto k : not_null_)
      if (rows.columns[k].is_null(i))
        return make_error(ec::bad_record,
                          origin_text(rows, i) + ": column " + source_.columns[k].name
                              + " is NULL but declared NOT NULL",
                          "leave out NOT NULL, or set onBadRecord: skip");
    if (latest == max_time || rows.columns[*time_column_].is_null(i))
      return std::nullopt;
    const auto time = rows.columns[*time_column_].data<micros>()[i];
    if (time <= latest || time == max_time)
      return std::nullopt;
    return make_error(ec::bad_record, origin_text(rows, i) + ": " + ahead_message(time),
                      "give eventTime.maxAhead more, or set onBadRecord: skip");
  }

  [[nodiscard]] bool may_be_bad(const batch& rows, micros latest) const {
    if (std::any_of(not_null_.begin(), not_null_.end(),
                    [&](auto k) { return rows.columns[k].has_nulls(); }))
      return true;
    if (latest == max_time)
      return false;
    const auto* times = rows.columns[*time_column_].data<micros>();
    return std::any_of(times, times + rows.rows, [&](auto x) { return x > latest; });
  }

  // Checks what the source declares NOT NULL, and times that are too far ahead.
  result<batch_ptr> without_bad_rows(batch_ptr rows, micros now) {
    const auto latest = time_column_ ? saturated_sum(now, *source_.time->max_ahead) : max_time;
    if (!may_be_bad(*rows, latest))
      return rows;
    const auto* weights = rows->weights.as<const std::int32_t>();
    std::vector<std::uint32_t> picks;
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      const bool goes = rows->weights && weights[i] < 0;
      // A row that goes may say no more than its key.
      auto problem = goes && !keys_.empty() ? std::nullopt : problem_of(*rows, i, latest);
      if (!problem) {
        picks.push_back(i);
        continue;
      }
      if (source_.on_bad_record == bad_record_policy::fail)
        return std::move(*problem);
      counters_.bad_rows += goes ? 0 : 1;
    }
    if (picks.size() == rows->rows)
      return rows;
    auto kept = gather(*rows, picks.data(), static_cast<std::uint32_t>(picks.size()));
    kept.partition = rows->partition;
    kept.partitions = rows->partitions;
    return batch_ptr{std::make_shared<batch>(std::move(kept))};
  }

  const source_definition source_;
  const topic_info topic_;
  const std::vector<std::uint32_t> columns_; ///< of the topic, by column of the source
  std::vector<std::size_t> not_null_;        ///< columns of the source
  std::vector<partition_state> partitions_;
  std::shared_ptr<topic_feed> feed_;               ///< null without partitions
  const std::optional<std::uint32_t> time_column_; ///< whose times have an upper bound
  const std::vector<std::uint32_t> keys_;          ///< of the topic's rows, where it has changes
  micros retry_at_ = max_time;
  news_teller news_;
  source_counters counters_;
};

/// Where the stream has got in a partition, if it has a position there.
result<std::optional<std::uint64_t>> recorded_offset(const source_definition& source,
                                                     const topic_info& topic,
                                                     const std::vector<source_position>& positions,
                                                     std::uint32_t partition) {
  const auto found = std::find_if(positions.begin(), positions.end(),
                                  [&](const auto& x) { return x.partition == partition; });
  if (found == positions.end())
    return std::optional<std::uint64_t>{};
  EBB_ASSIGN(const auto at, decode_topic_position(found->bytes, source.name));
  if (at.topic != topic.uid)
    return make_error(ec::conflict,
                      "topic " + topic.name
                          + " is not the one that the stream has read, but a new one of its name",
                      "to read it from its beginning, run the stream with --from fresh");
  return std::optional(at.offset);
}

result<std::uint64_t> first_offset(const source_definition& source, const topic_source& options,
                                   const topic_info& topic, const topic_bounds& bounds,
                                   const std::vector<source_position>& positions,
                                   std::uint32_t partition) {
  EBB_ASSIGN(const auto recorded, recorded_offset(source, topic, positions, partition));
  return recorded ? *recorded : options.latest ? bounds.end : bounds.begin;
}

result<std::unique_ptr<source_reader>> open_checked(const source_definition& source,
                                                    const topic_source& options,
                                                    topic_access& topics,
                                                    const connector_context& context) {
  EBB_ASSIGN(const auto topic, topics.find(options.name));
  EBB_ASSIGN(auto columns, columns_to_read(source, topic));
  EBB_ASSIGN(auto log, topics.open_reader(topic));
  EBB_ASSIGN(const auto bounds, log.bounds());
  std::vector<partition_state> mine;
  std::vector<topic_feed::share> shares;
  for (auto p = context.subtask; p < bounds.size(); p += context.parallelism) {
    EBB_ASSIGN(const auto offset,
               first_offset(source, options, topic, bounds[p], context.positions, p));
    const auto name =
        "source " + source.name + ", topic " + topic.name + ", partition " + std::to_string(p);
    mine.push_back({p, offset, std::make_shared<const std::string>(name)});
    shares.push_back({p, offset});
  }
  std::shared_ptr<topic_feed> feed;
  if (!shares.empty()) {
    feed = std::make_shared<topic_feed>(topic, std::move(shares), topics, std::move(log), context);
    feed->start();
  }
  return std::unique_ptr<source_reader>{std::make_unique<topic_source_reader>(
      source, topic, std::move(columns), std::move(mine), std::move(feed))};
}

} // namespace

result<std::uint32_t> topic_partitions(const source_definition& source, const topic_source& options,
                                       topic_access& topics) {
  auto topic = topics.find(options.name);
  if (!topic)
    return in_source(std::move(topic).error(), source);
  return topic->partitions;
}

result<std::unique_ptr<source_reader>> open_topic_source(const source_definition& source,
                                                         const topic_source& options,
                                                         topic_access& topics,
                                                         const connector_context& context) {
  EBB_ASSERT(context.io != nullptr && context.parallelism > 0);
  auto opened = open_checked(source, options, topics, context);
  if (!opened && opened.error().place.field.empty())
    return in_source(std::move(opened).error(), source);
  return opened;
}

} // namespace ebb
