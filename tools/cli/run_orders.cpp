#include "tools/cli/run_orders.hpp"

#include "actors/connectors/factory.hpp"
#include "actors/runtime/moment_text.hpp"
#include "actors/runtime/processing_time.hpp"
#include "actors/runtime/stream_store.hpp"
#include "schemas/savepoint_name.hpp"
#include "tools/cli/stats.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace ebb::cli {

namespace {

using json = nlohmann::ordered_json;

std::string message_json(const std::string& text) {
  return json{{"message", text}}.dump();
}

/// What the rounds counted, together; the rest is the newest's.
stream_report together(const std::optional<stream_report>& before, stream_report now) {
  if (!before)
    return now;
  const auto same = [](auto& to, const auto& from, const auto& add) {
    for (auto& x : to)
      for (const auto& y : from)
        if (x.name == y.name)
          add(x, y);
  };
  same(now.sources, before->sources, [](auto& x, const auto& y) {
    x.rows += y.rows;
    x.bytes += y.bytes;
    x.bad_rows += y.bad_rows;
  });
  same(now.operators, before->operators, [](auto& x, const auto& y) {
    x.rows_in += y.rows_in;
    x.rows_out += y.rows_out;
    x.late_rows += y.late_rows;
  });
  same(now.sinks, before->sinks, [](auto& x, const auto& y) {
    x.rows += y.rows;
    x.bytes += y.bytes;
  });
  if (now.checkpoints && before->checkpoints) {
    now.checkpoints->completed += before->checkpoints->completed;
    now.checkpoints->failed += before->checkpoints->failed;
    now.checkpoints->longest = std::max(now.checkpoints->longest, before->checkpoints->longest);
  }
  now.seconds += before->seconds;
  return now;
}

} // namespace

past_output output_of(const std::string& text) {
  return text == "rewind" ? past_output::rewind
         : text == "keep" ? past_output::keep
                          : past_output::refuse;
}

run_orders::run_orders(std::vector<stream_definition> streams, data_options options,
                       std::shared_ptr<shared_ledger> ledger,
                       std::shared_ptr<savepoint_desk> savepoints, run_log& log,
                       std::atomic<bool>& end_round)
    : options_(std::move(options)), ledger_(std::move(ledger)), savepoints_(std::move(savepoints)),
      log_(log), end_round_(end_round) {
  for (auto& x : streams) {
    streams_.emplace_back();
    streams_.back().since = processing_time()();
    streams_.back().definition = std::move(x);
  }
}

run_orders::life* run_orders::find(const std::string& name) {
  const auto found = std::find_if(streams_.begin(), streams_.end(),
                                  [&](const auto& x) { return x.definition.name == name; });
  return found == streams_.end() ? nullptr : &*found;
}

void run_orders::handle(door_request request, const door_answer& answer) {
  std::unique_lock guard(mutex_);
  const auto* found = find(request.stream);
  if (found == nullptr) {
    std::string names;
    for (const auto& x : streams_)
      names += (names.empty() ? "" : ", ") + x.definition.name;
    return answer(make_error(ec::not_found, "no stream " + request.stream + " runs here",
                             "these run: " + names));
  }
  if (request.command == "status")
    return answer(status_of(*found));
  if (request.command == "savepoint") {
    if (found->asleep)
      return answer(make_error(ec::conflict, "stream " + request.stream + " is asleep",
                               "wake it first: ebb wake " + request.stream));
    if (const auto allowed = check_savepoint_name(request.name); !allowed)
      return answer(allowed.error());
    guard.unlock();
    return savepoints_->ask(request.stream, request.name, [answer](const auto& epoch) {
      answer(epoch ? json{{"epoch", *epoch}}.dump() : result<std::string>(epoch.error()));
    });
  }
  order x;
  x.answer = answer;
  if (request.command == "sleep")
    x.what = order_kind::sleep;
  else if (request.command == "wake")
    x.what = order_kind::wake;
  else if (request.command == "scale" && request.parallelism != 0)
    x.what = order_kind::scale;
  else if (request.command == "restore")
    x.what = order_kind::restore;
  else
    return answer(make_error(ec::invalid_argument, "there is no order " + request.command,
                             "the run and the command may be of different versions"));
  x.request = std::move(request);
  const auto already = done_already(x, *found);
  if (!already)
    return answer(already.error());
  if (*already)
    return answer(message_json(**already));
  orders_.push_back(std::move(x));
  end_round_ = true;
  ordered_.notify_one();
}

