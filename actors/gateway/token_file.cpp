// FOLDER/auth: tokens.json, written by people's commands; uses.json, written by the server.

#include "actors/gateway/token_store.hpp"
#include "storage/files.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <sys/stat.h>

namespace ebb {

namespace {

using nlohmann::json;

constexpr std::uint64_t file_bytes_max = 16 << 20;

// Nothing where there is no such file.
result<std::optional<std::string>> read_whole(const std::string& path) {
  auto file = owned_file::open_to_read(path);
  if (!file && file.error().code == ec::not_found)
    return std::optional<std::string>();
  if (!file)
    return std::move(file).error();
  EBB_ASSIGN(const auto bytes, file->size());
  if (bytes > file_bytes_max)
    return make_error(ec::corrupt, path + " is too large for a file of tokens");
  std::string out(bytes, '\0');
  EBB_TRY(file->read_at(0, out.data(), out.size()));
  return std::optional(std::move(out));
}

// A reader sees the old file or the new one; mkstemp makes it readable by its owner alone.
result<void> replace_file(const std::string& path, std::string_view text, bool durable) {
  EBB_ASSIGN(auto file, owned_file::make_temporary(path + '.'));
  EBB_TRY(file.write_at(0, text));
  if (durable)
    EBB_TRY(file.sync());
  if (std::rename(file.path().c_str(), path.c_str()) != 0) {
    auto problem = system_error(path, "rename");
    (void)remove_file(file.path());
    return problem;
  }
  if (durable)
    EBB_TRY(sync_folder(folder_of(path)));
  return {};
}

} // namespace

std::string token_file::path() const {
  return folder_ + "/auth/tokens.json";
}

result<std::optional<token_store>> token_file::load() const {
  EBB_ASSIGN(const auto text, read_whole(path()));
  if (!text)
    return std::optional<token_store>();
  auto tokens = token_store::parse(*text);
  if (!tokens) {
    tokens.error().place.file = path();
    return std::move(tokens).error();
  }
  auto uses = read_whole(folder_ + "/auth/uses.json");
  if (uses && *uses) {
    const auto times = json::parse(**uses, nullptr, false);
    if (times.is_object())
      for (const auto& [id, time] : times.items())
        if (time.is_number_integer())
          tokens->used(id, time.get<micros>());
  }
  return std::optional(*std::move(tokens));
}

result<void> token_file::save(const token_store& tokens) const {
  EBB_TRY(make_folder(folder_of(path())));
  // Names of tokens and topics are nobody else's business, either.
  if (::chmod(folder_of(path()).c_str(), S_IRWXU) != 0)
    return system_error(folder_of(path()), "chmod");
  return replace_file(path(), tokens.to_text(), true);
}

result<void> token_file::save_uses(const token_store& tokens) const {
  json out = json::object();
  for (const auto& x : tokens.all())
    if (x.last_used != 0)
      out[x.id] = x.last_used;
  return replace_file(folder_ + "/auth/uses.json", out.dump(), false);
}

std::string token_file::version() const {
  struct stat found = {};
  if (::stat(path().c_str(), &found) != 0)
    return errno == ENOENT ? "none" : "unreadable";
  // Each save makes a new file; the time tells of edits in place.
  return std::to_string(found.st_ino) + '.' + std::to_string(found.st_size) + '.'
         + std::to_string(found.st_mtim.tv_sec) + '.' + std::to_string(found.st_mtim.tv_nsec);
}

} // namespace ebb
