/// A sink that formats rows and writes their text in the background.
#pragma once

#include "actors/connectors/file_format.hpp"
#include "actors/connectors/file_output.hpp"

#include <functional>
#include <memory>

namespace ebb {

struct text_sink_parts {
  std::shared_ptr<record_writer> format;
  std::unique_ptr<file_output> output;
  std::function<void()> discard; ///< removes what is not whole; may be null
  /// Rows that the format holds back (to align them) are shown after this time; zero = never.
  std::chrono::milliseconds patience{0};
  bool begun = false;    ///< what stands before the first row is there already
  bool separate = false; ///< each epoch's text stands alone, and there is none without rows
};

[[nodiscard]] std::unique_ptr<sink_writer> make_text_sink(text_sink_parts parts);

} // namespace ebb
