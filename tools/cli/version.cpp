#include "tools/cli/commands.hpp"

#include <cstdio>

namespace ebb::cli {

std::string version_text() {
  return "ebb " EBB_VERSION;
}

int version_command(const std::string& output) {
  if (output == "json")
    std::printf("{\"version\": \"%s\", \"apiVersion\": \"ebb.dev/v1alpha1\"}\n", EBB_VERSION);
  else
    std::printf("%s\n", version_text().c_str());
  return exit_done;
}

} // namespace ebb::cli
