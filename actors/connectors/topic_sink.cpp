#include "actors/connectors/topic_sink.hpp"

#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_output.hpp"
#include "actors/connectors/sink_parts.hpp"
#include "actors/connectors/topic_appender.hpp"
#include "actors/connectors/topic_changes.hpp"
#include "actors/connectors/topic_columns.hpp"
#include "actors/connectors/topic_output.hpp"
#include "actors/connectors/topic_partitions.hpp"
#include "actors/dataflow/checked_sink.hpp"

#include <cerrno>
#include <charconv>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace ebb {

namespace {

// What `sealed_output::target` says: this, the topic's uid, generation, epoch and the mark's name.
constexpr std::string_view target_kind = "topic ";

std::string target_of(const std::string& topic, const sink_mark& mark) {
  return std::string(target_kind) + topic + ' ' + std::to_string(mark.generation) + ' '
         + std::to_string(mark.epoch) + ' ' + mark.sink;
}

struct target {
  std::string topic;
  sink_mark mark;
};

result<target> parse_target(std::string_view text) {
  const auto whole = text;
  target made;
  text.remove_prefix(target_kind.size());
  const auto word = [&] {
    const auto found = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), found.size() + 1));
    return found;
  };
  const auto number = [&](std::uint64_t& to) {
    const auto digits = word();
    const auto* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, to);
    return !digits.empty() && parsed.ec == std::errc{} && parsed.ptr == end;
  };
  made.topic = word();
  if (made.topic.empty() || !number(made.mark.generation) || !number(made.mark.epoch)
      || text.empty())
    return make_error(ec::corrupt, "output for the unknown target " + std::string(whole),
                      "it was written by another version of ebb: run that one");
  made.mark.sink = text;
  return made;
}

/// Makes what a topic takes of what a query gives.
class part_maker {
public:
  part_maker(topic_rows_maker rows, const topic_info& topic, const std::string& lane,
             std::optional<std::vector<std::uint32_t>> unique_key)
      : rows_(std::move(rows)), partitions_(topic.partitions), width_(topic.columns.size()) {
    if (topic.changes)
      fold_ = std::make_shared<change_fold>(width_, std::move(unique_key));
    if (topic.key.empty())
      partition_ = partition_of_sender(lane, topic.partitions);
    else
      key_ = column_named(topic.columns, topic.key);
  }

  /// Without rows where the batch takes back all that it brings.
  [[nodiscard]] result<topic_part> part_of(const batch& from) const {
    topic_part made;
    EBB_ASSIGN(made.rows, rows_.rows_of(from));
    if (fold_)
      return changes_of(*made.rows);
    made.partitions =
        key_ < 0
            ? std::vector<std::uint32_t>{partition_}
            : partitions_by_key(made.rows->columns[static_cast<std::size_t>(key_)], partitions_);
    return made;
  }

private:
  [[nodiscard]] topic_part changes_of(const batch& rows) const {
    auto changes = fold_->of(rows);
    if (key_ >= 0 && partitions_ > 1)
      changes = within_partitions(rows, changes);
    topic_part made;
    if (changes.empty()) {
      made.rows = std::make_shared<batch>();
      return made;
    }
    made.rows = messages_of(rows, changes);
    made.partitions =
        key_ < 0
            ? std::vector<std::uint32_t>{partition_}
            : partitions_by_key(newest_values(*made.rows, width_, static_cast<std::uint32_t>(key_)),
                                partitions_);
    return made;
  }

  /// An update that moves a row to another partition is a deletion in one and a row in the other.
  [[nodiscard]] std::vector<row_change>
  within_partitions(const batch& rows, const std::vector<row_change>& changes) const {
    const auto chosen =
        partitions_by_key(rows.columns[static_cast<std::size_t>(key_)], partitions_);
    std::vector<row_change> made;
    for (const auto& x : changes) {
      const bool moves = x.before != row_change::no_row && x.after != row_change::no_row
                         && chosen[x.before] != chosen[x.after];
      if (!moves) {
        made.push_back(x);
        continue;
      }
      made.push_back({x.before, row_change::no_row});
      made.push_back({row_change::no_row, x.after});
    }
    return made;
  }

