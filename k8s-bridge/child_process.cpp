#include "k8s-bridge/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc 2.36 declares these without saying that they are C functions.
extern "C" {
int pidfd_open(pid_t pid, unsigned int flags) noexcept;
int pidfd_send_signal(int handle, int signal, siginfo_t* info, unsigned int flags) noexcept;
}

namespace ebb {

namespace {

/// Undoes `init` of the same kind.
template <class T, int (*Destroy)(T*)>
struct initialised {
  T value;

  ~initialised() {
    Destroy(&value);
  }
};

using file_actions = initialised<posix_spawn_file_actions_t, posix_spawn_file_actions_destroy>;
using attributes = initialised<posix_spawnattr_t, posix_spawnattr_destroy>;

// The C library's header does not declare it for C++.
int open_pidfd(std::int64_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
}

/// The first error number that is not 0.
int set_up(posix_spawn_file_actions_t& to, int output) {
  for (const int number : {
           posix_spawn_file_actions_addopen(&to, STDIN_FILENO, "/dev/null", O_RDONLY, 0),
           posix_spawn_file_actions_adddup2(&to, output, STDOUT_FILENO),
           posix_spawn_file_actions_adddup2(&to, output, STDERR_FILENO),
           // Sockets of libraries are not all close-on-exec.
           posix_spawn_file_actions_addclosefrom_np(&to, STDERR_FILENO + 1),
       })
    if (number != 0)
      return number;
  return 0;
}

int set_up(posix_spawnattr_t& to) {
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  for (const int number : {
           posix_spawnattr_setpgroup(&to, 0),
           posix_spawnattr_setsigdefault(&to, &all),
           posix_spawnattr_setsigmask(&to, &none),
           posix_spawnattr_setflags(&to,
                                    static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF
                                                       | POSIX_SPAWN_SETSIGMASK)),
       })
    if (number != 0)
      return number;
  return 0;
}

} // namespace

result<child_process> child_process::spawn(const std::string& program,
                                           const std::vector<std::string>& arguments,
                                           const owned_file& output) {
  file_actions actions;
  attributes how;
  posix_spawn_file_actions_init(&actions.value);
  posix_spawnattr_init(&how.value);
  int failed = set_up(actions.value, output.descriptor());
  if (failed == 0)
    failed = set_up(how.value);
  if (failed != 0)
    return system_error(program, "prepare to start", failed);
  std::vector<char*> words;
  for (const auto& x : arguments)
    words.push_back(const_cast<char*>(x.c_str())); // NOLINT: the interface is C's
  words.push_back(nullptr);
  pid_t pid = 0;
  failed = posix_spawn(&pid, program.c_str(), &actions.value, &how.value, words.data(), environ);
  if (failed != 0)
    return system_error(program, "start", failed);
  const int handle = open_pidfd(pid);
  if (handle < 0) {
    const int number = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return system_error(program, "watch", number);
  }
  return child_process(pid, owned_file(handle, program));
}

result<child_process> child_process::find(std::int64_t pid) {
  const int handle = pid > 0 ? open_pidfd(pid) : -1;
  if (handle < 0 && (pid <= 0 || errno == ESRCH))
    return make_error(ec::not_found, "there is no process " + std::to_string(pid));
  if (handle < 0)
    return system_error("process " + std::to_string(pid), "watch");
  return child_process(pid, owned_file(handle, "process " + std::to_string(pid)));
}

void child_process::send(int signal) const noexcept {
  // It may have gone; then the descriptor says so.
  static_cast<void>(::syscall(SYS_pidfd_send_signal, handle_.descriptor(), signal, nullptr, 0));
}

worker_exit child_process::reap() const noexcept {
  siginfo_t info{};
  int done = 0;
  do
    done = waitid(P_PIDFD, static_cast<id_t>(handle_.descriptor()), &info, WEXITED);
  while (done != 0 && errno == EINTR);
  if (done != 0)
    return {};
  if (info.si_code == CLD_EXITED)
    return {worker_exit::kind::exited, info.si_status};
  return {worker_exit::kind::signaled, info.si_status};
}

} // namespace ebb
