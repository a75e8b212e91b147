#include "actors/service/topics/topic_host.hpp"

#include "actors/service/topics/topic_keys.hpp"

#include <algorithm>

namespace ebb {

namespace {

append_answer failed(const error& why) {
  append_answer x;
  x.problem = why;
  return x;
}

} // namespace

topic_host::topic_host(topic_settings settings, std::shared_ptr<topic_surroundings> around)
    : uid_(settings.uid), folder_(around->options.data_folder + "/topics/" + settings.uid),
      around_(std::move(around)), write_lanes_{around_->io.open_lane(), around_->io.open_lane()},
      read_lane_(around_->io.open_lane()), bulk_lane_(around_->io.open_lane()),
      settings_(std::make_shared<const topic_settings>(std::move(settings))) {}

std::shared_ptr<const topic_settings> topic_host::settings() const {
  std::lock_guard guard(mutex_);
  return settings_;
}

void topic_host::set(topic_settings settings) {
  auto next = std::make_shared<const topic_settings>(std::move(settings));
  std::lock_guard guard(mutex_);
  if (next->quota_bytes != settings_->quota_bytes)
    reopen_ = true;
  settings_ = std::move(next);
}

bool topic_host::ended() const {
  std::lock_guard guard(mutex_);
  return ended_.has_value();
}

std::shared_ptr<message_parsers> topic_host::parsers() {
  std::lock_guard guard(mutex_);
  if (!parsers_)
    parsers_ = std::make_shared<message_parsers>(*settings_);
  return parsers_;
}

// --- appending -----------------------------------------------------------------------------------

void topic_host::append(topic_append request, answer_function answer,
                        std::string_view traceparent) {
  touch();
  const auto known = settings();
  choose_partitions(*known, request);
  std::unique_lock guard(mutex_);
  const auto refuse = [&](const error& why) {
    guard.unlock();
    around_->metrics.failed.add();
    answer(failed(why));
  };
  if (ended_)
    return refuse(error(*ended_));
  if (!gathering_)
    gathering_ = std::make_unique<topic_gathering>(around_->options.queue);
  if (const auto offered = gathering_->offer(std::move(request), answer); !offered)
    return refuse(offered.error());
  trace_ = traceparent;
  plan(guard);
}

// Has the next group written, if one is due. Gives the lock back.
void topic_host::plan(std::unique_lock<std::mutex>& guard) {
  if (scheduled_ || !gathering_ || !gathering_->due()) {
    guard.unlock();
    return;
  }
  scheduled_ = true;
  const auto lane = write_lanes_[turn_++ % write_lanes_.size()];
  guard.unlock();
  around_->io.submit(lane, [self = shared_from_this()] { self->write_group(); });
}

void topic_host::write_group() {
  std::unique_lock guard(mutex_);
  auto group = gathering_ ? gathering_->take() : std::vector<topic_append>{};
  if (group.empty()) { // the topic has ended
    scheduled_ = false;
    return;
  }
  ++running_;
  group_trace_ = trace_;
  guard.unlock();
  auto answers = write(group);
  for (std::size_t i = 0; i < group.size(); ++i)
    count(group[i], answers[i]);
  const bool moved =
      std::any_of(group.begin(), group.end(), [](const auto& x) { return !x.parts.empty(); })
      && std::any_of(answers.begin(), answers.end(),
                     [](const auto& x) { return x.status == append_status::appended; });
  // Before the answers: whoever sleeps on the topic is told of what is acknowledged.
  if (moved)
    notify(true);
  guard.lock();
  auto done = gathering_->finish(std::move(answers));
  scheduled_ = false;
  const auto ended = ended_;
  plan(guard);
  deliver(std::move(done));
  if (ended)
    fail_waiting(*ended);
  guard.lock();
  --running_;
  guard.unlock();
  rested_.notify_all();
}

std::vector<append_answer> topic_host::write(const std::vector<topic_append>& group) {
  const auto begun = clock::now();
  std::vector<append_answer> answers;
  {
    std::lock_guard guard(log_mutex_);
    if (const auto opened = ensure_open(); !opened) {
      answers.assign(group.size(), failed(opened.error()));
      return answers;
    }
    answers = log_->append(group, around_->clock());
    micros last = 0;
    bool broken = false;
    for (const auto& x : answers) {
      broken = broken || (x.status == append_status::failed && x.problem.code != ec::resource);
      last = std::max(last, x.status == append_status::appended ? x.time : 0);
    }
    if (broken) {
      close_log(false); // what is stored is found out by opening it again
    } else {
      learn(last);
      if (log_->size().files != files_)
        static_cast<void>(retain_open());
    }
  }
  around_->metrics.group_size.observe(static_cast<double>(group.size()));
  around_->metrics.commit_seconds.observe(
      std::chrono::duration<double>(clock::now() - begun).count());
  notify_learned();
  return answers;
}

void topic_host::count(const topic_append& request, const append_answer& answer) const {
  const auto& metrics = around_->metrics;
  switch (answer.status) {
  case append_status::appended:
    metrics.rows.add(row_count(request));
    metrics.bytes.add(byte_size(request));
    break;
  case append_status::duplicate:
    metrics.duplicates.add();
    break;
  case append_status::failed:
    metrics.failed.add();
    break;
  case append_status::over_quota:
    metrics.over_quota.add();
    metrics.refused.add();
    break;
  case append_status::conflict:
  case append_status::invalid:
    metrics.refused.add();
    break;
  }
}

void topic_host::deliver(topic_gathering::delivery what) const {
  const auto now = clock::now();
  for (std::size_t i = 0; i < what.answers.size(); ++i) {
    around_->metrics.seconds.observe(std::chrono::duration<double>(now - what.to[i].since).count());
    what.to[i].answer(std::move(what.answers[i].second));
  }
}

append_answer topic_host::append_now(topic_append request) {
  touch();
  choose_partitions(*settings(), request);
  std::vector<topic_append> group;
  group.push_back(std::move(request));
  auto answer = std::move(write(group).front());
  count(group.front(), answer);
  if (answer.status == append_status::appended) {
    {
      std::lock_guard guard(mutex_);
      group_trace_.clear();
    }
    notify(true);
  }
  return answer;
}

std::string topic_host::last_trace() const {
  std::lock_guard guard(mutex_);
  return group_trace_;
}

void topic_host::fail_waiting(const error& why) {
  std::unique_lock guard(mutex_);
  while (gathering_ && !gathering_->under_way() && !gathering_->empty()) {
    const auto group = gathering_->take();
    auto done = gathering_->finish(std::vector<append_answer>(group.size(), failed(why)));
    guard.unlock();
    deliver(std::move(done));
    guard.lock();
  }
}

// --- who wants to know ---------------------------------------------------------------------------

std::shared_ptr<void> topic_host::watch(std::function<void()> moved) {
  auto made = std::make_shared<watcher>(watcher{std::move(moved)});
  std::lock_guard guard(mutex_);
  std::erase_if(watchers_, [](const auto& x) { return x.expired(); });
  watchers_.push_back(made);
  return made;
}

void topic_host::notify(bool hook) {
  std::vector<std::shared_ptr<watcher>> told;
  {
    std::lock_guard guard(mutex_);
    told.reserve(watchers_.size());
    for (const auto& x : watchers_)
      if (auto held = x.lock())
        told.push_back(std::move(held));
  }
  if (hook && around_->options.on_moved)
    if (const use_gate::use use(around_->hooks); use)
      around_->options.on_moved(uid_);
  for (const auto& x : told)
    x->moved();
}

void topic_host::notify_learned() {
  if (learned_moved_.exchange(false))
    notify(true);
}

} // namespace ebb