result<std::optional<std::string>> run_orders::done_already(const order& x, const life& of) {
  using answer = std::optional<std::string>;
  if (of.finished && x.what != order_kind::restore)
    return make_error(ec::conflict, "stream " + of.definition.name + " has completed",
                      "its input has ended, and all of its output is written");
  switch (x.what) {
  case order_kind::sleep:
    return of.asleep ? answer("it was asleep") : answer();
  case order_kind::wake:
    return of.asleep ? answer() : answer("it was awake");
  case order_kind::scale:
    return of.definition.parallelism == x.request.parallelism ? answer("it had as many") : answer();
  case order_kind::restore:
    EBB_TRY(check_savepoint(x, of));
    return answer();
  }
  return answer();
}

result<void> run_orders::check_savepoint(const order& x, const life& of) {
  EBB_ASSIGN(const auto entry,
             ledger_->with([&](stream_ledger& db) { return db.find_stream(of.definition.name); }));
  const auto known = !entry ? result<std::optional<savepoint_entry>>(std::nullopt)
                            : ledger_->with([&](stream_ledger& db) {
                                return db.savepoint(entry->uid, x.request.name);
                              });
  EBB_ASSIGN(const auto found, known);
  if (!found)
    return make_error(ec::not_found, "there is no savepoint " + x.request.name,
                      "ebb checkpoints STREAM --data DIR lists the stream's savepoints");
  EBB_ASSIGN(const auto tokens,
             ledger_->with([&](stream_ledger& db) { return db.tokens(entry->uid); }));
  const auto output = output_of(x.request.sinks);
  EBB_TRY(may_pass(*found, tokens, of.definition, output));
  const auto connectors = make_connectors();
  return check_start(of.definition,
                     outlook_of(options_.folder, found->record, tokens, output), *connectors);
}

std::vector<stream_definition> run_orders::next_round() const {
  std::lock_guard guard(mutex_);
  std::vector<stream_definition> all;
  for (const auto& x : streams_)
    if (!x.asleep && !x.finished)
      all.push_back(x.definition);
  return all;
}

std::shared_ptr<run_data> run_orders::data_of_round() const {
  /// Each stream as it was ordered.
  class routed_data final : public run_data {
  public:
    std::shared_ptr<run_data> others;
    std::vector<std::pair<std::string, std::shared_ptr<run_data>>> restored;

    bool may_drop(const stream_definition& definition) const override {
      return of(definition).may_drop(definition);
    }

    result<start_outlook> look(const stream_definition& definition,
                               const stage_plan& plan) override {
      return of(definition).look(definition, plan);
    }

    result<stream_data> open_stream(const stream_definition& definition,
                                    const stage_plan& plan) override {
      return of(definition).open_stream(definition, plan);
    }

    [[nodiscard]] run_data& of(const stream_definition& definition) const {
      for (const auto& [name, data] : restored)
        if (name == definition.name)
          return *data;
      return *others;
    }
  };

  if (!ledger_)
    return nullptr;
  std::lock_guard guard(mutex_);
  auto made = std::make_shared<routed_data>();
  data_options latest;
  latest.folder = options_.folder;
  made->others = make_run_data(first_ ? options_ : latest, ledger_);
  for (const auto& x : streams_)
    if (x.restore)
      made->restored.emplace_back(x.definition.name, make_run_data(*x.restore, ledger_));
  return made;
}

void run_orders::begun() {
  std::lock_guard guard(mutex_);
  first_ = false;
  held_up_.clear();
  for (auto& x : streams_)
    x.restore.reset();
  for (auto& x : starting_)
    x.answer(message_json({}));
  starting_.clear();
}

void run_orders::held_up(const std::string& why) {
  std::lock_guard guard(mutex_);
  held_up_ = why;
}

void run_orders::note_progress(const run_progress& progress) {
  std::lock_guard guard(mutex_);
  for (const auto& report : progress.streams)
    if (auto* found = find(report.name))
      found->now = report;
}

void run_orders::ended(const std::vector<stream_report>& reports) {
  std::lock_guard guard(mutex_);
  for (const auto& report : reports)
    if (auto* found = find(report.name)) {
      found->before = together(found->before, report);
      found->now.reset();
      if (!report.interrupted) {
        found->finished = true;
        found->since = processing_time()();
      }
    }
}

