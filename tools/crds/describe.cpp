/// describe_manifest FILE…: what the manifest's reader asks of each field, while it reads each
/// document of the files; JSON, for generate.py and for tests that want the reader's verdict alone,
/// without SQL.

#include "actors/plan/manifest_rules.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

constexpr const char* kinds[] = {"object",  "required",   "choice",   "list",       "text",
                                 "boolean", "integer",    "duration", "size",       "word",
                                 "label",   "identifier", "texts",    "quantities", "any"};

std::vector<std::string> documents_of(std::istream& in) {
  std::vector<std::string> out(1);
  for (std::string line; std::getline(in, line);) {
    if (line == "---")
      out.emplace_back();
    else
      out.back() += line + '\n';
  }
  return out;
}

nlohmann::ordered_json described(const std::string& document, const std::string& file) {
  std::vector<ebb::field_rule> rules;
  nlohmann::ordered_json out;
  const auto read = ebb::read_rules(document, file, rules);
  out["rules"] = nlohmann::ordered_json::array();
  for (const auto& x : rules)
    out["rules"].push_back({{"path", x.path},
                            {"kind", kinds[static_cast<std::size_t>(x.kind)]},
                            {"words", x.words},
                            {"low", x.low},
                            {"high", x.high}});
  if (!read)
    out["error"] = {{"unsupported", read.error().code == ebb::ec::unsupported},
                    {"field", read.error().place.field},
                    {"message", read.error().message}};
  return out;
}

} // namespace

int main(int argc, char** argv) {
  auto out = nlohmann::ordered_json::array();
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i]);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", argv[i]);
      return 1;
    }
    for (const auto& document : documents_of(file))
      if (document.find_first_not_of(" \r\n") != std::string::npos)
        out.push_back(described(document, argv[i]));
  }
  std::cout << out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}
