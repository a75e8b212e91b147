#include "k8s-bridge/cluster/cluster_troubles.hpp"

#include <iterator>

namespace ebb {

namespace {

/// A pod that has ended badly is spoken of for so long.
constexpr micros ended_kept = 3600 * micros_per_second;
constexpr micros minute = 60 * micros_per_second;

std::string ago(micros x) {
  return x < 3 * minute ? std::to_string(x / micros_per_second) + " s ago"
                        : std::to_string(x / minute) + " min ago";
}

} // namespace

void cluster_troubles::pod(const std::string& stream, const pod_trouble& x, const std::string& pod,
                           micros now) {
  std::lock_guard guard(mutex_);
  std::erase_if(pods_,
                [&](const auto& y) { return y.second.ended && now - y.second.at > ended_kept; });
  pods_.insert_or_assign(stream, noted{x.reason + ": " + sentence_of(x, pod), x.ended, now});
}

void cluster_troubles::runs(const std::string& stream) {
  std::lock_guard guard(mutex_);
  if (const auto found = pods_.find(stream); found != pods_.end() && !found->second.ended)
    pods_.erase(found);
}

bool cluster_troubles::call(const std::string& what, const error* why) {
  std::lock_guard guard(mutex_);
  if (why == nullptr)
    return calls_.erase(what) != 0;
  auto text = why->message;
  if (!why->hint.empty())
    text += " (" + why->hint + ')';
  const auto [found, fresh] = calls_.try_emplace(what);
  const bool news = fresh || found->second != text;
  found->second = std::move(text);
  return news;
}

void cluster_troubles::policies_ignored() {
  std::lock_guard guard(mutex_);
  policies_ignored_ = true;
}

std::vector<std::string> cluster_troubles::sentences(const std::string& stream, micros now) {
  std::lock_guard guard(mutex_);
  std::vector<std::string> all;
  if (const auto found = pods_.find(stream); found != pods_.end()) {
    const auto& x = found->second;
    if (!x.ended)
      all.push_back(x.text);
    else if (now - x.at <= ended_kept)
      all.push_back("its last pod ended " + ago(now - x.at) + ": " + x.text);
  }
  for (const auto& [what, text] : calls_)
    all.push_back(text);
  if (policies_ignored_)
    all.emplace_back("the cluster's network does not enforce NetworkPolicies: other pods can reach "
                     "workers, which ask them for a certificate (use a network plugin that does)");
  return all;
}

} // namespace ebb
