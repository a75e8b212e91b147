#include "actors/connectors/nexmark_tables.hpp"

#include <algorithm>
#include <array>

namespace ebb::nexmark {

namespace {

constexpr std::uint64_t first_id = 1000;
constexpr std::uint64_t first_category = 10;
constexpr std::uint64_t category_count = 5;
constexpr std::uint64_t active_people = 1000;
constexpr std::uint64_t people_lead = 10;
constexpr std::uint64_t auctions_in_flight = 100;
constexpr std::uint64_t auction_lead = 10;
constexpr std::uint64_t hot_ratio = 100;

std::uint32_t low(std::uint64_t bits) noexcept {
  return static_cast<std::uint32_t>(bits);
}

std::uint32_t high(std::uint64_t bits) noexcept {
  return static_cast<std::uint32_t>(bits >> 32);
}

// Uniform over the last active people and a few that do not exist yet.
std::int64_t any_person(std::uint64_t last_person, std::uint32_t bits) noexcept {
  const auto people = last_person + 1;
  const auto active = std::min(people, active_people);
  return static_cast<std::int64_t>(first_id + people - active + below(bits, active + people_lead));
}

// Hot channel with probability 1/2.
std::uint64_t channel_of(std::uint64_t coins) noexcept {
  return (coins & 8) != 0
             ? (coins >> 4) & 3
             : hot_channels + below(static_cast<std::uint32_t>(coins >> 32), cold_channels);
}

// Padding that brings a record of `used` nominal bytes to `wanted` on average, ±20 %.
std::string_view padding(std::size_t used, std::size_t wanted, std::uint64_t bits,
                         const tables& t) noexcept {
  const std::uint64_t desired = wanted > used ? wanted - used : 0;
  const std::uint64_t delta = (desired + 2) / 5;
  const auto size = desired - delta + below(low(bits), std::max<std::uint64_t>(1, 2 * delta));
  return t.letters(high(bits), size);
}

} // namespace

micros event_time(std::uint64_t n, std::uint64_t rate) noexcept {
  const auto elapsed = static_cast<micros>(static_cast<unsigned __int128>(n)
                                           * static_cast<std::uint64_t>(micros_per_second) / rate);
  return base_time + elapsed / 1000 * 1000;
}

void prefetch_bid(std::uint64_t n, std::uint64_t seed, const tables& t) noexcept {
  const auto coins = draws{seed, n}.next();
  t.prefetch(static_cast<std::uint16_t>(coins >> 8), channel_of(coins));
}

bid make_bid(std::uint64_t n, std::uint64_t seed, const tables& t) noexcept {
  draws random{seed, n};
  const auto coins = random.next();
  const auto ids = random.next();
  const auto rest = random.next();
  const auto epoch = n / events_per_epoch;
  const auto last_auction = epoch * auctions_per_epoch + auctions_per_epoch - 1;
  const auto last_person = epoch;
  bid result;
  // Hot auction with probability 1/2.
  if ((coins & 1) != 0) {
    result.auction = static_cast<std::int64_t>(first_id + last_auction / hot_ratio * hot_ratio);
  } else {
    const auto first = last_auction > auctions_in_flight ? last_auction - auctions_in_flight : 0;
    result.auction = static_cast<std::int64_t>(
        first_id + first + below(low(ids), last_auction - first + 1 + auction_lead));
  }
  // Hot bidder with probability 3/4; never the id of a hot seller.
  if ((coins & 6) != 0)
    result.bidder = static_cast<std::int64_t>(first_id + last_person / hot_ratio * hot_ratio + 1);
  else
    result.bidder = any_person(last_person, high(ids));
  result.price = t.price(static_cast<std::uint16_t>(coins >> 8));
  const auto channel = channel_of(coins);
  result.channel = t.channel(channel);
  result.url = t.url(channel);
  result.extra = padding(32, 100, rest, t);
  return result;
}

auction make_auction(std::uint64_t n, std::uint64_t seed, std::uint64_t rate,
                     const tables& t) noexcept {
  draws random{seed, n};
  const auto coins = random.next();
  const auto name_bits = random.next();
  const auto description_bits = random.next();
  const auto length_bits = random.next();
  const auto extra_bits = random.next();
  const auto epoch = n / events_per_epoch;
  auction result;
  result.id =
      static_cast<std::int64_t>(first_id + epoch * auctions_per_epoch + n % events_per_epoch - 1);
  result.item_name = t.words(high(name_bits), 3 + below(low(name_bits), 17));
  result.description = t.words(high(description_bits), 3 + below(low(description_bits), 97));
  result.initial_bid = t.price(static_cast<std::uint16_t>(coins));
  result.reserve = result.initial_bid + t.price(static_cast<std::uint16_t>(coins >> 16));
  result.category =
      static_cast<std::int64_t>(first_category + below(high(length_bits), category_count));
  // Hot seller with probability 3/4.
  if (((coins >> 32) & 3) != 0)
    result.seller = static_cast<std::int64_t>(first_id + epoch / hot_ratio * hot_ratio);
  else
    result.seller = any_person(epoch, static_cast<std::uint32_t>(coins >> 34) << 2);
  // Twice the time until as many further auctions as are in flight have come, on average once.
  const auto ahead = auctions_in_flight * events_per_epoch / auctions_per_epoch;
  const auto horizon = (event_time(n + ahead, rate) - event_time(n, rate)) / 1000;
  result.length =
      1000
      * (1
         + static_cast<micros>(below(
             low(length_bits), static_cast<std::uint64_t>(std::max<micros>(1, 2 * horizon)))));
  result.extra =
      padding(48 + result.item_name.size() + result.description.size(), 500, extra_bits, t);
  return result;
}

person make_person(std::uint64_t n, std::uint64_t seed, const tables& t) noexcept {
  draws random{seed, n};
  const auto names = random.next();
  person result;
  result.email_bits = random.next();
  result.card_bits = random.next();
  result.id = static_cast<std::int64_t>(first_id + n / events_per_epoch);
  result.name = t.name(below(low(names), name_count));
  result.city = t.city(below(static_cast<std::uint32_t>(names >> 32) << 16, city_count));
  result.state = t.state(below(static_cast<std::uint32_t>(names >> 48) << 16, state_count));
  std::array<char, 32> text{};
  const auto used = 8 + result.name.size() + write_email(result.email_bits, text.data())
                    + write_card(result.card_bits, text.data()) + result.city.size()
                    + result.state.size();
  result.extra = padding(used, 200, random.next(), t);
  return result;
}

std::size_t write_email(std::uint64_t bits, char* out) noexcept {
  const char* const start = out;
  const auto letters = [&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      *out++ = static_cast<char>('a' + bits % 26);
      bits /= 26;
    }
  };
  const auto user = 3 + (bits & 3);
  const auto host = 3 + ((bits >> 2) & 1);
  bits >>= 3;
  letters(user);
  *out++ = '@';
  letters(host);
  for (const char c : std::string_view{".com"})
    *out++ = c;
  return static_cast<std::size_t>(out - start);
}

std::size_t write_card(std::uint64_t bits, char* out) noexcept {
  char* const start = out;
  for (int group = 0; group < 4; ++group) {
    if (group != 0)
      *out++ = ' ';
    auto number = (bits & 0xffff) * 10'000 >> 16;
    bits >>= 16;
    for (int digit = 3; digit >= 0; --digit) {
      out[digit] = static_cast<char>('0' + number % 10);
      number /= 10;
    }
    out += 4;
  }
  return static_cast<std::size_t>(out - start);
}

} // namespace ebb::nexmark
