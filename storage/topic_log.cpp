#include "storage/topic_log.hpp"

#include "schemas/topic_codec.hpp"
#include "storage/failpoint.hpp"
#include "storage/files.hpp"
#include "storage/segment_trailer.hpp"
#include "storage/topic_batches.hpp"
#include "storage/topic_logging.hpp"
#include "storage/topic_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

constexpr std::size_t chunk_bytes = std::size_t{64} << 10;

append_answer refusal(append_status status, error problem) {
  append_answer x;
  x.status = status;
  x.problem = std::move(problem);
  return x;
}

} // namespace

// --- appending -----------------------------------------------------------------------------------

std::uint64_t topic_log::implementation::sealed_bytes() const noexcept {
  return std::accumulate(catalog_.sealed.begin(), catalog_.sealed.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& x) { return sum + x.bytes; });
}

std::uint32_t topic_log::implementation::choose_partition(const topic_append& x) {
  const auto partitions = static_cast<std::uint32_t>(summary_.ends.size());
  if (x.producer || x.mark)
    return static_cast<std::uint32_t>(
        hash_bytes(x.producer ? x.producer->producer : x.mark->sink).low % partitions);
  return turn_++ % partitions;
}

std::vector<append_answer> topic_log::implementation::append(std::span<const topic_append> requests,
                                                             micros now) {
  std::vector<append_answer> answers;
  answers.reserve(requests.size());
  reopen();
  if (failed_) {
    answers.resize(requests.size(), refusal(append_status::failed, *failed_));
    return answers;
  }
  const auto time = std::max(now, last_time_);
  topic_admission admission{*memory_, time};
  topic_group_rows rows{summary_.ends};
  const auto there = sealed_bytes() + file_->bytes();
  std::uint64_t more = 0;
  std::vector<std::size_t> waiting; // for the commit
  const auto answer_to = [&](const topic_append& x) -> append_answer {
    auto decided = admission.decide(x);
    if (!decided.note)
      return std::move(decided.answer);
    std::vector<topic_range> ranges;
    if (decided.append) {
      std::uint64_t bytes = 0;
      for (const auto& part : x.parts)
        bytes += wire_size(*part.rows);
      if (options_.quota_bytes != 0 && there + more + bytes > options_.quota_bytes)
        return refusal(append_status::over_quota,
                       make_error(ec::resource,
                                  fmt::format("the topic holds {} bytes of at most {}",
                                              there + more, options_.quota_bytes),
                                  "send it later, when retention has made room, or raise spec.quota.size "
                                  "of the topic"));
      auto added = rows.add(x, choose_partition(x));
      if (!added)
        return refusal(append_status::invalid,
                       make_error(ec::invalid_argument,
                                  "the partitions of a request's rows are not one a row, or are "
                                  "not all below the topic's number of partitions"));
      more += bytes;
      ranges = *std::move(added);
    }
    admission.admitted(x, decided, ranges);
    decided.answer.ranges = std::move(ranges);
    decided.answer.time = time;
    waiting.push_back(answers.size());
    return std::move(decided.answer);
  };
  for (const auto& x : requests)
    answers.push_back(answer_to(x));
  if (waiting.empty())
    return answers;
  auto done = summary_.rows != 0 && file_->bytes() + more > options_.file_bytes ? roll(time)
                                                                                : result<void>{};
  if (done)
    done = commit(rows, admission.group(), time);
  if (!done)
    for (const auto i : waiting)
      answers[i] = refusal(append_status::failed, done.error());
  return answers;
}

result<void> topic_log::implementation::commit(const topic_group_rows& rows,
                                               const logged_group& group, micros time) {
  auto summary = summary_;
  const auto stored = [&]() -> result<void> {
    EBB_ASSIGN(auto in, file_->begin_write());
    for (const auto p : rows.touched()) {
      stored_batch about{p, 0, summary_.ends[p], time};
      EBB_TRY(encode_batches(
          rows.parts(p), [&](const buffer_ptr& message, std::uint32_t count) -> result<void> {
            about.rows = count;
            EBB_ASSIGN(const auto place, file_->reserve_rows(in, rows_key(p, about.first),
                                                             stored_batch_header + message.size()));
            fill_stored_batch(place, about, message);
            about.first += count;
            return {};
          }));
      EBB_ASSERT(about.first == rows.ends()[p]);
      summary.rows += about.first - summary_.ends[p];
    }
    if (!rows.touched().empty()) {
      summary.first_time = summary_.rows == 0 ? time : summary_.first_time;
      summary.last_time = time;
      summary.ends = rows.ends();
    }
    if (summary.logged >= options_.replayed_requests
        && summary.logged >= memory_->requests() + memory_->keys())
      EBB_TRY(fold(in, summary));
    summary.logged += group.requests.size();
    if (!group.requests.empty())
      EBB_TRY(file_->put(in, topic_table::requests, topic_number_key(summary.next_group++),
                         encode(group)));
    summary.transaction = in.id();
    failpoint("topic.append", failpoint_side::before);
    EBB_TRY(commit(in, summary));
    failpoint("topic.append", failpoint_side::after);
    return {};
  }();
  if (!stored)
    return settle(stored.error());
  memory_->apply(group);
  if (!rows.touched().empty())
    last_time_ = time;
  return {};
}

