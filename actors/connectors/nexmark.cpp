#include "actors/connectors/nexmark.hpp"

#include "actors/connectors/nexmark_tables.hpp"
#include "actors/connectors/pace.hpp"
#include "actors/connectors/stride_reader.hpp"

#include <algorithm>

namespace ebb {

namespace {

using nexmark::events_per_epoch;

// Rows a batch: three text and four fixed columns of this many rows stay within the second-level
// cache beside the operators' own state.
constexpr std::uint32_t batch_rows = 2048;

text_ref ref(std::string_view text) noexcept {
  return text_ref{text};
}

// Fixed-width column under construction.
template <class T>
struct filling {
  column target;
  T* values;

  filling(sql_type type, std::uint32_t rows)
      : target(make_column(type, rows)), values(target.mutable_data<T>()) {}
};

constexpr sql_type bigint{type_kind::bigint};
constexpr sql_type text{type_kind::text};
constexpr sql_type timestamp{type_kind::timestamp};

// Text columns whose references are all written: no need to clear them first.
struct text_filling {
  column target;
  text_ref* values;

  explicit text_filling(std::uint32_t rows) {
    target.type = text;
    target.rows = rows;
    target.values = buffer_ptr::of<text_ref>(std::max(1U, rows));
    values = target.mutable_data<text_ref>();
  }
};

// Event times of consecutive numbers without a division each.
class time_counter {
public:
  explicit time_counter(std::uint64_t rate) noexcept
      : rate_(rate), step_(1'000'000 / rate), step_rest_(1'000'000 % rate) {}

  void seek(std::uint64_t n) noexcept {
    const auto product = static_cast<unsigned __int128>(n) * 1'000'000;
    elapsed_ = static_cast<std::uint64_t>(product / rate_);
    rest_ = static_cast<std::uint64_t>(product % rate_);
  }

  [[nodiscard]] micros time() const noexcept {
    return nexmark::base_time + static_cast<micros>(elapsed_ / 1000 * 1000);
  }

  void advance() noexcept {
    elapsed_ += step_;
    rest_ += step_rest_;
    if (rest_ >= rate_) {
      rest_ -= rate_;
      ++elapsed_;
    }
  }

private:
  std::uint64_t rate_, step_, step_rest_;
  std::uint64_t elapsed_ = 0, rest_ = 0;
};

// First and last slot of a table within its epoch.
struct slots {
  std::uint64_t first, last;
};

constexpr slots slots_of(nexmark_table table) noexcept {
  switch (table) {
  case nexmark_table::person:
    return {0, 1};
  case nexmark_table::auction:
    return {1, 4};
  case nexmark_table::bid:
    break;
  }
  return {4, events_per_epoch};
}

class nexmark_reader final : public stride_reader {
public:
  nexmark_reader(const source_definition& source, const nexmark_source& options, strides mine)
      : stride_reader(std::move(mine), source.time.has_value()), options_(options),
        tables_(nexmark::shared_tables()), slots_(slots_of(options.table)),
        pace_(options.rate, strides_.floor()), clock_(options.events_per_second),
        origin_(std::make_shared<std::string>("source " + source.name)) {}

private:
  result<read_status> read_rows(micros now, step_budget& budget, output& out) override {
    if (strides_.size() == 0)
      return read_status{read_status::kind::finished};
    const auto limit =
        std::min(options_.events == 0 ? UINT64_MAX : options_.events, pace_.allowed(now));
    const auto wanted = std::min(budget.rows, batch_rows);
    auto& from = strides_.lowest();
    plan_rows(from, limit, wanted);
    if (!spans_.empty()) {
      auto rows = make_rows(from.partition);
      counters_.rows += rows->rows;
      budget.rows -= std::min(budget.rows, rows->rows);
      out.emit(std::move(rows));
    }
    const auto next = strides_.lowest().next;
    if (options_.events != 0 && next >= options_.events)
      return read_status{read_status::kind::finished};
    if (options_.rate != 0 && next >= limit)
      return read_status{read_status::kind::waiting, pace_.when(next, now)};
    return read_status{};
  }

