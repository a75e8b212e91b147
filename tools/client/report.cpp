#include "tools/client/report.hpp"

#include "tools/cli/commands.hpp"
#include "tools/client/json.hpp"
#include "tools/client/moments.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <unistd.h>

namespace ebb::client {

int exit_code_of(ec code) noexcept {
  switch (code) {
  case ec::cancelled:
    return cli::exit_interrupted;
  case ec::invalid_argument:
    return cli::exit_invalid;
  case ec::not_found:
    return cli::exit_not_found;
  case ec::conflict:
    return cli::exit_conflict;
  default:
    return cli::exit_failed;
  }
}

int exit_of(const error& problem) {
  if (problem.code != ec::cancelled)
    std::fprintf(stderr, "error: %s\n", to_string(problem).c_str());
  return exit_code_of(problem.code);
}

int finish(const result<int>& done) {
  return done ? *done : exit_of(done.error());
}

void warn(const std::string& text) {
  std::fprintf(stderr, "warning: %s\n", text.c_str());
}

void print(std::string_view text) {
  const bool good =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (good)
    return;
  if (errno == EPIPE) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  std::perror("error: cannot write the output");
  ::_exit(cli::exit_failed);
}

void print_json(const std::string& body) {
  if (output_is_terminal()) {
    const auto value = json::parse(body, nullptr, false);
    if (!value.is_discarded()) {
      print(value.dump(2, ' ', false, json::error_handler_t::replace) + '\n');
      return;
    }
  }
  print(body.empty() || body.back() != '\n' ? body + '\n' : body);
}

bool output_is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

progress_line::progress_line() : terminal_(::isatty(STDERR_FILENO) == 1) {}

progress_line::~progress_line() {
  clear();
}

void progress_line::show(const std::string& text) {
  constexpr std::int64_t pause = 100'000;
  if (!terminal_)
    return;
  const auto now = time_now();
  if (shown_ && now < next_)
    return;
  next_ = now + pause;
  shown_ = true;
  std::fprintf(stderr, "\r%s\033[K", text.c_str());
}

void progress_line::clear() {
  if (shown_)
    std::fputs("\r\033[K", stderr);
  shown_ = false;
}

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto i = text.size(); i > 3; i -= 3)
    text.insert(i - 3, 1, ',');
  return text;
}

} // namespace ebb::client
