#include "actors/gateway/metrics.hpp"

#include "schemas/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace ebb {

namespace {

bool is_name(std::string_view text, bool colon) {
  const auto good = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
  };
  return !text.empty() && good(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return good(c) || (c >= '0' && c <= '9');
  });
}

// Of a label's value, or of help, where a quotation mark stays as it is.
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\\')
      out += "\\\\";
    else if (c == '"' && quotes)
      out += "\\\"";
    else
      out += c;
  }
  return out;
}

// `a="x",b="y"`, without braces.
std::string rendered(const metric_labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    EBB_ASSERT(is_name(name, false));
    out += (out.empty() ? "" : ",") + name + "=\"" + escaped(value, true) + '"';
  }
  return out;
}

std::string number_text(double x) {
  if (std::isnan(x))
    return "NaN";
  if (std::isinf(x))
    return x > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", x);
}

void put_line(std::string& out, std::string_view name, std::string_view labels,
              std::string_view value) {
  out += name;
  if (!labels.empty())
    fmt::format_to(std::back_inserter(out), "{{{}}}", labels);
  out += ' ';
  out += value;
  out += '\n';
}

void put_histogram(std::string& out, const std::string& name, const std::string& labels,
                   const histogram& x) {
  const auto now = x.read();
  const auto comma = labels.empty() ? "" : ",";
  for (std::size_t i = 0; i < now.counts.size(); ++i) {
    const auto bound = i < x.bounds().size() ? number_text(x.bounds()[i]) : "+Inf";
    put_line(out, name + "_bucket", fmt::format("{}{}le=\"{}\"", labels, comma, bound),
             std::to_string(now.counts[i]));
  }
  put_line(out, name + "_sum", labels, number_text(now.sum));
  put_line(out, name + "_count", labels, std::to_string(now.counts.back()));
}

} // namespace

histogram::histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {
  EBB_ASSERT(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void histogram::observe(double value) noexcept {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

histogram::reading histogram::read() const {
  reading out;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
    out.counts.push_back(total);
  }
  out.sum = sum_.load(std::memory_order_relaxed);
  return out;
}

const std::vector<double>& latency_bounds() {
  static const std::vector<double> bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                          0.1,    0.25,  0.5,    1,     2.5,  10,    30};
  return bounds;
}

metrics_registry::family& metrics_registry::family_of(std::string_view name, std::string_view help,
                                                      kind what) {
  EBB_ASSERT(is_name(name, true) && name.starts_with("ebb_") && !help.empty());
  EBB_ASSERT((what == kind::counting) == name.ends_with("_total"));
  const auto [found, fresh] = families_.try_emplace(std::string(name));
  auto& out = found->second;
  if (fresh) {
    out.what = what;
    out.help = help;
  }
  EBB_ASSERT(out.what == what && out.help == help);
  return out;
}

counter& metrics_registry::make_counter(std::string_view name, std::string_view help,
                                        const metric_labels& labels) {
  std::lock_guard guard(mutex_);
  return family_of(name, help, kind::counting).counters[rendered(labels)];
}

gauge& metrics_registry::make_gauge(std::string_view name, std::string_view help,
                                    const metric_labels& labels) {
  std::lock_guard guard(mutex_);
  return family_of(name, help, kind::level).gauges[rendered(labels)];
}

histogram& metrics_registry::make_histogram(std::string_view name, std::string_view help,
                                            const metric_labels& labels,
                                            const std::vector<double>& bounds) {
  std::lock_guard guard(mutex_);
  return family_of(name, help, kind::distribution)
      .histograms.try_emplace(rendered(labels), bounds)
      .first->second;
}

void metrics_registry::sample_gauge(std::string_view name, std::string_view help,
                                    std::function<samples()> sample) {
  std::lock_guard guard(mutex_);
  family_of(name, help, kind::sampled).sample = std::move(sample);
}

std::string metrics_registry::text() const {
  // A sample may take other locks, or ask this registry for a metric: it is called without ours.
  std::map<std::string, std::function<samples()>> pending;
  {
    std::lock_guard guard(mutex_);
    for (const auto& [name, x] : families_)
      if (x.what == kind::sampled)
        pending[name] = x.sample;
  }
  std::map<std::string, samples> sampled;
  for (const auto& [name, sample] : pending)
    sampled[name] = sample();
  std::string out;
  std::lock_guard guard(mutex_);
  for (const auto& [name, x] : families_) {
    const auto* type = x.what == kind::counting       ? "counter"
                       : x.what == kind::distribution ? "histogram"
                                                      : "gauge";
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(x.help, false), name, type);
    for (const auto& [labels, value] : x.counters)
      put_line(out, name, labels, std::to_string(value.value()));
    for (const auto& [labels, value] : x.gauges)
      put_line(out, name, labels, number_text(value.value()));
    for (const auto& [labels, value] : x.histograms)
      put_histogram(out, name, labels, value);
    if (const auto found = sampled.find(name); found != sampled.end())
      for (const auto& [labels, value] : found->second)
        put_line(out, name, rendered(labels), number_text(value));
  }
  return out;
}

} // namespace ebb
