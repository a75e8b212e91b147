/// What the readers of synthetic sources have in common.
#pragma once

#include "actors/connectors/strides.hpp"

#include <utility>

namespace ebb {

/// Makes the rows of its strides; tells of quiet ones where the source has event time.
class stride_reader : public source_reader {
public:
  stride_reader(strides mine, bool timed) : strides_(std::move(mine)), timed_(timed) {}

  result<read_status> read(micros now, step_budget& budget, output& out) final {
    if (timed_)
      news_.tell(strides_.news(false), out);
    EBB_ASSIGN(const auto status, read_rows(now, budget, out));
    if (timed_)
      news_.tell(strides_.news(status.what == read_status::kind::waiting), out);
    return status;
  }

  source_counters counters() const final {
    return counters_;
  }

  std::uint32_t partitions() const final {
    return strides_.size();
  }

  void positions(std::vector<source_position>& out) const final {
    strides_.positions(out);
  }

protected:
  [[nodiscard]] virtual result<read_status> read_rows(micros now, step_budget& budget,
                                                      output& out) = 0;

  strides strides_;
  source_counters counters_;

private:
  const bool timed_;
  news_teller news_;
};

} // namespace ebb