  // Consecutive event numbers.
  struct span {
    std::uint64_t first, count;
  };

  // Takes up to `wanted` event numbers below `limit` and moves the position behind them.
  void plan_rows(strides::stride& from, std::uint64_t limit, std::uint32_t wanted) {
    spans_.clear();
    planned_ = 0;
    auto epoch = from.next / events_per_epoch;
    auto slot = from.next % events_per_epoch;
    while (planned_ < wanted) {
      const auto first = epoch * events_per_epoch + slot;
      if (first >= limit)
        break;
      const auto count = std::min(
          {slots_.last - slot, limit - first, static_cast<std::uint64_t>(wanted - planned_)});
      spans_.push_back({first, count});
      planned_ += static_cast<std::uint32_t>(count);
      slot += count;
      if (slot == slots_.last) {
        slot = slots_.first;
        epoch += strides_.count();
      }
    }
    from.next = epoch * events_per_epoch + slot;
  }

  batch_ptr make_rows(std::uint32_t partition) {
    auto rows = std::make_shared<batch>();
    rows->rows = planned_;
    rows->partition = partition;
    rows->partitions = strides_.size();
    rows->origin.source = origin_;
    rows->origin.first = spans_.front().first;
    switch (options_.table) {
    case nexmark_table::person:
      make_persons(*rows);
      break;
    case nexmark_table::auction:
      make_auctions(*rows);
      break;
    case nexmark_table::bid:
      make_bids(*rows);
      break;
    }
    name_rows(*rows);
    return rows;
  }

  // Event numbers as offsets: the numbers of a batch have gaps.
  void name_rows(batch& rows) const {
    if (spans_.size() == 1)
      return;
    rows.origin.rows = buffer_ptr::of<std::uint32_t>(rows.rows);
    auto* offsets = rows.origin.rows.as<std::uint32_t>();
    for (const auto& part : spans_)
      for (std::uint64_t n = part.first; n < part.first + part.count; ++n)
        *offsets++ = static_cast<std::uint32_t>(n - spans_.front().first);
  }

  // Calls `row(n, time, i)` for each planned event.
  template <class Row>
  void for_each(const Row& row) {
    std::uint32_t i = 0;
    for (const auto& part : spans_) {
      clock_.seek(part.first);
      for (auto n = part.first; n < part.first + part.count; ++n) {
        row(n, clock_.time(), i++);
        clock_.advance();
      }
    }
  }

  // Goes through the planned events ahead of those that are made.
  class look_ahead {
  public:
    explicit look_ahead(const std::vector<span>& spans) : spans_(spans), n_(spans.front().first) {}

    template <class Prefetch>
    void step(const Prefetch& prefetch) {
      if (part_ == spans_.size())
        return;
      prefetch(n_);
      if (++n_ == spans_[part_].first + spans_[part_].count && ++part_ != spans_.size())
        n_ = spans_[part_].first;
    }

  private:
    const std::vector<span>& spans_;
    std::size_t part_ = 0;
    std::uint64_t n_;
  };

  void make_bids(batch& rows) {
    filling<std::int64_t> auction{bigint, planned_}, bidder{bigint, planned_},
        price{bigint, planned_}, time{timestamp, planned_};
    text_filling channel{planned_}, url{planned_}, extra{planned_};
    look_ahead ahead{spans_};
    const auto prefetch = [&](std::uint64_t n) {
      nexmark::prefetch_bid(n, options_.seed, tables_);
    };
    for (int k = 0; k < 16; ++k)
      ahead.step(prefetch);
    for_each([&](std::uint64_t n, micros at, std::uint32_t i) {
      ahead.step(prefetch);
      const auto bid = nexmark::make_bid(n, options_.seed, tables_);
      auction.values[i] = bid.auction;
      bidder.values[i] = bid.bidder;
      price.values[i] = bid.price;
      channel.values[i] = ref(bid.channel);
      url.values[i] = ref(bid.url);
      time.values[i] = at;
      extra.values[i] = ref(bid.extra);
    });
    rows.columns = {std::move(auction.target), std::move(bidder.target), std::move(price.target),
                    std::move(channel.target), std::move(url.target),    std::move(time.target),
                    std::move(extra.target)};
  }

