#include "actors/gateway/token_guard.hpp"

#include <algorithm>

namespace ebb {

result<token_guard> token_guard::open(const std::string& folder) {
  token_guard out;
  if (folder.empty())
    return out;
  out.file_.emplace(folder);
  out.version_ = out.file_->version();
  EBB_ASSIGN(out.tokens_, out.file_->load());
  return out;
}

bool token_guard::any_good(micros now) const {
  return tokens_ && std::any_of(tokens_->all().begin(), tokens_->all().end(), [&](const auto& x) {
           return x.expires > now;
         });
}

bool token_guard::holds(std::string_view id, micros now) const {
  return !tokens_ || std::any_of(tokens_->all().begin(), tokens_->all().end(), [&](const auto& x) {
    return x.id == id && x.expires > now;
  });
}

void token_guard::refresh() {
  if (!file_)
    return;
  // Times of use are only told to people; what cannot be written now can be later.
  if (unsaved_ && file_->save_uses(*tokens_))
    unsaved_ = false;
  auto now = file_->version();
  if (now == version_)
    return;
  auto loaded = file_->load();
  // No more files may be open just now: what was read before still holds.
  if (!loaded && loaded.error().code == ec::io)
    return;
  version_ = std::move(now);
  if (loaded && *loaded)
    tokens_ = **std::move(loaded);
  else if (tokens_)
    tokens_.emplace();
}

} // namespace ebb
