/// Signals are the business of a program's first thread.
#pragma once

#include <csignal>

namespace ebb {

/// While it lives, all signals are blocked in this thread, and so in those that it starts.
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

} // namespace ebb
