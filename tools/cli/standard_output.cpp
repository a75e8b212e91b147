#include "tools/cli/standard_output.hpp"

#include "tools/cli/commands.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace ebb::cli {

void fill_standard_files() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(number, F_GETFD) < 0 && errno == EBADF)
      // Reading the one and writing the others fail, as they do with closed files.
      ::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int with_output_flushed(int code) {
  const bool failed = std::ferror(stdout) != 0;
  errno = 0;
  if (std::fflush(stdout) == 0 && !failed)
    return code;
  const int problem = errno; // none where an earlier write has failed
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  const bool reader_gone = ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
  if (problem == EPIPE || reader_gone)
    return code;
  std::fprintf(stderr, "error: cannot write the output%s%s\n", problem == 0 ? "" : ": ",
               problem == 0 ? "" : std::strerror(problem));
  return code == exit_done ? exit_failed : code;
}

} // namespace ebb::cli
