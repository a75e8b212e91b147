#include "actors/service/worker/bell.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ebb {

result<bell> bell::make() {
  const int opened = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (opened < 0)
    return system_error("eventfd", "open");
  return bell(owned_file(opened, "eventfd"));
}

void bell::ring() const noexcept {
  const int before = errno;
  const std::uint64_t one = 1;
  static_cast<void>(::write(file_.descriptor(), &one, sizeof one));
  errno = before;
}

void bell::wait(std::optional<std::chrono::steady_clock::time_point> until) const noexcept {
  int timeout = -1;
  if (until) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
    timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
  }
  pollfd watched{file_.descriptor(), POLLIN, 0};
  if (::poll(&watched, 1, timeout) <= 0)
    return;
  std::uint64_t rung = 0;
  static_cast<void>(::read(file_.descriptor(), &rung, sizeof rung));
}

} // namespace ebb
