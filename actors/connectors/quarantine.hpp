/// Where bad records go under `onBadRecord: quarantine`: JSON lines in the data folder.
#pragma once

#include "actors/connectors/file_parser.hpp"
#include "actors/runtime/connector.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// Appends `{error, source, offset, raw}` to `quarantine/STREAM-SOURCE.ndjson`. `raw` that is not
/// UTF-8 is base64, marked by `"rawEncoding":"base64"`. Every append is one write of whole lines,
/// so several subtasks may share the file.
class quarantine {
public:
  quarantine(const connector_context& context, std::string source);
  ~quarantine();
  quarantine(const quarantine&) = delete;
  quarantine& operator=(const quarantine&) = delete;

  /// Takes records; they are written in the background. An error of an earlier write comes out.
  [[nodiscard]] result<void> add(const std::vector<bad_record>& records);
  /// True when so much waits to be written that the reader should pause until it is woken.
  [[nodiscard]] bool is_full() const;
  /// True when all is written; else the wake function will be called.
  [[nodiscard]] result<bool> settle();

private:
  struct shared;

  void submit();

  std::string source_;
  io_executor& io_;
  std::uint64_t lane_;
  std::shared_ptr<shared> shared_;
};

/// One line of the quarantine file.
[[nodiscard]] std::string quarantine_line(const std::string& source, const bad_record& record);

} // namespace ebb
