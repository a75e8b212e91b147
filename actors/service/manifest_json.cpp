#include "actors/service/manifest_json.hpp"

#include "actors/plan/manifest_yaml.hpp"

#include <nlohmann/json.hpp>

namespace ebb {

namespace {

using json = nlohmann::ordered_json;

json scalar(const manifest::yaml_node& x) {
  if (!x.plain)
    return x.text;
  if (x.text == "true")
    return true;
  if (x.text == "false")
    return false;
  const auto number = json::parse(x.text, nullptr, false);
  if (number.is_number())
    return number;
  return x.text;
}

json convert(const manifest::yaml_node& x) {
  switch (x.kind) {
  case manifest::yaml_kind::null:
    return nullptr;
  case manifest::yaml_kind::text:
    return scalar(x);
  case manifest::yaml_kind::list: {
    auto all = json::array();
    for (const auto& y : x.values)
      all.push_back(convert(y));
    return all;
  }
  case manifest::yaml_kind::map: {
    auto all = json::object();
    for (std::size_t i = 0; i < x.keys.size(); ++i)
      all[x.keys[i].text] = convert(x.values[i]);
    return all;
  }
  }
  return nullptr;
}

} // namespace

json manifest_json(const std::string& text) {
  const manifest::yaml_source source(text, "manifest");
  const auto documents = manifest::parse_yaml(source);
  if (!documents || documents->empty())
    return json::object();
  return convert(documents->front());
}

} // namespace ebb
