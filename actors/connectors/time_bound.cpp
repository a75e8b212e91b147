#include "actors/connectors/time_bound.hpp"

#include "actors/connectors/file_text.hpp"

namespace ebb {

std::optional<std::uint32_t> bounded_time_column(const source_definition& source) {
  if (!source.time || !source.time->max_ahead)
    return std::nullopt;
  for (std::uint32_t i = 0; i < source.columns.size(); ++i)
    if (source.columns[i].name == source.time->column)
      return i;
  return std::nullopt;
}

std::string ahead_message(micros time) {
  char text[fixed_text_max];
  const auto* const end = write_timestamp(time, false, text);
  return "event time " + std::string(text, static_cast<std::size_t>(end - text))
         + " is further ahead of the clock than maxAhead allows";
}

} // namespace ebb
