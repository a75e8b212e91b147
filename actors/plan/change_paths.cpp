#include "actors/plan/change_paths.hpp"

#include "actors/plan/changelog.hpp"
#include "actors/plan/column_words.hpp"
#include "actors/plan/expr_words.hpp"
#include "actors/plan/stateful_steps.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace ebb {

namespace {

constexpr std::size_t path_max = 4000;

/// The rows of a step, in words.
struct row_words {
  bool updating = false;
  std::string from;                  ///< who keeps what changes: a source, operators with state
  std::string which;                 ///< ` WHERE …` and what else drops or repeats rows
  std::vector<std::string> columns;  ///< what they are
  std::vector<std::string> origins;  ///< operators of `from`
  std::vector<std::string> upstream; ///< they, and those before them
};

std::string list(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& x : parts)
    text += (text.empty() ? "" : ", ") + x;
  return text;
}

std::string window_words(const window_spec& x) {
  std::string text = " in windows";
  for (const auto part : {static_cast<micros>(x.kind), x.size, x.slide, x.offset})
    text += ' ' + std::to_string(part);
  return text;
}

std::string words_of(const row_words& x) {
  return cut_words(list(x.columns) + " of " + x.from + x.which, path_max);
}

class path_finder {
public:
  path_finder(const stage_plan& plan, const stream_definition& stream)
      : plan_(plan), stream_(stream), words_(plan) {
    for (auto& x : stateful_steps(plan))
      identities_[{x.stage, x.step}] = std::move(x.identity);
  }

  std::vector<change_path> run() {
    for (std::uint32_t s = 0; s < plan_.stages.size(); ++s)
      for (std::uint32_t i = 0; i < plan_.stages[s].steps.size(); ++i) {
        stage_ = s;
        step_ = i;
        rows_[{s, i}] = rows_of(plan_.stages[s].steps[i]);
      }
    return std::move(result_);
  }

private:
  [[nodiscard]] const row_words& input(const step_input& x) const {
    if (!x.from_outside)
      return rows_.at({stage_, x.index});
    const auto& from = plan_.stages[stage_].inputs[x.index];
    return rows_.at({from.from_stage, from.from_step});
  }

  row_words rows_of(const stage_step& step) {
    if (const auto* source = std::get_if<source_node>(&step.what))
      return {reads_changes(stream_.sources[source->source]), one_line(step.name), {},
              names_of(step.columns), {}, {}};
    std::vector<row_words> inputs;
    for (const auto& x : step.inputs)
      inputs.push_back(input(x));
    if (const auto* sink = std::get_if<sink_node>(&step.what)) {
      add_sink(step, *sink, std::move(inputs[0]));
      return {};
    }
    const auto& spec = std::get<operator_spec>(step.what);
    if (!updates(step, spec, inputs))
      return {false, {}, {}, names_of(step.columns), {}, {}};
    if (const auto* join = std::get_if<changelog_join_spec>(&spec);
        join != nullptr && join->lookup >= 0)
      return looked_up(step, *join, std::move(inputs));
    const auto kept = identities_.find({stage_, step_});
    const bool keeps = kept != identities_.end() && !std::holds_alternative<stamp_time_spec>(spec)
                       && !std::holds_alternative<window_assign_spec>(spec)
                       && !std::holds_alternative<assign_watermarks_spec>(spec);
    return keeps ? kept_by(kept->second, step, spec, inputs)
                 : passed_on(step, spec, std::move(inputs));
  }

