#include "tools/simulation/naive_model.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace ebb::sim {

namespace {

struct sums {
  std::int64_t count = 0;
  std::int64_t sum = 0;
  std::int64_t least = INT64_MAX;

  void add(const input_row& x) {
    ++count;
    sum += x.value;
    least = std::min(least, x.offset);
  }
};

using windows = std::map<std::pair<std::int64_t, micros>, sums>; ///< by key and start

windows tumbled(const input_rows& rows, micros size) {
  windows result;
  for (const auto& x : rows)
    result[{x.key, x.time / size * size}].add(x);
  return result;
}

} // namespace

naive_rows naive_hop(const input_rows& rows, micros slide, micros size) {
  windows found;
  for (const auto& x : rows)
    for (auto start = x.time / slide * slide; start > x.time - size; start -= slide)
      found[{x.key, start}].add(x);
  naive_rows result;
  for (const auto& [at, x] : found)
    result.push_back({at.first, at.second, x.count, x.sum, x.least});
  return result;
}

naive_rows naive_total(const input_rows& rows, micros size) {
  std::map<micros, sums> found;
  for (const auto& x : rows)
    found[x.time / size * size].add(x);
  naive_rows result;
  for (const auto& [start, x] : found)
    result.push_back({start, x.count, x.sum});
  return result;
}

naive_rows naive_session(const input_rows& rows, micros gap) {
  std::map<std::int64_t, std::map<micros, sums>> by_key;
  for (const auto& x : rows)
    by_key[x.key][x.time].add(x);
  naive_rows result;
  for (const auto& [key, times] : by_key) {
    micros last = 0;
    for (const auto& [time, x] : times) {
      if (result.empty() || result.back()[0] != key || time - last > gap)
        result.push_back({key, time, 0, 0, 0});
      auto& row = result.back();
      row[2] = time + gap;
      row[3] += x.count;
      row[4] += x.sum;
      last = time;
    }
  }
  return result;
}

naive_rows naive_interval_join(const input_rows& a, const input_rows& b, micros lower,
                               micros upper) {
  naive_rows result;
  for (const auto& x : a)
    for (const auto& y : b)
      if (x.key == y.key && y.time >= x.time + lower && y.time <= x.time + upper)
        result.push_back({x.key, x.time, y.time, x.partition, x.offset, y.partition, y.offset});
  return result;
}

naive_rows naive_window_join(const input_rows& a, const input_rows& b, micros size) {
  const auto left = tumbled(a, size);
  const auto right = tumbled(b, size);
  naive_rows result;
  for (const auto& [at, x] : left)
    if (const auto found = right.find(at); found != right.end())
      result.push_back({at.first, at.second, x.count, found->second.count});
  return result;
}

naive_rows naive_top(const input_rows& rows, micros size, std::int64_t limit) {
  std::map<std::pair<std::int64_t, micros>, input_rows> found;
  for (const auto& x : rows)
    found[{x.key, x.time / size * size}].push_back(x);
  naive_rows result;
  for (auto& [at, all] : found) {
    std::sort(all.begin(), all.end(), [](const input_row& x, const input_row& y) {
      return std::tuple(-x.value, x.partition, x.offset)
             < std::tuple(-y.value, y.partition, y.offset);
    });
    std::int64_t number = 0;
    for (const auto& x : all)
      if (++number <= limit)
        result.push_back({at.first, at.second, x.value, x.partition, x.offset, number});
  }
  return result;
}

naive_rows naive_best(const input_rows& rows, micros slide, micros size, std::int64_t limit) {
  const auto counted = naive_hop(rows, slide, size);
  naive_rows result;
  for (const auto& x : counted) {
    const auto more = [&](const auto& y) { return y[1] == x[1] && y[2] > x[2]; };
    const auto rank = 1 + std::count_if(counted.begin(), counted.end(), more);
    if (rank <= limit)
      result.push_back({x[0], x[1], x[2], rank});
  }
  return result;
}

naive_rows naive_over(const input_rows& rows, std::size_t distance) {
  std::map<std::int64_t, input_rows> by_key;
  for (const auto& x : rows)
    by_key[x.key].push_back(x);
  naive_rows result;
  for (auto& [key, all] : by_key) {
    std::sort(all.begin(), all.end(), [](const input_row& x, const input_row& y) {
      return std::tuple(x.time, x.partition, x.offset) < std::tuple(y.time, y.partition, y.offset);
    });
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& x = all[i];
      sum += x.value;
      result.push_back({key, x.time, x.partition, x.offset, static_cast<std::int64_t>(i + 1), sum,
                        i < distance ? no_value : all[i - distance].value});
    }
  }
  return result;
}

naive_rows naive_pass(const input_rows& rows, std::int64_t divisor) {
  naive_rows result;
  for (const auto& x : rows)
    if (x.value % divisor != 0)
      result.push_back({x.key, x.value, x.time, x.partition, x.offset});
  return result;
}

naive_rows naive_groups(const input_rows& rows) {
  std::map<std::int64_t, sums> found;
  std::map<std::int64_t, std::set<std::int64_t>> values;
  for (const auto& x : rows) {
    found[x.key].add(x);
    values[x.key].insert(x.value);
  }
  naive_rows result;
  for (const auto& [key, x] : found)
    result.push_back({key, x.count, x.sum, static_cast<std::int64_t>(values[key].size())});
  return result;
}

naive_rows naive_sizes(const input_rows& rows) {
  std::map<std::int64_t, std::int64_t> keys;
  for (const auto& x : rows)
    ++keys[x.key];
  std::map<std::int64_t, std::int64_t> sizes;
  for (const auto& [key, count] : keys)
    ++sizes[count % 6];
  naive_rows result;
  for (const auto& [size, count] : sizes)
    result.push_back({size, count});
  return result;
}

naive_rows naive_largest(const input_rows& rows, std::int64_t groups, std::int64_t limit) {
  const auto counted = naive_groups(rows);
  naive_rows result;
  for (const auto& x : counted) {
    const auto before = [&](const auto& y) {
      return y[0] % groups == x[0] % groups && (y[1] > x[1] || (y[1] == x[1] && y[0] < x[0]));
    };
    const auto number = 1 + std::count_if(counted.begin(), counted.end(), before);
    if (number <= limit)
      result.push_back({x[0] % groups, x[0], x[1], number});
  }
  return result;
}

naive_rows naive_counterparts(const input_rows& a, const input_rows& b) {
  std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> counts;
  for (const auto& x : a)
    ++counts[x.key][x.value % 3];
  naive_rows result;
  for (const auto& x : b) {
    const auto found = counts.find(x.key);
    if (found == counts.end())
      result.push_back({x.key, x.partition, x.offset, no_value, no_value});
    else
      for (const auto& [rest, count] : found->second)
        result.push_back({x.key, x.partition, x.offset, rest, count});
  }
  return result;
}

naive_rows naive_pairs(const input_rows& a, const input_rows& b) {
  naive_rows result;
  for (const auto& x : a)
    for (const auto& y : b)
      if (x.key == y.key && x.value == y.value)
        result.push_back({x.key, x.partition, x.offset, y.partition, y.offset});
  return result;
}

} // namespace ebb::sim
