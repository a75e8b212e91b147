/// What a process that serves tells of itself on standard error.
#pragma once

#include "schemas/link_records.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// Lines for people, or one JSON object a line for programs: time, level, message and the fields.
enum class log_form { text, json };

/// Of the whole process, as standard error is; before the first line.
void set_log_form(log_form x) noexcept;
[[nodiscard]] log_form log_form_now() noexcept;

using log_fields = std::vector<std::pair<std::string, std::string>>;

/// One line. People get the message alone. Thread-safe; lines are whole.
void tell_log(log_level level, std::string_view message, const log_fields& fields = {});
} // namespace ebb
