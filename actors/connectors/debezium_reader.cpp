/// Records of changes: `{"op":"c|r|u|d","before":…,"after":…}`, also inside a `payload`.
#include "actors/connectors/json_reader.hpp"

#include <algorithm>

namespace ebb {

void json_reader::complete(batch& rows) {
  if (!options_.changes)
    return;
  EBB_ASSERT(weights_.size() == rows.rows);
  if (std::any_of(weights_.begin(), weights_.end(), [](auto x) { return x != 1; })) {
    rows.weights = buffer_ptr::of<std::int32_t>(rows.rows);
    std::copy(weights_.begin(), weights_.end(), rows.weights.as<std::int32_t>());
  }
  weights_.clear();
  op_rows_ = std::exchange(ops_, {});
}

// `p` is an object's opening brace; returns what comes behind it.
const char* json_reader::find_parts(const char* p, change_parts& out, int depth) {
  p = json::skip_space(p + 1);
  if (*p == '}')
    return p + 1;
  for (;;) {
    if (*p != '"')
      return json::complain(complaint_, p, "the name of a field");
    json::raw_string name;
    p = json::read_string(p, name, high_, complaint_);
    if (p == nullptr)
      return nullptr;
    p = json::skip_space(p);
    if (*p != ':')
      return json::complain(complaint_, p, "a colon");
    p = json::skip_space(p + 1);
    const std::string_view key(name.begin, name.size());
    const char* value = p;
    if (key == "payload" && *p == '{' && depth == 0) {
      p = find_parts(p, out, depth + 1);
    } else {
      p = json::skip_value(p, high_, complaint_);
      if (key == "op" && *value == '"' && p != nullptr)
        out.op.assign(value + 1, p - 1);
      else if (key == "before" && *value == '{')
        out.before = value;
      else if (key == "after" && *value == '{')
        out.after = value;
      else if ((key == "before" || key == "after") && *value != 'n' && p != nullptr)
        return json::complain(complaint_, value, "an object or null");
    }
    if (p == nullptr)
      return nullptr;
    p = json::skip_space(p);
    if (*p == '}')
      return p + 1;
    if (*p != ',')
      return json::complain(complaint_, p, "a comma or a closing brace");
    p = json::skip_space(p + 1);
  }
}

bool json_reader::end_of_object(const char*) {
  return stored_ == builder_.width() || store_missing();
}

// Adds the row of `object`.
bool json_reader::store_row(const char* object, char op, std::int32_t weight) {
  ++stamp_;
  stored_ = 0;
  several_ = false;
  object_ = object;
  goes_ = weight < 0;
  const bool read = read_members(object) || (several_ && read_carefully());
  object_ = nullptr;
  goes_ = false;
  if (!read) {
    note_problem();
    problem_.message = (weight < 0 ? "before: " : "after: ") + problem_.message;
    return false;
  }
  builder_.commit(number_);
  weights_.push_back(weight);
  ops_ += op;
  return true;
}

bool json_reader::read_change(const char* p) {
  change_parts parts;
  const char* end = find_parts(p, parts, 0);
  if (end == nullptr)
    return false;
  end = json::skip_space(end);
  if (!check_line(end))
    return false;
  const auto refuse = [&](std::string message) {
    problem_ = {{}, std::move(message)};
    return false;
  };
  const auto& op = parts.op;
  const bool adds = op == "c" || op == "r";
  if (!adds && op != "u" && op != "d")
    return refuse(op.empty() ? "the change has no \"op\"; c, r, u and d are known"
                             : "op \"" + shown(op) + "\" is not supported; c, r, u and d are");
  if (op != "d" && parts.after == nullptr)
    return refuse("op \"" + op + "\" without \"after\"");
  // An update finds the old row by its key, if the source has one.
  if (op == "d" || (op == "u" && options_.key.empty()))
    if (parts.before == nullptr)
      return refuse(
          "op \"" + op + "\" without \"before\""
          + (op == "u" ? ", and " + options_.source + " has no PRIMARY KEY to find the old row by"
                       : ""));
  const bool takes_back = !adds && parts.before != nullptr;
  if (takes_back && !store_row(parts.before, op.front(), -1))
    return false;
  if (op != "d" && !store_row(parts.after, op.front(), 1)) {
    if (takes_back) {
      builder_.uncommit();
      weights_.pop_back();
      ops_.pop_back();
    }
    return false;
  }
  pass_line(end);
  return true;
}

} // namespace ebb
