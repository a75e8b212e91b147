#include "actors/service/process_log.hpp"

#include "actors/runtime/moment_text.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>

namespace ebb {

namespace {

std::atomic<log_form> form = log_form::text;

micros wall_time() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

} // namespace

void set_log_form(log_form x) noexcept {
  form = x;
}

log_form log_form_now() noexcept {
  return form;
}

std::string log_line_json(micros time, log_level level, std::string_view message,
                          const log_fields& fields) {
  using json = nlohmann::ordered_json;
  json line{{"time", moment_text(time)}, {"level", to_string(level)}, {"message", message}};
  for (const auto& [key, value] : fields)
    line[key] = value;
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

void tell_log(log_level level, std::string_view message, const log_fields& fields) {
  auto line = form == log_form::json ? log_line_json(wall_time(), level, message, fields)
                                     : std::string(message);
  line += '\n';
  // One call: lines of several threads do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace ebb