// What is remembered takes the place of the requests that it comes from.
result<void> topic_log::implementation::fold(lmdb_transaction& in, topic_summary& summary) const {
  const auto chunks = memory_->chunks(chunk_bytes);
  for (std::uint64_t i = 0; i < chunks.size(); ++i)
    EBB_TRY(file_->put(in, topic_table::memory, topic_number_key(i), encode(chunks[i])));
  for (auto i = chunks.size(); i < summary.chunks; ++i)
    EBB_TRY(file_->erase(in, topic_table::memory, topic_number_key(i)));
  for (; summary.first_group < summary.next_group; ++summary.first_group)
    EBB_TRY(file_->erase(in, topic_table::requests, topic_number_key(summary.first_group)));
  summary.chunks = chunks.size();
  summary.logged = 0;
  return {};
}

// After it, `summary_` is what is on disk, unless it fails.
result<void> topic_log::implementation::commit(lmdb_transaction& in, const topic_summary& summary) {
  EBB_TRY(file_->put(in, topic_table::meta, topic_summary_key, encode(summary)));
  EBB_TRY(in.commit());
  summary_ = summary;
  // Only a hint for the next one who opens the log.
  static_cast<void>(lock_.note(topic_note(header_.number, summary.transaction)));
  return {};
}

// Without room a transaction is undone before LMDB writes its header: then the file is as it was.
// Where the header itself found no room (a file system that never writes in place), it is found out
// by opening the file again. After a device error nobody knows what is on disk: the kernel may have
// dropped what it could not write.
error topic_log::implementation::settle(const error& problem) {
  reopens_ = problem.code == ec::resource;
  if (reopens_) {
    const auto next = file_->begin_write();
    if (next && next->id() == summary_.transaction + 1)
      return problem;
  }
  failed_ = make_error(ec::io, "a write to the topic's log has failed before: " + problem.message,
                       "what is in it is found out by opening it again: restart");
  return make_error(ec::io, problem.message,
                    reopens_ ? "make room on the volume; whether it was stored shows when it is "
                               "sent again"
                             : problem.hint);
}

result<void> topic_log::implementation::forget_marks(std::string_view prefix, micros now) {
  reopen();
  if (failed_)
    return *failed_;
  logged_request forgotten;
  forgotten.kind = logged_kind::forgotten;
  forgotten.name = prefix;
  const auto time = std::max(now, last_time_);
  return commit(topic_group_rows{summary_.ends}, {time, {forgotten}}, time);
}

// --- files ---------------------------------------------------------------------------------------

// A map is address space only. One group may be larger than a file should be.
std::uint64_t topic_log::implementation::map_bytes() const noexcept {
  return options_.file_bytes + (std::uint64_t{2} << 30);
}

void topic_log::implementation::publish() {
  auto state = std::make_shared<topic_state>();
  state->newest = file_;
  state->catalog = catalog_;
  slot_->set(std::move(state));
}

// From the rename on the new file is the newest, and nothing may go into the old one any more.
result<void> topic_log::implementation::roll(micros now) {
  const auto old = header_;
  EBB_ASSIGN(const auto bytes, file_bytes(file_->path()));
  topic_file_header header{topic_format, old.uid, old.number + 1, now, summary_.ends};
  auto catalog = catalog_;
  ++catalog.version;
  catalog.sealed.push_back({old.number, bytes, summary_.transaction, summary_.first_time,
                            summary_.last_time, old.begins});
  topic_summary summary;
  summary.ends = summary_.ends;
  bool published = false;
  auto done = topic_file::create(folder_, map_bytes(), header, catalog, summary,
                                 memory_->chunks(chunk_bytes), published);
  const auto old_path = file_->path();
  if (done)
    done = open_newest(header.number, 1);
  if (!done) {
    if (published) {
      failed_ = make_error(ec::io, "a new file of the topic's log failed: " + done.error().message,
                           "what is in the log is found out by opening it again: restart");
      reopens_ = false;
    }
    return done;
  }
  publish();
  static_cast<void>(lock_.note(topic_note(header.number, summary_.transaction)));
  static_cast<void>(lock_.sync());
  // Nobody writes the old one any more, and its readers need no lock.
  static_cast<void>(remove_file(old_path + "-lock"));
  return {};
}

// How many of the sealed files retention lets go.
std::size_t topic_log::implementation::removable(const topic_retention& what, micros now) const {
  const auto& sealed = catalog_.sealed;
  auto left = sealed_bytes() + file_->bytes();
  std::size_t count = 0;
  for (; count < sealed.size(); ++count) {
    const auto& file = sealed[count];
    const auto& ends = count + 1 < sealed.size() ? sealed[count + 1].begins : header_.begins;
    const bool old = what.age != 0 && file.last_time < now - what.age;
    const bool much = what.bytes != 0 && left - file.bytes >= what.bytes;
    const bool needed = !what.needed.empty()
                        && !std::equal(ends.begin(), ends.end(), what.needed.begin(),
                                       [](auto end, auto need) { return end <= need; });
    if (!(old || much) || needed)
      break;
    left -= file.bytes;
  }
  return count;
}

