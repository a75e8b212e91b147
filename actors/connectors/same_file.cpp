#include "actors/connectors/same_file.hpp"

#include <filesystem>
#include <system_error>

namespace ebb {

namespace {

namespace fs = std::filesystem;

/// Without links, as far as the path exists. A link to what is not there yet is followed, too: the
/// first who writes makes its target.
fs::path resolved(fs::path path) {
  constexpr int links_followed = 40; // as many as the system follows
  std::error_code problem;
  for (int i = 0; i < links_followed && fs::is_symlink(path, problem); ++i) {
    const auto target = fs::read_symlink(path, problem);
    if (problem)
      break;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  auto found = fs::weakly_canonical(path, problem);
  if (problem)
    return path.lexically_normal();
  return found.has_filename() ? found : found.parent_path(); // which ended in a slash
}

} // namespace

std::function<bool(const std::string&)> same_file_as(const std::string& path) {
  std::error_code problem;
  const auto kind = fs::status(path, problem).type();
  const bool there = kind == fs::file_type::regular || kind == fs::file_type::directory;
  // A pipe or a device takes what any number of writers have.
  if (!there && kind != fs::file_type::not_found && kind != fs::file_type::none)
    return [](const std::string&) { return false; };
  return [path, there, full = resolved(path)](const std::string& other) {
    if (other == path)
      return true;
    std::error_code ignored;
    // What is there is compared by the system, which knows of hard links.
    return there ? fs::equivalent(path, other, ignored) : resolved(other) == full;
  };
}

} // namespace ebb