  void make_auctions(batch& rows) {
    filling<std::int64_t> id{bigint, planned_}, initial{bigint, planned_},
        reserve{bigint, planned_}, time{timestamp, planned_}, expires{timestamp, planned_},
        seller{bigint, planned_}, category{bigint, planned_};
    text_filling item{planned_}, description{planned_}, extra{planned_};
    for_each([&](std::uint64_t n, micros at, std::uint32_t i) {
      const auto auction =
          nexmark::make_auction(n, options_.seed, options_.events_per_second, tables_);
      id.values[i] = auction.id;
      item.values[i] = ref(auction.item_name);
      description.values[i] = ref(auction.description);
      initial.values[i] = auction.initial_bid;
      reserve.values[i] = auction.reserve;
      time.values[i] = at;
      expires.values[i] = at + auction.length;
      seller.values[i] = auction.seller;
      category.values[i] = auction.category;
      extra.values[i] = ref(auction.extra);
    });
    rows.columns = {std::move(id.target),          std::move(item.target),
                    std::move(description.target), std::move(initial.target),
                    std::move(reserve.target),     std::move(time.target),
                    std::move(expires.target),     std::move(seller.target),
                    std::move(category.target),    std::move(extra.target)};
  }

  void make_persons(batch& rows) {
    filling<std::int64_t> id{bigint, planned_}, time{timestamp, planned_};
    text_filling name{planned_}, city{planned_}, state{planned_}, extra{planned_};
    text_builder email{text, planned_}, card{text, planned_};
    for_each([&](std::uint64_t n, micros at, std::uint32_t i) {
      const auto person = nexmark::make_person(n, options_.seed, tables_);
      id.values[i] = person.id;
      name.values[i] = ref(person.name);
      email.commit(nexmark::write_email(person.email_bits, email.reserve(16)));
      card.commit(nexmark::write_card(person.card_bits, card.reserve(19)));
      city.values[i] = ref(person.city);
      state.values[i] = ref(person.state);
      time.values[i] = at;
      extra.values[i] = ref(person.extra);
    });
    rows.columns = {std::move(id.target),   std::move(name.target),
                    email.take(),           card.take(),
                    std::move(city.target), std::move(state.target),
                    std::move(time.target), std::move(extra.target)};
  }

  nexmark_source options_;
  const nexmark::tables& tables_;
  slots slots_;
  pace pace_;
  time_counter clock_;
  std::shared_ptr<const std::string> origin_;
  std::vector<span> spans_;
  std::uint32_t planned_ = 0;
};

} // namespace

schema nexmark_schema(nexmark_table table) {
  switch (table) {
  case nexmark_table::person:
    return {{"id", bigint, true},           {"name", text, true}, {"email_address", text, true},
            {"credit_card", text, true},    {"city", text, true}, {"state", text, true},
            {"date_time", timestamp, true}, {"extra", text, true}};
  case nexmark_table::auction:
    return {{"id", bigint, true},         {"item_name", text, true},
            {"description", text, true},  {"initial_bid", bigint, true},
            {"reserve", bigint, true},    {"date_time", timestamp, true},
            {"expires", timestamp, true}, {"seller", bigint, true},
            {"category", bigint, true},   {"extra", text, true}};
  case nexmark_table::bid:
    break;
  }
  return {{"auction", bigint, true}, {"bidder", bigint, true}, {"price", bigint, true},
          {"channel", text, true},   {"url", text, true},      {"date_time", timestamp, true},
          {"extra", text, true}};
}

result<std::unique_ptr<source_reader>> open_nexmark(const source_definition& source,
                                                    const nexmark_source& options,
                                                    const connector_context& context) {
  EBB_ASSIGN(auto mine, strides::of(source.name, context, slots_of(options.table).first,
                                    events_per_epoch, options.events));
  return std::unique_ptr<source_reader>{
      std::make_unique<nexmark_reader>(source, options, std::move(mine))};
}

} // namespace ebb
