#include "actors/connectors/file_names.hpp"

#include "actors/connectors/file_rows.hpp"

#include <algorithm>

namespace ebb {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    if (out.size() > 300)
      return out + ", …";
    out += (out.empty() ? "" : ", ") + shown(name);
  }
  return out;
}

} // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

result<std::vector<std::int32_t>> match_header(const std::vector<std::string>& names,
                                               const schema& columns) {
  constexpr std::int32_t ignored = -1;
  std::vector<std::int32_t> meaning(names.size(), ignored);
  std::vector<bool> found(columns.size(), false);
  for (const bool exact : {true, false}) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto& wanted = columns[c].name;
      for (std::size_t i = 0; i < names.size() && (exact || !found[c]); ++i) {
        const bool same = exact ? names[i] == wanted : equal_ignoring_case(names[i], wanted);
        if (!same || (!exact && meaning[i] != ignored))
          continue;
        const auto again =
            std::find_if(names.begin() + static_cast<std::ptrdiff_t>(i) + 1, names.end(),
                         [&](const std::string& other) {
                           return exact ? other == wanted : equal_ignoring_case(other, wanted);
                         });
        if (again != names.end()) {
          auto problem =
              make_error(ec::bad_record,
                         "the header has two columns that can be meant: \"" + shown(names[i])
                             + "\" and \"" + shown(*again) + "\"",
                         "name the columns of the file so that only one is called " + wanted);
          problem.place.field = wanted;
          return problem;
        }
        meaning[i] = static_cast<std::int32_t>(c);
        found[c] = true;
        break;
      }
    }
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (found[c])
      continue;
    auto problem =
        make_error(ec::bad_record, "the header has no column \"" + columns[c].name + "\"",
                   "the file's columns are: " + listed(names));
    problem.place.field = columns[c].name;
    return problem;
  }
  return meaning;
}

} // namespace ebb
