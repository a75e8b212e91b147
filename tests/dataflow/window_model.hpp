/// Windows that the tests go through, and what aggregates over them are by a model that takes a row
/// at a time.
#pragma once

#include "tests/dataflow/window_driver.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace window_tests {

inline window_spec tumble(micros size, micros offset = 0) {
  window_spec w;
  w.kind = window_kind::tumble;
  w.time_column = 0;
  w.size = size;
  w.offset = offset;
  return w;
}

inline window_spec hop(micros slide, micros size, micros offset = 0) {
  auto w = tumble(size, offset);
  w.kind = window_kind::hop;
  w.slide = slide;
  return w;
}

inline window_spec cumulate(micros step, micros size, micros offset = 0) {
  auto w = hop(step, size, offset);
  w.kind = window_kind::cumulate;
  return w;
}

inline window_spec session(micros gap) {
  auto w = tumble(gap);
  w.kind = window_kind::session;
  return w;
}

/// Which calls are made: all kinds, or those alone that can take panes back.
enum class calls { all, sums };

inline window_aggregate_spec by_key(const window_spec& w, bool keyed = true,
                                    calls which = calls::all) {
  window_aggregate_spec spec;
  spec.window = w;
  if (keyed)
    spec.keys = {1};
  spec.calls = {call_of("count", {}), call_of("sum", {2})};
  if (which == calls::sums)
    return spec;
  spec.calls.push_back(call_of("min", {2}));
  spec.calls.push_back(call_of("count", {2}));
  spec.calls.back().distinct = true;
  return spec;
}

inline operator_context context(std::vector<sql_type> types = row_types) {
  return {"test", {std::move(types)}, 16};
}

struct shape {
  const char* name;
  window_spec window;
};

inline const std::vector<shape> shapes{
    {"tumble", tumble(100)},
    {"tumble with offset", tumble(100, -30)},
    {"hop", hop(20, 100)},
    {"hop, size no multiple of slide", hop(40, 100, 7)},
    {"hop with gaps", hop(100, 30)},
    {"hop of many panes", hop(3, 100)},
    {"cumulate", cumulate(25, 100, 10)},
    {"session", session(20)},
};

/// The rows of a result, sorted, and how many rows came late.
struct answer {
  std::vector<std::string> rows;
  std::uint64_t late = 0;
};

/// Random rows that move on in time, out of order by up to `disorder` and now and then far behind.
[[nodiscard]] std::vector<row> random_rows(std::mt19937& random, std::size_t count, micros pace,
                                           micros disorder);

/// Windows by their definition; `delay` of the watermark.
[[nodiscard]] answer model(const std::vector<row>& rows, const window_spec& w, bool keyed,
                           micros delay, calls which = calls::all);

/// In batches of this size.
void feed_rows(stream_operator& head, const std::vector<row>& rows, std::size_t batch_size,
               output& out);

} // namespace window_tests
