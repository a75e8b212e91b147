#include "actors/service/process_log.hpp"

#include "actors/runtime/processing_time.hpp"
#include "actors/service/keeper/life_codec.hpp"

#include <atomic>
#include <cstdio>

namespace ebb {

namespace {

std::atomic<log_form> form = log_form::text;

} // namespace

void set_log_form(log_form x) noexcept {
  form = x;
}

log_form log_form_now() noexcept {
  return form;
}

void tell_log(log_level level, std::string_view message, const log_fields& fields) {
  std::string line(message);
  if (form == log_form::json)
    line = log_json({{}, level, wall_clock(), std::move(line), fields});
  line += '\n';
  // One call: lines of several threads do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace ebb
