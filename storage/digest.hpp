/// XXH3-128 of bytes that come in pieces, and of files.
#pragma once

#include "schemas/error.hpp"
#include "schemas/segment_info.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace ebb {

class digester {
public:
  digester();
  ~digester();
  digester(const digester&) = delete;
  digester& operator=(const digester&) = delete;

  void add(const char* bytes, std::size_t size) noexcept;
  [[nodiscard]] digest128 value() const noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Of all bytes of the file. Blocks.
[[nodiscard]] result<digest128> digest_of_file(const std::string& path);

} // namespace ebb
