/// System calls on files with errors as values: path, operation, the system's text, what to do.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// An open file descriptor; closed when it goes. Its path is kept for errors.
class owned_file {
public:
  owned_file() = default;

  owned_file(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  owned_file(owned_file&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

  owned_file& operator=(owned_file&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(path_, other.path_);
    return *this;
  }

  ~owned_file();

  /// ec::not_found where there is none.
  [[nodiscard]] static result<owned_file> open_to_read(const std::string& path);

  /// A new, empty file `PREFIX` + six characters that no other file has, open for writing.
  [[nodiscard]] static result<owned_file> make_temporary(const std::string& prefix);

  [[nodiscard]] result<std::uint64_t> size() const;

  /// All of the bytes, or an error (ec::corrupt where the file ends before).
  [[nodiscard]] result<void> read_at(std::uint64_t offset, void* to, std::size_t bytes) const;
  [[nodiscard]] result<void> write_at(std::uint64_t offset, std::string_view bytes);

  /// Bytes and size are on the disk when it returns. After an error the file is lost.
  [[nodiscard]] result<void> sync();

  [[nodiscard]] int descriptor() const noexcept {
    return descriptor_;
  }

  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

private:
  int descriptor_ = -1;
  std::string path_;
};

/// The error of the system call that has just failed, from errno.
[[nodiscard]] error system_error(const std::string& path, const char* operation);
[[nodiscard]] error system_error(const std::string& path, const char* operation, int number);

/// Makes renames and new names in `folder` durable.
[[nodiscard]] result<void> sync_folder(const std::string& folder);

/// ec::conflict where `to` exists. Durable after sync_folder.
[[nodiscard]] result<void> rename_without_replacing(const std::string& from, const std::string& to);

/// No error where there is no such file.
[[nodiscard]] result<void> remove_file(const std::string& path);

/// With its parents (mode 0755); no error where it exists. New names are durable when it returns.
[[nodiscard]] result<void> make_folder(const std::string& path, unsigned mode = 0755);

/// Names of the regular files in `folder`, in order; none where there is no such folder.
[[nodiscard]] result<std::vector<std::string>> list_files(const std::string& folder);

/// Name of the network or user-space file system with this magic (statfs), or null.
[[nodiscard]] const char* network_file_system(std::int64_t magic) noexcept;

/// ec::unsupported where `path` lies on a network or user-space file system (LMDB and locks do not
/// work there), with its name. `path` must exist.
[[nodiscard]] result<void> refuse_network_file_system(const std::string& path);

/// The part of `path` before its last slash, or `.`.
[[nodiscard]] std::string folder_of(const std::string& path);

/// The part of `path` after its last slash.
[[nodiscard]] std::string file_name_of(const std::string& path);

} // namespace ebb
