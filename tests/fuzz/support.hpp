/// What the fuzz targets share: input bytes as numbers and text, and checks that stop the run.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::fuzz {

/// Prints what does not hold and aborts; libFuzzer then keeps the input.
[[noreturn]] void broken(const char* file, int line, std::string_view what, std::string_view seen);

/// `EBB_FUZZ_CHECK(condition, text of what was seen)`; the text is made only on failure.
#define EBB_FUZZ_CHECK(condition, seen)                                                            \
  do {                                                                                             \
    if (!(condition))                                                                              \
      ebb::fuzz::broken(__FILE__, __LINE__, #condition, seen);                                     \
  } while (false)

/// Bytes of the fuzzer, taken from the front. Behind the end there are zeros.
class input {
public:
  input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  std::uint8_t byte();
  std::uint32_t below(std::uint32_t bound); ///< 0 … bound - 1
  std::string_view take(std::size_t size);  ///< at most so many bytes

  [[nodiscard]] std::string_view rest() const noexcept {
    return rest_;
  }

private:
  std::string_view rest_;
};

/// Numbers that follow from a seed alone.
class random_numbers {
public:
  explicit random_numbers(std::uint64_t seed) : state_(seed) {}

  std::uint32_t below(std::uint32_t bound);

private:
  std::uint64_t state_;
};

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// What holds of every error that a person may see: it has a message, all its text is UTF-8, and
/// it is no bug of ebb.
void check_error(const error& x);

/// What holds of an error in a manifest, besides: it names the file, a place inside of `text`, and
/// says what to do.
void check_manifest_error(const error& x, std::string_view text, std::string_view file);

/// Same types, rows, NULLs and values (values under NULL may be anything).
void check_equal(const batch& a, const batch& b);

/// Every value as text, so that each is read; one line a row.
[[nodiscard]] std::vector<std::string> rows_of(const batch& x);

} // namespace ebb::fuzz
