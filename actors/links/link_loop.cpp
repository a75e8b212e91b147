#include "actors/links/link_loop.hpp"

#include "actors/links/link_core.hpp"

#include <csignal>
#include <system_error>

namespace ebb {

namespace {

// For the new thread: signals are others' business.
class blocked_signals {
public:
  blocked_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }

  ~blocked_signals() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  blocked_signals(const blocked_signals&) = delete;
  blocked_signals& operator=(const blocked_signals&) = delete;

private:
  sigset_t before_;
};

} // namespace

link_loop::link_loop() = default;

result<std::unique_ptr<link_loop>> link_loop::start(const link_options& options) {
  std::unique_ptr<link_loop> made(new link_loop);
  made->core_ = std::make_unique<link_core>(options);
  try {
    const blocked_signals guard;
    made->core_->start();
  } catch (const std::system_error& x) {
    return make_error(ec::resource, std::string("cannot start the thread of links: ") + x.what());
  }
  return made;
}

link_loop::~link_loop() {
  core_->stop();
}

double link_loop::cpu_seconds() const {
  return core_->cpu_seconds();
}

} // namespace ebb