bool run_orders::take_back(const error& problem) {
  std::lock_guard guard(mutex_);
  if (starting_.empty())
    return false;
  for (auto& x : starting_) {
    log_.tell("error", x.request.stream, x.request.command + " has failed: " + problem.message);
    auto* found = find(x.request.stream);
    found->restore.reset();
    if (x.what == order_kind::scale)
      found->definition.parallelism = found->parallelism_before;
    if (x.what == order_kind::wake)
      found->asleep = true;
    x.answer(problem);
  }
  starting_.clear();
  return true;
}

bool run_orders::carry_out() {
  std::lock_guard guard(mutex_);
  end_round_ = false;
  auto orders = std::exchange(orders_, {});
  for (auto& x : orders)
    carry_out(std::move(x));
  return !orders.empty();
}

void run_orders::carry_out(order x) {
  auto& stream = *find(x.request.stream);
  if (stream.finished && x.what != order_kind::restore)
    return x.answer(make_error(ec::conflict, "stream " + x.request.stream + " has completed",
                               "its input has ended, and all of its output is written"));
  const auto now = processing_time()();
  switch (x.what) {
  case order_kind::sleep:
    stream.asleep = true;
    stream.since = now;
    log_.tell("info", x.request.stream, "asleep, as a person asked");
    return x.answer(message_json({}));
  case order_kind::wake:
    stream.asleep = false;
    log_.tell("info", x.request.stream, "awake, as a person asked");
    break;
  case order_kind::scale:
    stream.parallelism_before = std::exchange(stream.definition.parallelism, x.request.parallelism);
    log_.tell("info", x.request.stream, "scaled to " + std::to_string(x.request.parallelism));
    if (stream.asleep) // the next start has as many
      return x.answer(message_json({}));
    break;
  case order_kind::restore:
    stream.restore = data_options{options_.folder, resume_from::savepoint, x.request.name, false,
                                  output_of(x.request.sinks)};
    stream.finished = false;
    stream.asleep = false;
    log_.tell("info", x.request.stream, "goes back to savepoint " + x.request.name);
    break;
  }
  stream.since = now;
  starting_.push_back(std::move(x));
}

bool run_orders::some_sleep() const {
  std::lock_guard guard(mutex_);
  return std::any_of(streams_.begin(), streams_.end(), [](const auto& x) { return x.asleep; });
}

void run_orders::wait_for_orders(std::chrono::milliseconds at_most) {
  std::unique_lock guard(mutex_);
  ordered_.wait_for(guard, at_most, [this] { return !orders_.empty(); });
}

std::vector<stream_report> run_orders::reports() const {
  std::lock_guard guard(mutex_);
  std::vector<stream_report> all;
  for (const auto& x : streams_)
    if (x.now)
      all.push_back(together(x.before, *x.now));
    else if (x.before)
      all.push_back(*x.before);
  return all;
}

std::string run_orders::status_of(const life& x) const {
  const auto process = "ebb run, process " + std::to_string(::getpid());
  json sentences = json::array();
  const char* phase = "Running";
  const char* reason = "Running";
  if (x.finished) {
    phase = "Stopped";
    reason = "Completed";
    sentences.push_back("its input has ended, and all of its output is written");
  } else if (x.asleep) {
    phase = "Asleep";
    reason = "Requested";
    sentences.push_back("it sleeps in " + process + ", since a person asked for it at "
                        + moment_text(x.since) + ": ebb wake wakes it");
  } else if (!held_up_.empty()) {
    phase = "Waking";
    reason = "DiskFull";
    sentences.push_back("its start in " + process + " is held up: " + held_up_
                        + "; it goes on by itself when there is room");
  } else {
    sentences.push_back("it runs in " + process + ", since " + moment_text(x.since));
  }
  if (x.now) {
    const auto report = together(x.before, *x.now);
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    for (const auto& y : report.sources)
      in += y.rows;
    for (const auto& y : report.sinks)
      out += y.rows;
    sentences.push_back("it has read " + counted(in, "row") + " and written "
                        + std::to_string(out));
    if (const auto held = held_back_by(report); !held.empty())
      sentences.push_back("its event time goes no further than " + held);
    if (report.checkpoints && !report.checkpoints->alarm.empty())
      sentences.push_back("its checkpoint is held up: " + report.checkpoints->alarm);
  }
  return json{{"phase", phase},
              {"reason", reason},
              {"since", moment_text(x.since)},
              {"sentences", std::move(sentences)}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace ebb::cli
