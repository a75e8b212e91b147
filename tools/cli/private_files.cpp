#include "tools/cli/private_files.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace ebb::cli {

namespace {

namespace fs = std::filesystem;

bool is_open_to(const fs::path& path, fs::perms whom) {
  std::error_code problem;
  const auto found = fs::status(path, problem);
  return !problem && fs::exists(found) && (found.permissions() & whom) != fs::perms::none;
}

std::vector<fs::path> private_files(const fs::path& data) {
  std::vector<fs::path> all{data / "control.mdb", data / "auth/tokens.json",
                            data / "auth/operator.token"};
  std::error_code problem;
  for (fs::directory_iterator x(data / "links", problem), end; !problem && x != end;
       x.increment(problem))
    if (x->path().extension() == ".key")
      all.push_back(x->path());
  std::sort(all.begin(), all.end());
  return all;
}

} // namespace

std::vector<std::string> readable_by_others(const std::string& data_folder,
                                            const std::string& tls_key, bool group) {
  using fs::perms;
  const auto reads = perms::others_read | (group ? perms::group_read : perms::none);
  const auto enters = perms::others_exec | (group ? perms::group_exec : perms::none);
  std::vector<std::string> all;
  const fs::path data = data_folder;
  for (const auto& path : private_files(data)) {
    // Nobody comes to what lies in a folder that is closed.
    const auto folder = path.parent_path();
    if (is_open_to(data, enters) && is_open_to(folder, enters) && is_open_to(path, reads))
      all.push_back("other users can read " + path.string() + "; run chmod -R go= " + data_folder);
  }
  if (!tls_key.empty() && is_open_to(tls_key, reads))
    all.push_back("other users can read the key " + tls_key + "; run chmod go= " + tls_key);
  return all;
}

} // namespace ebb::cli
