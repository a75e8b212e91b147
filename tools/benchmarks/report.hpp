/// What benchmarks have found: text as they go, or JSON at the end.
#pragma once

#include <nlohmann/json.hpp>

#include <string_view>

namespace ebb::bench {

class report {
public:
  explicit report(bool json) : json_(json) {}

  /// A line for people; with JSON nothing.
  void line(std::string_view text) const;

  /// A result for programs.
  void add(nlohmann::ordered_json result) {
    results_.push_back(std::move(result));
  }

  /// Prints the JSON, if that is asked for.
  void finish() const;

private:
  bool json_;
  nlohmann::ordered_json results_ = nlohmann::ordered_json::array();
};

} // namespace ebb::bench
