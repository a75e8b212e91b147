/// `ebb auth …`: tokens in a data folder, also while a service uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace ebb::cli {

struct auth_arguments {
  std::string data;
  std::string role = "viewer";
  std::vector<std::string> topics;
  std::string expires = "never"; ///< or a duration from now
  std::string id;
  std::string output = "table";
};

/// Exit codes as in commands.hpp.
[[nodiscard]] int auth_init(const auth_arguments& arguments);
[[nodiscard]] int auth_create(const auth_arguments& arguments);
[[nodiscard]] int auth_list(const auth_arguments& arguments);
[[nodiscard]] int auth_revoke(const auth_arguments& arguments);

/// The commands on the command line. Must live as long as the app parses.
class auth_commands {
public:
  explicit auth_commands(CLI::App& app);

  /// Whether one of them was called.
  [[nodiscard]] bool chosen() const;
  [[nodiscard]] int run() const;

private:
  auth_arguments arguments_;
  CLI::App* init_ = nullptr;
  CLI::App* create_ = nullptr;
  CLI::App* list_ = nullptr;
  CLI::App* revoke_ = nullptr;
};

} // namespace ebb::cli
