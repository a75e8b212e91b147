/// Nexmark's events as pure functions of their number.
///
/// Model: the Nexmark suite's (Tucker et al., as ported by Apache Beam and nexmark/nexmark):
/// of 50 events 1 is a person, 3 are auctions, 46 are bids; ids, hot keys, prices and lengths
/// follow the same distributions. Random draws are a hash of (seed, event number), so any event can
/// be made alone, in any order, by any subtask.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <string_view>

namespace ebb::nexmark {

inline constexpr std::uint64_t events_per_epoch = 50; ///< 1 person, then 3 auctions, then 46 bids
inline constexpr std::uint64_t bids_per_epoch = 46;
inline constexpr std::uint64_t auctions_per_epoch = 3;
/// 2015-07-15T00:00:00Z
inline constexpr micros base_time = 1'436'918'400 * micros_per_second;

/// Event time of event number n at `rate` events a second, truncated to milliseconds.
[[nodiscard]] micros event_time(std::uint64_t n, std::uint64_t rate) noexcept;

/// A stream of 64-bit draws that belongs to one event.
class draws {
public:
  draws(std::uint64_t seed, std::uint64_t event) noexcept
      : state_((event + 1) * 0xd1342543de82ef95ULL ^ seed) {}

  /// SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

private:
  std::uint64_t state_;
};

/// Uniform in [0, bound) from 32 random bits (bound < 2^32).
[[nodiscard]] constexpr std::uint64_t below(std::uint32_t bits, std::uint64_t bound) noexcept {
  return (bits * bound) >> 32;
}

struct bid {
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;
  std::string_view channel, url, extra; ///< live as long as the process
};

struct auction {
  std::int64_t id = 0;
  std::string_view item_name, description, extra; ///< live as long as the process
  std::int64_t initial_bid = 0, reserve = 0, seller = 0, category = 0;
  micros length = 0; ///< expires = time + length
};

struct person {
  std::int64_t id = 0;
  std::string_view name, city, state, extra; ///< live as long as the process
  std::uint64_t email_bits = 0, card_bits = 0;
};

/// Writes `xxxx@yyy.com` (at most 16 bytes) for `person::email_bits`; returns the size.
std::size_t write_email(std::uint64_t bits, char* out) noexcept;
/// Writes `1234 5678 9012 3456` (19 bytes).
std::size_t write_card(std::uint64_t bits, char* out) noexcept;

/// Constant tables: prices, channels, URLs, letters. Built once on first use.
class tables;
[[nodiscard]] const tables& shared_tables();

/// Event `n` must be of the kind asked for (n % 50: 0 person, 1–3 auction, else bid).
[[nodiscard]] bid make_bid(std::uint64_t n, std::uint64_t seed, const tables& t) noexcept;
/// Fetches what `make_bid` will read of the tables, which the nearer caches do not hold.
void prefetch_bid(std::uint64_t n, std::uint64_t seed, const tables& t) noexcept;
[[nodiscard]] auction make_auction(std::uint64_t n, std::uint64_t seed, std::uint64_t rate,
                                   const tables& t) noexcept;
[[nodiscard]] person make_person(std::uint64_t n, std::uint64_t seed, const tables& t) noexcept;

} // namespace ebb::nexmark