  [[nodiscard]] bool updates(const stage_step& step, const operator_spec& spec,
                             const std::vector<row_words>& inputs) const {
    std::vector<plan_node> nodes(inputs.size());
    std::vector<const plan_node*> pointers;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      nodes[k].updating = inputs[k].updating;
      nodes[k].columns = step_before(plan_, plan_.stages[stage_], step.inputs[k]).columns;
      pointers.push_back(&nodes[k]);
    }
    return changes_of(spec, pointers, static_cast<std::uint32_t>(step.columns.size())).updating;
  }

  void add_sink(const stage_step& step, const sink_node& sink, row_words rows) {
    if (!rows.updating
        || std::holds_alternative<discard_sink>(stream_.sinks[sink.sink].connector))
      return;
    // Columns go out by their names.
    const auto names =
        names_of(step_before(plan_, plan_.stages[stage_], step.inputs[0]).columns);
    for (std::size_t i = 0; i < rows.columns.size() && i < names.size(); ++i)
      if (rows.columns[i] != names[i])
        rows.columns[i] += " AS " + names[i];
    result_.push_back({"sink " + one_line(step.name), words_of(rows), std::move(rows.origins),
                       std::move(rows.upstream)});
  }

  /// An operator that keeps the rows of its inputs, or what they add up to.
  row_words kept_by(const std::string& identity, const stage_step& step, const operator_spec& spec,
                    const std::vector<row_words>& inputs) {
    row_words made{true, identity, {}, words_.of(plan_.stages[stage_], step), {identity},
                   {identity}};
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const auto& x = inputs[k];
      if (!x.updating)
        continue;
      made.upstream.insert(made.upstream.end(), x.upstream.begin(), x.upstream.end());
      // The row that has the key goes, whatever the change says of it.
      if (std::holds_alternative<upsert_spec>(spec))
        continue;
      auto upstream = x.upstream;
      upstream.push_back(identity);
      const auto side = inputs.size() < 2 ? "" : k == 0 ? " (left)" : " (right)";
      result_.push_back({identity + side, words_of(x), x.origins, std::move(upstream)});
    }
    if (const auto* join = std::get_if<changelog_join_spec>(&spec); join != nullptr)
      made.which = residual_words(step, *join);
    return made;
  }

  [[nodiscard]] std::string residual_words(const stage_step& step,
                                           const changelog_join_spec& join) {
    if (!join.residual)
      return {};
    return " ON " + ebb::words_of(*join.residual, words_.into(plan_.stages[stage_], step));
  }

  /// Only the table is kept: a row's deletion is joined with it again.
  row_words looked_up(const stage_step& step, const changelog_join_spec& join,
                      std::vector<row_words> inputs) {
    const auto side = static_cast<std::size_t>(1 - join.lookup);
    auto& rows = inputs[side];
    const auto of_table = words_.into(plan_.stages[stage_], step,
                                      step.inputs[static_cast<std::size_t>(join.lookup)]);
    rows.columns.insert(side == 0 ? rows.columns.end() : rows.columns.begin(), of_table.begin(),
                        of_table.end());
    rows.which += " JOIN " + list(of_table) + residual_words(step, join);
    return std::move(rows);
  }

  /// An operator without memory.
  row_words passed_on(const stage_step& step, const operator_spec& spec,
                      std::vector<row_words> inputs) const {
    if (std::holds_alternative<union_all_spec>(spec))
      return together(step, inputs);
    auto rows = std::move(inputs[0]);
    const auto words = [&](const expr_ptr& x) { return ebb::words_of(*x, rows.columns); };
    if (const auto* x = std::get_if<filter_project_spec>(&spec)) {
      if (x->predicate)
        rows.which += " WHERE " + words(x->predicate);
      std::vector<std::string> columns;
      for (const auto& output : x->outputs)
        columns.push_back(words(output));
      rows.columns = std::move(columns);
      return rows;
    }
    if (const auto* x = std::get_if<expand_rows_spec>(&spec)) {
      std::vector<std::string> args;
      for (const auto& arg : x->args)
        args.push_back(words(arg));
      rows.which += (x->series ? " SERIES (" : " UNNEST (") + list(args) + ')'
                    + (x->keeps_empty ? " OR NULL" : "");
    } else if (const auto* assign = std::get_if<window_assign_spec>(&spec)) {
      rows.which += window_words(assign->window);
    } else if (const auto* weigh = std::get_if<weigh_rows_spec>(&spec)) {
      rows.which += " TIMES " + rows.columns[weigh->count_column];
      rows.columns.erase(rows.columns.begin() + weigh->count_column);
    }
    const auto names = names_of(step.columns);
    for (auto i = rows.columns.size(); i < names.size(); ++i)
      rows.columns.push_back(names[i]);
    return rows;
  }

  /// In any order, and without rows that stay.
  static row_words together(const stage_step& step, const std::vector<row_words>& inputs) {
    row_words rows{true, {}, {}, names_of(step.columns), {}, {}};
    std::vector<std::string> parts;
    for (const auto& x : inputs) {
      if (!x.updating)
        continue;
      parts.push_back('(' + words_of(x) + ')');
      rows.origins.insert(rows.origins.end(), x.origins.begin(), x.origins.end());
      rows.upstream.insert(rows.upstream.end(), x.upstream.begin(), x.upstream.end());
    }
    std::ranges::sort(parts);
    rows.from = list(parts);
    return rows;
  }

  const stage_plan& plan_;
  const stream_definition& stream_;
  column_words words_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> identities_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, row_words> rows_;
  std::vector<change_path> result_;
  std::uint32_t stage_ = 0;
  std::uint32_t step_ = 0;
};

} // namespace

std::vector<change_path> change_paths(const stage_plan& plan, const stream_definition& stream) {
  auto paths = path_finder{plan, stream}.run();
  std::ranges::sort(paths, {}, &change_path::taker);
  return paths;
}

} // namespace ebb
