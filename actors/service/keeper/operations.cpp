#include "actors/service/keeper/operations.hpp"

#include <fmt/format.h>

namespace ebb {

namespace {

constexpr std::size_t kept = 1000;

} // namespace

const char* to_string(operation_kind x) noexcept {
  switch (x) {
  case operation_kind::sleep:
    return "sleep";
  case operation_kind::wake:
    return "wake";
  case operation_kind::scale:
    return "scale";
  case operation_kind::savepoint:
    return "savepoint";
  case operation_kind::restore:
    return "restore";
  }
  return "";
}

const operation& operations::begin(operation_kind what, const std::string& stream,
                                   const std::string& name, micros now) {
  operation x;
  x.id = fmt::format("{}-{:x}-{}", to_string(what), seed_ & 0xffffff, next_++);
  x.what = what;
  x.stream = stream;
  x.name = name;
  x.started = now;
  order_.push_back(x.id);
  if (order_.size() > kept) {
    all_.erase(order_.front());
    order_.pop_front();
  }
  return all_[x.id] = x;
}

const operation* operations::find(const std::string& id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

void operations::finish(const std::string& id, const result<std::string>& how, micros now) {
  const auto found = all_.find(id);
  if (found == all_.end() || found->second.done())
    return;
  found->second.finished = now;
  if (how)
    found->second.message = *how;
  else
    found->second.problem = how.error();
}

std::vector<std::string> operations::pending(const std::string& stream) const {
  std::vector<std::string> found;
  for (const auto& [id, x] : all_)
    if (x.stream == stream && !x.done())
      found.push_back(id);
  return found;
}

} // namespace ebb
