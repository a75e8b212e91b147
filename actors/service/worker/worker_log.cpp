#include "actors/service/worker/worker_log.hpp"

#include "actors/runtime/alarm_reason.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

namespace ebb {

namespace {

// Lines that wait for a control process.
constexpr std::size_t waiting_max = 256;

micros now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

} // namespace

worker_log::worker_log(std::function<bool(const log_line&)> send) : send_(std::move(send)) {}

void worker_log::know(const std::string& uid, const std::string& name,
                      const std::string& traceparent) {
  std::lock_guard guard(mutex_);
  auto& x = known_[uid];
  x.name = name;
  // 00-TRACE-…
  x.trace = traceparent.size() > 35 ? traceparent.substr(3, 32) : std::string();
  ++x.starts;
}

void worker_log::write(log_level level, const std::string& text, const std::string& uid) {
  log_line line{uid, level, now(), text, {}};
  auto name = uid;
  {
    std::lock_guard guard(mutex_);
    if (const auto found = known_.find(uid); found != known_.end()) {
      name = found->second.name;
      if (!found->second.trace.empty())
        line.fields.emplace_back("traceId", found->second.trace);
    }
  }
  if (level != log_level::debug)
    std::fprintf(stderr, "%s: %s%s%s\n", to_string(level), name.c_str(), name.empty() ? "" : ": ",
                 text.c_str());
  pass(std::move(line));
}

void worker_log::pass(log_line x) {
  if (send_(x))
    return;
  std::lock_guard guard(mutex_);
  waiting_.push_back(std::move(x));
  if (waiting_.size() > waiting_max) {
    waiting_.pop_front();
    ++dropped_;
  }
}

void worker_log::alarm(const std::string& uid, const std::string& text) {
  {
    std::lock_guard guard(mutex_);
    const auto found = alarms_.find(uid);
    const auto before = found == alarms_.end() ? std::string() : found->second;
    if (alarm_reason(before) == alarm_reason(text))
      return;
    if (text.empty())
      alarms_.erase(found);
    else
      alarms_[uid] = text;
  }
  if (text.empty())
    write(log_level::info, "checkpoints go on", uid);
  else
    write(log_level::warning, "the checkpoint is held up: " + text, uid);
}

void worker_log::forget(const std::string& uid) {
  std::lock_guard guard(mutex_);
  alarms_.erase(uid);
  if (const auto found = known_.find(uid); found != known_.end() && --found->second.starts == 0)
    known_.erase(found);
}

void worker_log::flush() {
  std::deque<log_line> lines;
  std::uint64_t dropped = 0;
  {
    std::lock_guard guard(mutex_);
    lines = std::exchange(waiting_, {});
    dropped = std::exchange(dropped_, 0);
  }
  if (dropped != 0)
    pass({{},
          log_level::warning,
          now(),
          std::to_string(dropped) + " earlier lines were lost while there was no control process",
          {}});
  for (auto& x : lines)
    pass(std::move(x));
}

} // namespace ebb
