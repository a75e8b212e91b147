// Credentials that change: token files and programs.
#include "k8s-bridge/client/kube_access.hpp"
#include "k8s-bridge/client/kube_answer.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

extern "C" char** environ; // NOLINT: POSIX declares it so

namespace ebb {

namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 20;
constexpr auto patience = std::chrono::seconds(30);

error plugin_error(const kube_plugin& x, const std::string& what) {
  return make_error(ec::io, "the kubeconfig's program " + x.command + ' ' + what,
                    "run it by hand, or use another user in the kubeconfig");
}

/// What it writes to standard output.
result<std::string> output_of(const kube_plugin& plugin) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    return plugin_error(plugin, "cannot be started");
  std::vector<std::string> words{plugin.command};
  words.insert(words.end(), plugin.arguments.begin(), plugin.arguments.end());
  auto settings = plugin.environment;
  settings.push_back(R"(KUBERNETES_EXEC_INFO={"apiVersion":")" + plugin.api_version
                     + R"(","kind":"ExecCredential","spec":{"interactive":false}})");
  for (char** x = environ; *x != nullptr; ++x)
    settings.emplace_back(*x);
  std::vector<char*> argv;
  for (auto& x : words)
    argv.push_back(x.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (auto& x : settings)
    envp.push_back(x.data());
  envp.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], 1);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  if (failed != 0) {
    ::close(pipe[0]);
    return plugin_error(plugin, std::string("cannot be started: ") + std::strerror(failed));
  }
  std::string text;
  const auto until = std::chrono::steady_clock::now() + patience;
  bool whole = false;
  while (text.size() <= most_bytes) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd waited{pipe[0], POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waited, 1, static_cast<int>(left.count())) <= 0)
      break;
    std::array<char, 4096> piece{};
    const auto got = ::read(pipe[0], piece.data(), piece.size());
    if (got <= 0) {
      whole = got == 0;
      break;
    }
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(pipe[0]);
  if (!whole)
    ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!whole)
    return plugin_error(plugin, "does not come to an end");
  if (status != 0)
    return plugin_error(plugin, "has failed");
  return text;
}

} // namespace

result<kube_credentials> read_kube_credentials(const kube_access& of, micros now) {
  kube_credentials x;
  x.token = of.token;
  x.certificate = of.certificate;
  x.key = of.key;
  if (!of.token_file.empty()) {
    std::ifstream file(of.token_file);
    if (!(file >> x.token))
      return make_error(ec::not_found, of.token_file + " cannot be read: it holds our token",
                        "mount the service account's token");
    x.expires = now + 60 * micros_per_second;
  }
  if (of.plugin.command.empty())
    return x;
  EBB_ASSIGN(const auto text, output_of(of.plugin));
  const auto read = parse_kube_json(text);
  if (!read || member(*read, {"status"}) == nullptr)
    return plugin_error(of.plugin, "does not write an ExecCredential");
  x.token = text_at(*read, {"status", "token"});
  if (auto given = text_at(*read, {"status", "clientCertificateData"}); !given.empty()) {
    x.certificate = std::move(given);
    x.key = text_at(*read, {"status", "clientKeyData"});
  }
  x.expires = now + 300 * micros_per_second;
  return x;
}

} // namespace ebb
