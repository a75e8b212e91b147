#include "actors/links/link_core.hpp"

#include "actors/links/socket_link.hpp"

#include <boost/asio/post.hpp>

#include <ctime>
#include <future>
#include <pthread.h>
#include <vector>

namespace ebb {

link_core::link_core(const link_options& how) : options(how) {}

void link_core::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "ebb-links");
    const auto work = boost::asio::make_work_guard(io);
    io.run();
  });
}

void link_core::stop() {
  if (!thread_.joinable())
    return;
  run_there([this] {
    const auto links = links_;
    for (const auto& x : links)
      x->end(make_error(ec::cancelled, "the link was closed here"));
    io.stop();
  });
  thread_.join();
}

void link_core::run_there(const std::function<void()>& work) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    work();
    return;
  }
  std::promise<void> done;
  boost::asio::post(io, [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

void link_core::add(std::shared_ptr<socket_link> x) {
  links_.insert(std::move(x));
  if (!std::exchange(armed_, true))
    arm();
}

void link_core::remove(const std::shared_ptr<socket_link>& x) {
  links_.erase(x);
}

// Counted from now on: after a pause of the process there is one tick, not one for each missed.
void link_core::arm() {
  ticks_.expires_after(options.heartbeat);
  ticks_.async_wait([this](const boost::system::error_code& x) {
    armed_ = false;
    if (x || links_.empty())
      return;
    const std::vector<std::shared_ptr<socket_link>> links(links_.begin(), links_.end());
    for (const auto& link : links)
      link->tick();
    if (!std::exchange(armed_, true))
      arm();
  });
}

double link_core::cpu_seconds() const {
  clockid_t clock{};
  timespec used{};
  auto& thread = const_cast<std::thread&>(thread_);
  if (!thread.joinable() || pthread_getcpuclockid(thread.native_handle(), &clock) != 0
      || clock_gettime(clock, &used) != 0)
    return 0;
  constexpr double nanos = 1e9;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / nanos;
}

} // namespace ebb