  topic_rows_maker rows_;
  std::uint32_t partitions_;
  std::size_t width_;
  std::shared_ptr<change_fold> fold_; ///< null = the topic takes rows
  std::uint32_t partition_ = 0;
  int key_ = -1;
};

class staging_sink final : public sink_writer, public checked_sink {
public:
  staging_sink(part_maker parts, sink_mark mark, std::unique_ptr<file_output> output,
               std::shared_ptr<std::atomic<bool>> stopped)
      : parts_(std::move(parts)), mark_(std::move(mark)), output_(std::move(output)),
        stopped_(std::move(stopped)) {}

  ~staging_sink() override {
    abandon();
  }

  staging_sink(const staging_sink&) = delete;
  staging_sink& operator=(const staging_sink&) = delete;

  result<void> write(const batch_ptr& rows) override {
    if (rows->rows == 0)
      return {};
    EBB_ASSIGN(const auto part, parts_.part_of(*rows));
    rows_ += part.rows->rows;
    if (part.rows->rows == 0)
      return {};
    return output_->append([&](output_buffer& out) -> result<void> {
      encoder_.add(part, out);
      return {};
    });
  }

  std::size_t backlog() const override {
    return output_->backlog();
  }

  result<void> seal(epoch_number epoch) override {
    const auto rows = encoder_.rows();
    return output_->seal(epoch, rows, [&](output_buffer& out) -> result<void> {
      mark_.epoch = epoch;
      if (rows != 0)
        encoder_.end(mark_, out);
      return {};
    });
  }

  result<std::optional<sealed_output>> sealed() override {
    return output_->take_sealed();
  }

  result<void> check() const override {
    return output_->check();
  }

  result<bool> finish() override {
    // Rows behind the last epoch belong to none: they will be made again.
    return output_->finish([](output_buffer&) -> result<void> { return {}; });
  }

  void abandon() override {
    output_->abandon();
    *stopped_ = true;
  }

  sink_counters counters() const override {
    return {rows_, output_->bytes(), 0};
  }

private:
  part_maker parts_;
  sink_mark mark_;
  topic_output_encoder encoder_;
  std::unique_ptr<file_output> output_;
  std::shared_ptr<std::atomic<bool>> stopped_; ///< a write must not wait for room any more
  std::uint64_t rows_ = 0;
};

class appending_sink final : public sink_writer, public checked_sink {
public:
  appending_sink(part_maker parts, std::uint32_t lane, std::shared_ptr<topic_appender> appender)
      : parts_(std::move(parts)), lane_(lane), appender_(std::move(appender)) {}

  ~appending_sink() override {
    abandon();
  }

  appending_sink(const appending_sink&) = delete;
  appending_sink& operator=(const appending_sink&) = delete;

  result<void> write(const batch_ptr& rows) override {
    if (rows->rows == 0)
      return {};
    EBB_ASSIGN(auto part, parts_.part_of(*rows));
    counters_.rows += part.rows->rows;
    if (part.rows->rows == 0)
      return {};
    counters_.bytes += byte_size(*part.rows);
    return appender_->append(std::move(part));
  }

  std::size_t backlog() const override {
    return appender_->backlog();
  }

  result<void> seal(epoch_number) override {
    sealing_ = appender_->sent();
    sealed_rows_ = counters_.rows - std::exchange(counted_, counters_.rows);
    return {};
  }

  result<std::optional<sealed_output>> sealed() override {
    std::optional<sealed_output> made;
    EBB_ASSIGN(const bool answered, appender_->answered(sealing_));
    if (answered) {
      made.emplace();
      made->lane = lane_;
      made->rows = sealed_rows_;
    }
    return made;
  }

