/// What persons have asked for and wait for. Pure.
#pragma once

#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

enum class operation_kind : std::uint8_t { sleep, wake, scale, savepoint, restore };

struct operation {
  std::string id;
  operation_kind what = operation_kind::wake;
  std::string stream; ///< uid
  std::string name;   ///< of the stream, qualified
  micros started = 0;
  micros finished = 0; ///< 0 = not yet
  std::string message; ///< of its success
  std::optional<error> problem;

  [[nodiscard]] bool done() const noexcept {
    return finished != 0;
  }
};

[[nodiscard]] const char* to_string(operation_kind x) noexcept;

/// The newest thousand.
class operations {
public:
  /// `seed` makes ids of one process differ from those of another.
  explicit operations(std::uint64_t seed) : seed_(seed) {}

  const operation& begin(operation_kind what, const std::string& stream, const std::string& name,
                         micros now);
  [[nodiscard]] const operation* find(const std::string& id) const;
  void finish(const std::string& id, const result<std::string>& how, micros now);
  /// Those of a stream that are under way.
  [[nodiscard]] std::vector<std::string> pending(const std::string& stream) const;

private:
  std::uint64_t seed_;
  std::uint64_t next_ = 1;
  std::map<std::string, operation> all_;
  std::deque<std::string> order_;
};

} // namespace ebb
