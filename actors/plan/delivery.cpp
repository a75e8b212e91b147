#include "actors/plan/delivery.hpp"

#include "actors/plan/sink_folder.hpp"

namespace ebb {

namespace {

bool is_special(const std::string& path, const std::string& folder) {
  const bool relative = !folder.empty() && !path.empty() && path.front() != '/';
  return is_special_file(relative ? folder + '/' + path : path);
}

delivery of_file(const file_sink& sink, bool exactly_once, const std::string& folder) {
  if (is_special(sink.path, folder))
    return {delivery_class::at_least_once,
            exactly_once ? "no regular file: written after the commit, perhaps twice"
                         : "no regular file: written at once"};
  if (writes_parts(sink, folder))
    return exactly_once
               ? delivery{delivery_class::exactly_once, "parts get their names after the commit"}
               : delivery{delivery_class::at_least_once, "parts get their names before the commit"};
  return exactly_once ? delivery{delivery_class::exactly_once, "append at the recorded offset"}
                      : delivery{delivery_class::at_least_once, "append at once"};
}

} // namespace

const char* to_string(delivery_class what) noexcept {
  switch (what) {
  case delivery_class::exactly_once:
    return "exactly-once";
  case delivery_class::at_least_once:
    return "at-least-once";
  case delivery_class::none:
    break;
  }
  return "none";
}

std::string to_string(const delivery& x) {
  return std::string(to_string(x.what)) + " (" + x.how + ')';
}

delivery delivery_of(const sink_definition& sink, bool exactly_once, const std::string& folder) {
  if (const auto* file = std::get_if<file_sink>(&sink.connector))
    return of_file(*file, exactly_once, folder);
  if (std::holds_alternative<stdout_sink>(sink.connector))
    return {delivery_class::at_least_once,
            exactly_once ? "written after the commit, perhaps twice" : "written at once"};
  if (std::holds_alternative<discard_sink>(sink.connector))
    return {delivery_class::none, "rows are dropped"};
  return exactly_once ? delivery{delivery_class::exactly_once,
                                 "appended after the commit, with a mark that tells a repetition"}
                      : delivery{delivery_class::at_least_once, "append at once"};
}

delivery replay_of(const source_definition& source, const std::string& folder) {
  if (const auto* file = std::get_if<file_source>(&source.connector))
    return is_special(file->path, folder)
               ? delivery{delivery_class::none, "no regular file: it cannot be read again"}
               : delivery{delivery_class::exactly_once, "read again from the recorded byte"};
  if (std::holds_alternative<topic_source>(source.connector))
    return {delivery_class::exactly_once, "read again from the recorded offset"};
  return {delivery_class::exactly_once, "made again from the recorded number"};
}

} // namespace ebb
