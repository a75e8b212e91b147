/// The bytes of source positions: little-endian numbers and counted texts behind a version.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb {

class position_writer {
public:
  explicit position_writer(std::uint8_t version) {
    bytes_ += static_cast<char>(version);
  }

  void put(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8)
      bytes_ += static_cast<char>(value >> shift & 0xff);
  }

  void put(std::string_view text) {
    put(std::uint64_t{text.size()});
    bytes_ += text;
  }

  [[nodiscard]] std::string take() {
    return std::move(bytes_);
  }

private:
  std::string bytes_;
};

/// Reads what position_writer wrote. After a short or foreign text every value is 0 or empty, and
/// `finish` is an error.
class position_reader {
public:
  position_reader(std::string_view bytes, std::uint8_t version) : bytes_(bytes) {
    sound_ = !bytes.empty() && static_cast<std::uint8_t>(bytes.front()) == version;
    bytes_.remove_prefix(bytes.empty() ? 0 : 1);
  }

  [[nodiscard]] std::uint64_t number() {
    sound_ = sound_ && bytes_.size() >= 8;
    if (!sound_)
      return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
      value |= std::uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
    bytes_.remove_prefix(8);
    return value;
  }

  [[nodiscard]] std::string text() {
    const auto size = number();
    sound_ = sound_ && size <= bytes_.size();
    if (!sound_)
      return {};
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }

  /// `source`: the source's name.
  [[nodiscard]] result<void> finish(const std::string& source) const {
    if (sound_ && bytes_.empty())
      return {};
    return make_error(ec::corrupt, "source " + source + ": its recorded position is not readable",
                      "it was written by another version, or for another connector; to start "
                      "over, run with --from fresh");
  }

private:
  std::string_view bytes_;
  bool sound_ = false;
};

} // namespace ebb
