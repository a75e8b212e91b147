#include "actors/service/worker/topic_watches.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

struct topic_watches::watcher {
  /// A call that runs when the handle goes is waited for; one of the same thread is the caller.
  std::recursive_mutex running;
  std::function<void()> moved;
  bool gone = false;

  void call() {
    std::lock_guard guard(running);
    if (!gone)
      moved();
  }
};

struct topic_watches::parts {
  using watchers = std::vector<std::shared_ptr<watcher>>;

  void remove(const std::string& uid, const std::shared_ptr<watcher>& who) {
    {
      std::lock_guard guard(who->running);
      who->gone = true;
    }
    std::lock_guard guard(mutex);
    const auto found = topics.find(uid);
    if (found == topics.end())
      return;
    std::erase(found->second, who);
    if (!found->second.empty())
      return;
    topics.erase(found);
    send({uid, false});
  }

  std::function<void(const topic_watch&)> send;
  /// Held while messages are sent, so that on and off keep their order.
  std::mutex mutex;
  std::map<std::string, watchers> topics;
};

topic_watches::topic_watches(std::function<void(const topic_watch&)> send)
    : parts_(std::make_shared<parts>()) {
  parts_->send = std::move(send);
}

std::shared_ptr<void> topic_watches::add(const std::string& uid, std::function<void()> moved) {
  auto who = std::make_shared<watcher>();
  who->moved = std::move(moved);
  std::lock_guard guard(parts_->mutex);
  auto& all = parts_->topics[uid];
  all.push_back(who);
  if (all.size() == 1)
    parts_->send({uid, true});
  return {static_cast<void*>(who.get()),
          [p = parts_, uid, who](void*) mutable { p->remove(uid, who); }};
}

void topic_watches::moved(const std::string& uid) {
  parts::watchers all;
  {
    std::lock_guard guard(parts_->mutex);
    const auto found = parts_->topics.find(uid);
    if (found != parts_->topics.end())
      all = found->second;
  }
  for (const auto& x : all)
    x->call();
}

void topic_watches::reconnected() {
  parts::watchers all;
  {
    std::lock_guard guard(parts_->mutex);
    for (const auto& [uid, some] : parts_->topics) {
      parts_->send({uid, true});
      all.insert(all.end(), some.begin(), some.end());
    }
  }
  for (const auto& x : all)
    x->call();
}

std::size_t topic_watches::size() const {
  std::lock_guard guard(parts_->mutex);
  return parts_->topics.size();
}

} // namespace ebb
