/// Writes the text of one sink in the background.
#pragma once

#include "actors/connectors/file_text.hpp"
#include "actors/connectors/output_target.hpp"
#include "actors/runtime/connector.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

namespace ebb {

/// At load blocks of 256 KiB go out; when nothing is being written, what there is goes at once.
/// Used by one thread.
class file_output {
public:
  file_output(std::unique_ptr<output_target> target, const connector_context& context);
  /// Abandons what is not finished.
  ~file_output();
  file_output(const file_output&) = delete;
  file_output& operator=(const file_output&) = delete;

  using filler = std::function<result<void>(output_buffer&)>;

  /// Lets `fill` append text, or returns the error of an earlier write.
  [[nodiscard]] result<void> append(const filler& fill);

  /// Calls `fill` on the I/O pool after `delay`, unless text was appended or the output finished by
  /// then. Until then it occupies a thread of the pool.
  void append_later(std::chrono::milliseconds delay, filler fill);

  /// The error of an earlier write.
  [[nodiscard]] result<void> check() const;

  /// Text taken and not yet written, in bytes.
  [[nodiscard]] std::size_t backlog() const;
  /// Bytes of text taken.
  [[nodiscard]] std::uint64_t bytes() const;

  /// Appends the epoch's last text; what is appended from now on belongs to the next one. `rows`:
  /// of the epoch. The wake function will be called when it is sealed.
  [[nodiscard]] result<void> seal(epoch_number epoch, std::uint64_t rows, const filler& last);
  /// The output of the oldest epoch that was sealed and not taken yet.
  [[nodiscard]] result<std::optional<sealed_output>> take_sealed();

  /// Appends the last text (first call only), then writes all and finishes the target. True when
  /// that is done; else the wake function will be called.
  [[nodiscard]] result<bool> finish(const filler& last);

  /// Writes no more.
  void abandon();

private:
  struct shared;

  io_executor& io_;
  std::uint64_t lane_;
  std::shared_ptr<shared> shared_;
};

} // namespace ebb
