#include "actors/connectors/nexmark_tables.hpp"

#include <array>
#include <cmath>

namespace ebb::nexmark {

namespace {

constexpr std::array<std::string_view, 11> first_names = {
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array<std::string_view, 9> last_names = {
    "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"};
constexpr std::array<std::string_view, city_count> cities = {
    "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
    "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array<std::string_view, state_count> states = {"AZ", "CA", "ID", "OR", "WA", "WY"};
constexpr std::array<std::string_view, hot_channels> hot_names = {"Google", "Facebook", "Baidu",
                                                                  "Apple"};

// Fixed seeds: the tables are part of the events' definition.
constexpr std::uint64_t letters_seed = 1;
constexpr std::uint64_t words_seed = 2;
constexpr std::uint64_t url_seed = 3;

// `size` letters, eight a draw (a byte each); with `spaces`, a space for one in 13. `size` is a
// multiple of 8.
void fill(std::string& pool, std::uint64_t size, std::uint64_t seed, bool spaces) {
  std::array<char, 256> letter{};
  for (std::size_t byte = 0; byte < letter.size(); ++byte)
    letter[byte] = spaces && byte < 20 ? ' ' : static_cast<char>('a' + byte * 26 / 256);
  pool.resize(size);
  draws random{seed, 0};
  for (std::uint64_t at = 0; at < size; at += 8) {
    auto bits = random.next();
    for (std::uint64_t k = 0; k < 8; ++k, bits >>= 8)
      pool[at + k] = letter[bits & 0xff];
  }
}

std::uint32_t reverse_bits(std::uint32_t x) noexcept {
  std::uint32_t result = 0;
  for (int i = 0; i < 32; ++i, x >>= 1)
    result = result << 1 | (x & 1);
  return result;
}

// A path part of 3 or 4 characters, `_` for one letter in 13.
void append_part(std::string& text, draws& random) {
  auto bits = random.next();
  const auto size = 3 + (bits & 1);
  bits >>= 1;
  for (std::uint64_t i = 0; i < size; ++i, bits >>= 12)
    text += bits % 13 == 0 ? '_' : static_cast<char>('a' + (bits >> 4) % 26);
}

} // namespace

tables::tables() {
  prices_.resize(65'536);
  // Multiplied up step by step: the same on every machine, unlike pow().
  constexpr double step = 1.000'210'830'182'954'4; // 10^(6/65536)
  double price = 100;
  for (auto& entry : prices_) {
    entry = static_cast<std::uint32_t>(std::llround(price));
    price *= step;
  }
  fill(letters_, pool_size + pool_tail, letters_seed, false);
  fill(words_, words_size + pool_tail, words_seed, true);

  struct range {
    std::size_t first, size;
  };

  std::vector<range> ranges;
  draws random{url_seed, 0};
  text_.reserve(1'200'000);
  const auto url = [&](std::uint64_t channel, bool with_id) {
    const auto first = text_.size();
    text_ += "https://www.nexmark.com/";
    for (int part = 0; part < 3; ++part) {
      append_part(text_, random);
      text_ += '/';
    }
    text_ += "item.htm?query=1";
    if (with_id) {
      const auto reversed =
          static_cast<std::int32_t>(reverse_bits(static_cast<std::uint32_t>(channel)));
      text_ += "&channel_id=";
      text_ += std::to_string(std::abs(static_cast<std::int64_t>(reversed)));
    }
    ranges.push_back({first, text_.size() - first});
  };
  const auto put = [&](std::string_view text) {
    ranges.push_back({text_.size(), text.size()});
    text_ += text;
  };
  for (const auto name : hot_names)
    put(name);
  for (std::uint64_t k = 0; k < cold_channels; ++k)
    put("channel-" + std::to_string(k));
  for (std::uint64_t k = 0; k < hot_channels; ++k)
    url(k, false);
  for (std::uint64_t k = 0; k < cold_channels; ++k)
    url(k, random.next() % 10 != 0);
  for (const auto first : first_names)
    for (const auto last : last_names)
      put(std::string(first) + ' ' + std::string(last));
  const auto view = [&](const range& r) { return std::string_view{text_}.substr(r.first, r.size); };
  const auto channels = hot_channels + cold_channels;
  for (std::size_t i = 0; i < channels; ++i)
    channels_.push_back({view(ranges[i]), view(ranges[channels + i])});
  for (auto i = 2 * channels; i < ranges.size(); ++i)
    names_.push_back(view(ranges[i]));
}

std::string_view tables::words(std::uint32_t bits, std::uint64_t size) const noexcept {
  std::string_view text{words_.data() + below(bits, words_size), size};
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

std::string_view tables::city(std::uint64_t i) const noexcept {
  return cities[i];
}

std::string_view tables::state(std::uint64_t i) const noexcept {
  return states[i];
}

const tables& shared_tables() {
  // Never destroyed: batches may refer to its text until the process ends.
  static const tables* const instance = new tables;
  return *instance;
}

} // namespace ebb::nexmark
