#include "actors/gateway/http_request.hpp"

#include "schemas/assert.hpp"

namespace ebb {

namespace {

const http_request::value* find_value(const std::vector<http_request::value>& values,
                                      std::string_view name) noexcept {
  for (const auto& x : values)
    if (x.of->name == name)
      return &x;
  return nullptr;
}

} // namespace

const std::string& http_request::part(std::string_view name) const {
  const auto* found = find_value(path, name);
  EBB_ASSERT(found != nullptr);
  return found->text;
}

const http_request::value* http_request::query_value(std::string_view name) const noexcept {
  return find_value(query, name);
}

const http_request::value* http_request::header_value(std::string_view name) const noexcept {
  return find_value(headers, name);
}

std::string_view http_request::query_text(std::string_view name,
                                          std::string_view otherwise) const noexcept {
  const auto* found = find_value(query, name);
  return found != nullptr ? std::string_view(found->text) : otherwise;
}

std::int64_t http_request::query_number(std::string_view name,
                                        std::int64_t otherwise) const noexcept {
  const auto* found = find_value(query, name);
  return found != nullptr ? found->number : otherwise;
}

} // namespace ebb
