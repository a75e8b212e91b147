#include "actors/connectors/same_file.hpp"

#include <system_error>

namespace ebb {

namespace fs = std::filesystem;

fs::path real_path(fs::path path) {
  constexpr int links_followed = 40; // as many as the system follows
  std::error_code problem;
  path = fs::absolute(path);
  for (int i = 0; i < links_followed && fs::is_symlink(path, problem); ++i) {
    const auto target = fs::read_symlink(path, problem);
    if (problem)
      break;
    path = path.parent_path() / target;
  }
  auto found = fs::weakly_canonical(path, problem);
  if (problem)
    return path.lexically_normal();
  return found.has_filename() ? found : found.parent_path(); // which ended in a slash
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code problem;
  return real_path(a) == real_path(b) || fs::equivalent(a, b, problem);
}

std::function<bool(const std::string&)> same_file_as(const std::string& path) {
  std::error_code problem;
  const auto kind = fs::status(path, problem).type();
  const bool there = kind == fs::file_type::regular || kind == fs::file_type::directory;
  // A pipe or a device takes what any number of writers have.
  if (!there && kind != fs::file_type::not_found && kind != fs::file_type::none)
    return [](const std::string&) { return false; };
  return [path, there, full = real_path(path)](const std::string& other) {
    if (other == path)
      return true;
    std::error_code ignored;
    // What is there is compared by the system, which knows of hard links.
    return there ? fs::equivalent(path, other, ignored) : real_path(other) == full;
  };
}

} // namespace ebb
