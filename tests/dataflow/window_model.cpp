#include "tests/dataflow/window_model.hpp"

#include <set>

namespace window_tests {

namespace {

/// What a group's result reads as, from the rows in it.
std::string result_text(bool keyed, calls which, std::int64_t key, micros start, micros end,
                        const std::vector<std::int64_t>& values) {
  std::set<std::int64_t> distinct;
  std::int64_t sum = 0;
  for (const auto v : values)
    if (v != -1) {
      distinct.insert(v);
      sum += v;
    }
  std::string text = !keyed ? "" : key == -1 ? "NULL " : std::to_string(key) + ' ';
  text += std::to_string(start) + ' ' + std::to_string(end) + ' ' + std::to_string(values.size())
          + ' ' + (distinct.empty() ? "NULL" : std::to_string(sum));
  if (which == calls::all)
    text += ' ' + (distinct.empty() ? "NULL" : std::to_string(*distinct.begin())) + ' '
            + std::to_string(distinct.size());
  return text;
}

/// Windows a row at a time, by their definition.
class naive_windows {
public:
  naive_windows(const window_spec& w, bool keyed, calls which)
      : w_(w), keyed_(keyed), which_(which) {}

  void take(const row& r, micros watermark) {
    if (r.time == min_time || r.time == max_time) {
      ++late_;
      return;
    }
    if (w_.kind == window_kind::session)
      take_session(r, watermark);
    else
      take_aligned(r, watermark);
  }

  [[nodiscard]] answer finish() {
    answer x;
    for (const auto& [id, values] : windows_)
      x.rows.push_back(
          result_text(keyed_, which_, std::get<2>(id), std::get<1>(id), std::get<0>(id), values));
    for (const auto& [key, sessions] : sessions_)
      for (const auto& s : sessions)
        x.rows.push_back(result_text(keyed_, which_, key, s.first, s.last + w_.size, s.values));
    std::sort(x.rows.begin(), x.rows.end());
    x.late = late_;
    return x;
  }

private:
  struct session_rows {
    micros first, last;
    std::vector<std::int64_t> values;
    bool closed = false;
  };

  void take_aligned(const row& r, micros watermark) {
    bool in_any = false;
    bool entered = false;
    const auto enter = [&](micros start, micros end) {
      if (r.time < start || r.time >= end)
        return;
      in_any = true;
      if (end <= watermark)
        return;
      entered = true;
      windows_[{end, start, keyed_ ? r.key : 0}].push_back(r.value);
    };
    const auto slide = w_.kind == window_kind::tumble ? w_.size : w_.slide;
    // Windows around the row, with room to spare.
    const auto near = (r.time - w_.offset) / slide * slide + w_.offset;
    if (w_.kind == window_kind::cumulate) {
      const auto base = (r.time - w_.offset) / w_.size * w_.size + w_.offset;
      for (auto start = base - 2 * w_.size; start <= base + w_.size; start += w_.size)
        for (auto end = start + w_.slide; end <= start + w_.size; end += w_.slide)
          enter(start, end);
    } else {
      for (auto start = near - w_.size / slide * slide - 3 * slide; start <= near + 2 * slide;
           start += slide)
        enter(start, start + w_.size);
    }
    if (in_any && !entered)
      ++late_;
  }

  void take_session(const row& r, micros watermark) {
    auto& all = sessions_[keyed_ ? r.key : 0];
    session_rows mine{r.time, r.time, {r.value}};
    for (auto& s : all)
      s.closed |= s.last + w_.size < watermark;
    bool joined = false;
    for (auto it = all.begin(); it != all.end();) {
      if (!it->closed && r.time >= it->first - w_.size && r.time <= it->last + w_.size) {
        mine.first = std::min(mine.first, it->first);
        mine.last = std::max(mine.last, it->last);
        mine.values.insert(mine.values.end(), it->values.begin(), it->values.end());
        it = all.erase(it);
        joined = true;
      } else {
        ++it;
      }
    }
    if (!joined && r.time + w_.size < watermark)
      ++late_;
    else
      all.push_back(mine);
  }

  window_spec w_;
  bool keyed_;
  calls which_;
  std::map<std::tuple<micros, micros, std::int64_t>, std::vector<std::int64_t>> windows_;
  std::map<std::int64_t, std::vector<session_rows>> sessions_;
  std::uint64_t late_ = 0;
};

} // namespace

std::vector<row> random_rows(std::mt19937& random, std::size_t count, micros pace,
                             micros disorder) {
  std::vector<row> rows(count);
  micros now = -static_cast<micros>(count) * pace / 4; // some time before 1970
  for (auto& r : rows) {
    now += random() % 7 == 0 ? pace * static_cast<micros>(random() % 20)
                             : static_cast<micros>(random()) % pace;
    r.time = now - (disorder == 0 ? 0 : static_cast<micros>(random() % disorder));
    if (random() % 50 == 0)
      r.time -= disorder * 3;
    if (random() % 400 == 0)
      r.time = random() % 2 == 0 ? min_time : max_time;
    r.key = static_cast<std::int64_t>(random() % 6) - 1;
    r.value = static_cast<std::int64_t>(random() % 12) - 1;
  }
  return rows;
}

answer model(const std::vector<row>& rows, const window_spec& w, bool keyed, micros delay,
             calls which) {
  naive_windows naive(w, keyed, which);
  micros watermark = min_time;
  for (const auto& r : rows) {
    naive.take(r, watermark);
    if (r.time != min_time && r.time != max_time)
      watermark = std::max(watermark, r.time - delay);
  }
  return naive.finish();
}

void feed_rows(stream_operator& head, const std::vector<row>& rows, std::size_t batch_size,
               output& out) {
  for (std::size_t first = 0; first < rows.size(); first += batch_size) {
    const auto count = std::min(batch_size, rows.size() - first);
    feed(head, batch_item(std::make_shared<batch>(make_batch(rows.data() + first, count))), out);
  }
}

} // namespace window_tests
