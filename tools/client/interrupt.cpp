#include "tools/client/interrupt.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace ebb::client {

namespace {

// A handler reaches nothing else.
volatile std::sig_atomic_t raised = 0;
std::array<int, 2> bell{-1, -1};

void on_signal(int /*number*/) {
  raised = 1;
  const auto before = errno;
  // Full = it has rung already.
  [[maybe_unused]] const auto ignored = ::write(bell[1], "x", 1);
  errno = before;
}

int millis_until(deadline until) {
  if (until == never)
    return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  constexpr std::int64_t hour = 3'600'000;
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, hour));
}

} // namespace

deadline after(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

void notice_interrupts() {
  if (bell[0] >= 0 || ::pipe2(bell.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return;

  struct sigaction action {};

  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // The second one meets the default.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool interrupted() noexcept {
  return raised != 0;
}

error interrupted_error() {
  return make_error(ec::cancelled, "interrupted");
}

result<bool> wait_for(int descriptor, readiness what, deadline until) {
  for (;;) {
    if (interrupted())
      return interrupted_error();
    std::array<pollfd, 2> all{
        {{descriptor, static_cast<short>(what == readiness::readable ? POLLIN : POLLOUT), 0},
         {bell[0], POLLIN, 0}}};
    const auto millis = millis_until(until);
    const int ready = ::poll(all.data(), all.size(), millis);
    if (ready < 0 && errno != EINTR)
      return make_error(ec::io, std::string("cannot wait: ") + std::strerror(errno));
    if (interrupted())
      return interrupted_error();
    if (ready > 0 && all[0].revents != 0)
      return true;
    if (ready == 0 && until != never && std::chrono::steady_clock::now() >= until)
      return false;
  }
}

result<void> pause_for(std::chrono::milliseconds time) {
  // A descriptor of -1 is never ready.
  EBB_TRY(wait_for(-1, readiness::readable, after(time)));
  return {};
}

} // namespace ebb::client