result<retention_outcome> topic_log::implementation::retain(const topic_retention& what,
                                                            micros now) {
  reopen();
  if (failed_)
    return *failed_;
  if (!what.needed.empty() && what.needed.size() != summary_.ends.size())
    return make_error(ec::invalid_argument, "needed offsets are not one a partition");
  const bool all_old =
      what.age != 0 && summary_.rows != 0 && last_time_ < now - what.age
      && removable(what, now) == catalog_.sealed.size()
      && (what.needed.empty()
          || std::equal(summary_.ends.begin(), summary_.ends.end(), what.needed.begin(),
                        [](auto end, auto need) { return end <= need; }));
  if (all_old)
    EBB_TRY(roll(std::max(now, last_time_)));
  const auto count = static_cast<std::ptrdiff_t>(removable(what, now));
  if (count == 0)
    return retention_outcome{};
  auto catalog = catalog_;
  ++catalog.version;
  const std::vector<sealed_topic_file> removed{catalog.sealed.begin(),
                                               catalog.sealed.begin() + count};
  catalog.sealed.erase(catalog.sealed.begin(), catalog.sealed.begin() + count);
  const auto stored = [&]() -> result<void> {
    EBB_ASSIGN(auto in, file_->begin_write());
    EBB_TRY(file_->put(in, topic_table::meta, topic_catalog_key, encode(catalog)));
    auto summary = summary_;
    summary.transaction = in.id();
    summary.catalog_version = catalog.version;
    failpoint("topic.retain", failpoint_side::before);
    EBB_TRY(commit(in, summary));
    failpoint("topic.retain", failpoint_side::after);
    return {};
  }();
  if (!stored)
    return settle(stored.error());
  catalog_ = std::move(catalog);
  publish();
  retention_outcome outcome;
  for (const auto& file : removed) {
    failpoint("topic.unlink", failpoint_side::before);
    EBB_TRY(remove_file(topic_file_path(folder_, file.number)));
    failpoint("topic.unlink", failpoint_side::after);
    ++outcome.files;
    outcome.bytes += file.bytes;
  }
  return outcome;
}

// --- what it knows -------------------------------------------------------------------------------

topic_reader topic_log::implementation::make_reader() const {
  return topic_reader{std::make_unique<topic_file_reading>(folder_, slot_)};
}

std::vector<topic_bounds> topic_log::implementation::bounds() const {
  const auto& begins = catalog_.sealed.empty() ? header_.begins : catalog_.sealed.front().begins;
  std::vector<topic_bounds> all(begins.size());
  for (std::size_t p = 0; p < all.size(); ++p)
    all[p] = {begins[p], summary_.ends[p]};
  return all;
}

topic_size topic_log::implementation::size() const {
  topic_size x;
  x.bytes = sealed_bytes() + (file_ ? file_->bytes() : 0);
  x.files = static_cast<std::uint32_t>(catalog_.sealed.size() + 1);
  x.rows_appended = std::accumulate(summary_.ends.begin(), summary_.ends.end(), std::uint64_t{0});
  if (memory_) {
    x.producers = static_cast<std::uint32_t>(memory_->producers());
    x.requests = static_cast<std::uint32_t>(memory_->requests());
    x.keys = static_cast<std::uint32_t>(memory_->keys());
  }
  return x;
}

std::optional<sink_mark> topic_log::implementation::mark(std::string_view sink) const {
  const auto* known = memory_ ? memory_->find_mark(sink) : nullptr;
  if (known == nullptr)
    return std::nullopt;
  return sink_mark{known->sink, known->generation, known->epoch};
}

// --- log -----------------------------------------------------------------------------------------

topic_log::topic_log(std::unique_ptr<implementation> made) : implementation_(std::move(made)) {}

topic_log::~topic_log() = default;

std::vector<append_answer> topic_log::append(std::span<const topic_append> requests, micros now) {
  return implementation_->append(requests, now);
}

result<retention_outcome> topic_log::retain(const topic_retention& what, micros now) {
  return implementation_->retain(what, now);
}

topic_reader topic_log::make_reader() const {
  return implementation_->make_reader();
}

std::vector<topic_bounds> topic_log::bounds() const {
  return implementation_->bounds();
}

topic_size topic_log::size() const {
  return implementation_->size();
}

std::optional<sink_mark> topic_log::mark(std::string_view sink) const {
  return implementation_->mark(sink);
}

result<void> topic_log::forget_marks(std::string_view prefix, micros now) {
  return implementation_->forget_marks(prefix, now);
}

result<void> topic_log::verify() {
  return implementation_->verify();
}

} // namespace ebb
