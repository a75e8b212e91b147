#include "tools/simulation/virtual_links.hpp"

#include <algorithm>

namespace ebb::sim {

class virtual_links::channel final : public peer_channel {
public:
  channel(std::shared_ptr<virtual_links> in, std::uint32_t from, std::uint32_t to)
      : in_(std::move(in)), from_(from), to_(to) {}

  result<void> send(const peer_message& x) override {
    return in_->send(from_, to_, x);
  }

  void finish() override {
    in_->finish(from_, to_);
  }

private:
  std::shared_ptr<virtual_links> in_;
  std::uint32_t from_;
  std::uint32_t to_;
};

void virtual_links::connect(std::uint32_t part, std::shared_ptr<stream_peers> peers) {
  for (std::uint32_t other = 0; other < parts_; ++other)
    if (other != part)
      peers->connect(other, std::make_shared<channel>(shared_from_this(), part, other));
  peers_[part] = std::move(peers);
}

void virtual_links::put(link& to, std::optional<peer_message> what) {
  const auto delay = static_cast<micros>(random_.chance(rates_.delay) ? random_.below(100'000)
                                                                      : random_.below(200));
  const auto before = to.waiting.empty() ? clock_() : to.waiting.back().at;
  to.waiting.push_back({std::max(before, clock_()) + delay, std::move(what)});
}

result<void> virtual_links::send(std::uint32_t from, std::uint32_t to, const peer_message& x) {
  auto& way = between(from, to);
  if (!way.closed)
    put(way, x);
  return {};
}

void virtual_links::finish(std::uint32_t from, std::uint32_t to) {
  auto& way = between(from, to);
  if (std::exchange(way.closed, true))
    return;
  put(way, std::nullopt);
}

bool virtual_links::deliver_one(bool hurry) {
  const auto now = clock_();
  const auto due = [&](const link& x) {
    return !x.waiting.empty() && (hurry || x.waiting.front().at <= now);
  };
  const auto count = std::count_if(links_.begin(), links_.end(), due);
  if (count == 0)
    return false;
  auto pick = random_.below(static_cast<std::uint64_t>(count));
  for (std::uint32_t from = 0; from < parts_; ++from)
    for (std::uint32_t to = 0; to < parts_; ++to) {
      auto& way = between(from, to);
      if (!due(way) || pick-- != 0)
        continue;
      auto x = std::move(way.waiting.front().what);
      way.waiting.pop_front();
      if (x)
        peers_[to]->receive(from, *std::move(x));
      else
        peers_[to]->lost(from, make_error(ec::cancelled, "its link has closed"));
      return true;
    }
  return false;
}

micros virtual_links::next_time() const {
  micros result = max_time;
  for (const auto& x : links_)
    if (!x.waiting.empty())
      result = std::min(result, x.waiting.front().at);
  return result;
}

void virtual_links::cut(std::uint32_t part) {
  for (std::uint32_t other = 0; other < parts_; ++other) {
    if (other == part)
      continue;
    auto& to = between(other, part);
    to.waiting.clear();
    to.closed = true;
    auto& from = between(part, other);
    from.waiting.resize(random_.below(from.waiting.size() + 1));
    from.closed = true;
    put(from, std::nullopt);
  }
}

void virtual_links::drop() {
  for (auto& x : links_) {
    x.waiting.clear();
    x.closed = true;
  }
}

} // namespace ebb::sim
