#include "actors/service/hosting/waiting_sinks.hpp"

namespace ebb {

void waiting_sinks::told(const std::string& text) {
  std::lock_guard guard(mutex_);
  if (const auto at = text.find(" waits: "); at != std::string::npos) {
    auto& x = waits_[text.substr(0, at)];
    ++x.lanes;
    x.text = text;
  } else if (const auto end = text.find(" goes on: "); end != std::string::npos) {
    const auto found = waits_.find(text.substr(0, end));
    if (found != waits_.end() && --found->second.lanes == 0)
      waits_.erase(found);
  }
}

std::string waiting_sinks::text() const {
  std::lock_guard guard(mutex_);
  return waits_.empty() ? std::string() : waits_.begin()->second.text;
}

} // namespace ebb