  result<void> check() const override {
    EBB_TRY(appender_->answered(0));
    return {};
  }

  result<bool> finish() override {
    return appender_->answered(appender_->sent());
  }

  void abandon() override {
    appender_->stop();
  }

  sink_counters counters() const override {
    return counters_;
  }

private:
  part_maker parts_;
  std::uint32_t lane_;
  std::shared_ptr<topic_appender> appender_;
  std::uint64_t sealing_ = 0; ///< requests before the epoch's end
  std::uint64_t sealed_rows_ = 0;
  std::uint64_t counted_ = 0;
  sink_counters counters_;
};

result<std::unique_ptr<sink_writer>> open_checked(const sink_definition& sink,
                                                  const topic_sink& options, const schema& columns,
                                                  topic_access& topics,
                                                  const connector_context& context) {
  EBB_ASSIGN(const auto topic, topics.find(options.name));
  EBB_ASSIGN(auto rows, topic_rows_maker::make(sink, columns, topic));
  const auto& owner = context.stream_uid.empty() ? context.stream : context.stream_uid;
  sink_mark mark{topic_mark_name(owner, sink.name, context.subtask), context.generation, 0};
  std::optional<std::vector<std::uint32_t>> key;
  std::optional<std::vector<std::string>> names;
  if (context.unique_key) {
    key.emplace();
    names.emplace();
    for (const auto x : *context.unique_key) {
      key->push_back(rows.column_of(x));
      names->push_back(columns[x].name);
    }
  }
  if (context.updating)
    if (const auto x = check_unique_key(topic.name, topic.primary_key, names); !x.message.empty())
      return make_error(ec::invalid_argument, x.message, x.hint);
  part_maker parts(std::move(rows), topic, mark.sink, std::move(key));
  if (write_mode_of(context) != write_mode::exactly_once) {
    auto appender = std::make_shared<topic_appender>(topics, topic, context.wake);
    return std::unique_ptr<sink_writer>{
        std::make_unique<appending_sink>(std::move(parts), context.subtask, std::move(appender))};
  }
  EBB_ASSIGN(auto how, stage_in_output_folder(sink.name, context, context.subtask));
  how.has_offsets = false;
  how.target = [uid = topic.uid, mark](epoch_number epoch) {
    auto at = mark;
    at.epoch = epoch;
    return target_of(uid, at);
  };
  auto stopped = how.stopped;
  auto output = std::make_unique<file_output>(make_staged_target(std::move(how)), context);
  return std::unique_ptr<sink_writer>{std::make_unique<staging_sink>(
      std::move(parts), std::move(mark), std::move(output), std::move(stopped))};
}

} // namespace

result<std::unique_ptr<sink_writer>> open_topic_sink(const sink_definition& sink,
                                                     const topic_sink& options,
                                                     const schema& columns, topic_access& topics,
                                                     const connector_context& context) {
  EBB_ASSERT(context.io != nullptr);
  auto opened = open_checked(sink, options, columns, topics, context);
  if (opened || !opened.error().place.field.empty())
    return opened;
  auto problem = std::move(opened).error();
  problem.message = "sink " + sink.name + ": " + problem.message;
  problem.place = sink.place;
  problem.place.field += problem.place.field.empty() ? "topic" : ".topic";
  return problem;
}

bool is_for_topic(const sealed_output& output) noexcept {
  return std::string_view(output.target).starts_with(target_kind);
}

result<void> apply_to_topic(const sealed_output& output, topic_access& topics) {
  if (output.file.empty())
    return {};
  EBB_ASSIGN(const auto to, parse_target(output.target));
  EBB_TRY(topics.append_file(to.topic, output.file, to.mark));
  if (::unlink(output.file.c_str()) != 0 && errno != ENOENT)
    return file_error("remove", output.file, errno);
  return {};
}

} // namespace ebb
