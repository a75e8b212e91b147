// What a manifest may say of the pods that run it, and the objects of names that it takes from
// there.

#include "actors/plan/manifest_parts.hpp"

#include <algorithm>
#include <limits>

namespace ebb::manifest {

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// `500m`, `1.5`, `64Mi`: digits, perhaps a fraction, and one of the units.
bool is_quantity(std::string_view text) noexcept {
  constexpr std::string_view units[] = {"",  "m",  "k",  "M",  "G",  "T",  "P",
                                        "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  const auto skip_digits = [&text] {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto found = end != text.begin();
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    return found;
  };
  if (!skip_digits())
    return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!skip_digits())
      return false;
  }
  return std::find(std::begin(units), std::end(units), text) != std::end(units);
}

result<void> check_tolerations(const reader& in, const located& at) {
  EBB_ASSIGN(const auto items, in.items(at, "tolerations", 64));
  for (const auto& item : items) {
    EBB_TRY(in.keys(item, {"key", "operator", "value", "effect", "tolerationSeconds"}));
    for (const auto* key : {"key", "value"})
      if (const auto x = reader::field(item, key))
        EBB_TRY(in.text(x, "text"));
    if (const auto x = reader::field(item, "operator"))
      EBB_TRY(in.word(x, {"Exists", "Equal"}));
    if (const auto x = reader::field(item, "effect"))
      EBB_TRY(in.word(x, {"NoSchedule", "PreferNoSchedule", "NoExecute"}));
    if (const auto x = reader::field(item, "tolerationSeconds"))
      EBB_TRY(in.integer(x, 0, std::numeric_limits<std::int64_t>::max()));
  }
  return {};
}

} // namespace

result<void> reader::object(const located& at) const {
  note(at, field_kind::any);
  if (at.node->kind != yaml_kind::map)
    return mismatch(at, "an object");
  return {};
}

result<void> reader::texts(const located& at) const {
  if (!at)
    return {};
  note(at, field_kind::texts);
  if (at.node->kind != yaml_kind::map)
    return fail(at, "expected an object of names and texts", "write {team: web}");
  for (std::size_t i = 0; i < at.node->keys.size(); ++i)
    EBB_TRY(plain_text({&at.node->values[i], at.path + '.' + at.node->keys[i].text}, "text"));
  return {};
}

result<void> reader::quantities(const located& at) const {
  if (!at)
    return {};
  note(at, field_kind::quantities);
  if (at.node->kind != yaml_kind::map)
    return mismatch(at, "an object of names and amounts", "write {cpu: 500m, memory: 256Mi}");
  for (std::size_t i = 0; i < at.node->keys.size(); ++i) {
    const auto& value = at.node->values[i];
    if (value.kind != yaml_kind::text || !is_quantity(value.text)
        || (value.plain && value.text.find('.') != std::string::npos
            && is_digit(value.text.back())))
      return mismatch({&value, at.path + '.' + at.node->keys[i].text}, "an amount",
                      "a number, perhaps with a unit: 2, 500m, \"1.5\" or 256Mi");
  }
  return {};
}

result<void> check_pod(const reader& in, const located& spec) {
  const auto at = reader::field(spec, "pod");
  if (!at)
    return {};
  EBB_TRY(in.keys(
      at, {"resources", "nodeSelector", "tolerations", "affinity", "labels", "annotations"}));
  if (const auto x = reader::field(at, "resources")) {
    EBB_TRY(in.keys(x, {"requests", "limits"}));
    EBB_TRY(in.quantities(reader::field(x, "requests")));
    EBB_TRY(in.quantities(reader::field(x, "limits")));
  }
  for (const auto* key : {"nodeSelector", "labels", "annotations"})
    EBB_TRY(in.texts(reader::field(at, key)));
  EBB_TRY(check_tolerations(in, reader::field(at, "tolerations")));
  if (const auto x = reader::field(at, "affinity")) {
    EBB_TRY(in.keys(x, {"nodeAffinity", "podAffinity", "podAntiAffinity"}));
    for (const auto* key : {"nodeAffinity", "podAffinity", "podAntiAffinity"})
      if (const auto y = reader::field(x, key))
        EBB_TRY(in.object(y));
  }
  return {};
}

} // namespace ebb::manifest
