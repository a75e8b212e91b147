/// What a data folder says to a plan that is not the one it was written with.
#include "actors/runtime/run_data.hpp"

#include "actors/plan/state_change.hpp"
#include "storage/control_db.hpp"
#include "tests/storage/storage_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace ebb; // NOLINT
using namespace storage_test;

namespace {

constexpr const char* counts =
    "    - name: counts\n      sql: SELECT window_end, auction, count(*) AS n FROM tumble(bid, "
    "date_time, INTERVAL '1 second') GROUP BY window_start, window_end, auction\n";
constexpr const char* prices =
    "    - name: prices\n      sql: SELECT window_end, max(price) AS p FROM tumble(bid, date_time, "
    "INTERVAL '1 second') GROUP BY window_start, window_end\n";

std::string with(std::string text, const std::string& what, const std::string& other) {
  text.replace(text.find(what), what.size(), other);
  return text;
}

struct stored_stream {
  stored_stream() {
    where.folder = folder.path();
  }

  result<stream_data> open(const std::string& operators, const std::string& extra = "",
                           const std::string& from = "") {
    held.reset();
    std::vector<error> warnings;
    std::string sinks = operators.find("  sinks:") == std::string::npos ? "  sinks:\n" : "";
    for (const std::string name : {"counts", "prices"})
      if (operators.find("name: " + name) != std::string::npos)
        sinks += "    - {from: " + name + ", discard: {}}\n";
    EBB_ASSIGN(auto streams,
               parse_manifest("apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: s}\n"
                              "spec:\n"
                                  + extra
                                  + "  sources:\n    - name: bid\n      eventTime: {column: "
                                    "date_time, maxDelay: 4s}\n      nexmark: {table: bid, events: "
                                    "1000}\n  operators:\n"
                                  + operators + sinks,
                              "m.yaml", warnings));
    EBB_ASSIGN(const auto graph, plan_stream(streams.front()));
    EBB_ASSIGN(const auto plan, make_stages(graph, streams.front()));
    auto how = where;
    how.from = from.empty() ? resume_from::latest : resume_from::savepoint;
    how.savepoint = from;
    EBB_ASSIGN(held, open_run_data(how));
    if (looks) {
      EBB_ASSIGN(found, held->look(streams.front(), plan));
      return stream_data{};
    }
    return held->open_stream(streams.front(), plan);
  }

  /// A checkpoint without anything in it, kept under a name. The run is over then.
  static void save(stream_data data, std::vector<std::string> names = {}) {
    epoch_record record;
    record.epoch = value_of(data.store->reserve(1));
    record.savepoints = std::move(names);
    require(data.store->commit(record));
  }

  /// The same with state of `counts` that its operator does not understand.
  static void save_foreign(stream_data data, std::vector<std::string> names = {}) {
    epoch_record record;
    record.epoch = value_of(data.store->reserve(1));
    record.savepoints = std::move(names);
    const auto& all = data.start.operators;
    const auto number = std::find(all.begin(), all.end(), "counts/window aggregate/0") - all.begin();
    BOOST_REQUIRE(number < std::ssize(all));
    auto snapshot = std::make_shared<subtask_snapshot>();
    snapshot->epoch = record.epoch;
    snapshot->state.add({state_chunk::kind::put, 9,
                         state_number(static_cast<std::uint16_t>(number), 0), "k", "v"});
    const std::vector<snapshot_ptr> snapshots{snapshot};
    record.parts.emplace_back().segment =
        value_of(data.store->write_delta(record.epoch, snapshots));
    require(data.store->commit(record));
  }

  /// What a start with these options would find; the folder must be as it was.
  result<start_outlook> look(const std::string& operators, const std::string& extra = "",
                             const std::string& from = "") {
    const auto before = entry();
    looks = true;
    auto seen = open(operators, extra, from);
    looks = false;
    BOOST_TEST((entry() == before));
    return seen ? result<start_outlook>(found) : std::move(seen).error();
  }

  [[nodiscard]] stream_entry entry() {
    held.reset();
    return *value_of(value_of(control_db::open_read_only(folder.path())).find_stream("s"));
  }

  /// The stream's entry, changed.
  void change(const std::function<void(stream_entry&)>& how) {
    held.reset();
    auto database = value_of(control_db::open(folder.path()));
    auto entry = *value_of(database.find_stream("s"));
    how(entry);
    require(database.update_stream(entry, entry.generation));
  }

  std::string refused(const std::string& operators, const std::string& from = "") {
    auto opened = open(operators, "", from);
    BOOST_REQUIRE(!opened);
    BOOST_TEST((opened.error().code == ec::conflict));
    return to_string(opened.error());
  }

  temporary_folder folder;
  data_options where;
  std::shared_ptr<run_data> held;
  bool looks = false;
  start_outlook found;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string all(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& x : lines)
    text += x + '\n';
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(changed_plans)

BOOST_AUTO_TEST_CASE(another_version_that_plans_in_another_way_is_named) {
  stored_stream x;
  x.save(value_of(x.open(counts)));
  x.change([](stream_entry& y) {
    auto pinned = read_pinned(y);
    pinned.version = "0.0.9";
    for (auto& one : pinned.operators)
      if (one.state.identity.starts_with("counts/"))
        one.state.shape = "keys seller; time date_time; count()";
    write_pinned(pinned, y);
  });
  const auto said = x.refused(counts);
  BOOST_TEST(has(said, "keeps other state than ebb 0.0.9, which has left this"), said);
  BOOST_TEST(has(said, "counts/window aggregate/0 keeps other state (of keys auction; time "
                       "date_time; count(), before of keys seller; time date_time; count())"),
             said);
  BOOST_TEST(has(said, "run it with the ebb that has left the state"), said);
  // The manifest is another, too: that is the likely cause.
  const auto other = x.refused(with(counts, "1 second", "2 seconds"));
  BOOST_TEST(has(other, "the manifest has changed"), other);
  BOOST_TEST(has(other, "window tumble of 2 seconds, before tumble of 1 second"), other);
}

BOOST_AUTO_TEST_CASE(state_of_a_newer_version_is_refused) {
  stored_stream x;
  x.save(value_of(x.open(counts)));
  x.change([](stream_entry& y) {
    auto pinned = read_pinned(y);
    pinned.version = "7.1.0";
    pinned.format = 12;
    write_pinned(pinned, y);
  });
  const auto newer = x.open(counts);
  BOOST_REQUIRE(!newer);
  BOOST_TEST((newer.error().code == ec::unsupported));
  const auto said = to_string(newer.error());
  BOOST_TEST(has(said, "the state was left by ebb 7.1.0 in format 12"), said);
  BOOST_TEST(has(said, "stream s"), said);
}

// Its plan says the same of it, as that of another build of this version may.
BOOST_AUTO_TEST_CASE(state_that_operators_do_not_understand_is_refused_before_anything_changes) {
  const auto told = [](const error& problem, const std::string& by) {
    BOOST_TEST((problem.code == ec::conflict));
    const auto said = to_string(problem);
    BOOST_TEST(has(said, "the state of stream s was left by another build of ebb " + by
                             + " and cannot be read by this one"),
               said);
    BOOST_TEST(has(said, "operator counts"), said);
    BOOST_TEST(has(said, "run it with the ebb that has left the state"), said);
  };
  const std::string both = std::string(counts) + prices;
  stored_stream x;
  x.save_foreign(value_of(x.open(both)), {"foreign"});
  // A savepoint, and state that is left when other state is dropped.
  const auto back = x.look(both, "", "foreign");
  BOOST_REQUIRE(!back);
  told(back.error(), engine_version());
  const auto less = x.look(counts, "  onChange: reset\n");
  BOOST_REQUIRE(!less);
  told(less.error(), engine_version());
  BOOST_TEST(static_cast<bool>(x.look(prices, "  onChange: reset\n")));
  // Another version: the one that has left it must find it as it was.
  x.change([](stream_entry& y) {
    auto pinned = read_pinned(y);
    pinned.version = "0.0.9";
    write_pinned(pinned, y);
  });
  for (const std::string from : {"", "foreign"}) {
    const auto before = x.entry();
    const auto opened = x.open(both, "", from);
    BOOST_REQUIRE(!opened);
    told(opened.error(), "0.0.9");
    BOOST_TEST((x.entry() == before));
  }
}

// Output has gone out: to begin from nothing would write it once more.
BOOST_AUTO_TEST_CASE(output_without_a_checkpoint_is_no_fresh_start) {
  stored_stream x;
  {
    auto first = value_of(x.open(counts));
    const auto epoch = value_of(first.store->reserve(1));
    require(first.store->applied("out", 0, epoch, 10));
  }
  const auto before = x.entry();
  const auto opened = x.open(counts);
  BOOST_REQUIRE(!opened);
  BOOST_TEST((opened.error().code == ec::corrupt));
  const auto said = to_string(opened.error());
  BOOST_TEST(has(said, "the stream has written output, but no checkpoint of it is left"), said);
  BOOST_TEST(has(said, "restore the data folder from a copy"), said);
  BOOST_TEST((x.entry() == before));
}

BOOST_AUTO_TEST_CASE(another_version_with_the_same_state_goes_on) {
  stored_stream x;
  x.save(value_of(x.open(counts)));
  x.change([](stream_entry& y) {
    auto pinned = read_pinned(y);
    pinned.version = "0.0.9";
    write_pinned(pinned, y);
  });
  BOOST_TEST(value_of(x.open(counts)).start.epoch != 0U);
  // As earlier versions left it.
  x.change([](stream_entry& y) {
    const auto pinned = read_pinned(y);
    y.plan_fingerprint.clear();
    for (const auto& one : pinned.used())
      y.plan_fingerprint += one.identity + '\t' + one.signature + '\n';
  });
  const auto data = value_of(x.open(counts));
  BOOST_TEST(data.start.epoch != 0U);
  BOOST_TEST(data.notes.empty());
}

// The same manifest means the same, whatever words an earlier version has put it in.
BOOST_AUTO_TEST_CASE(words_of_earlier_versions_fit_the_same_manifest_alone) {
  stored_stream x;
  x.save(value_of(x.open(counts)));
  const auto in_other_words = [](stream_entry& y) {
    auto pinned = read_pinned(y);
    pinned.words = 0;
    for (auto& one : pinned.operators)
      if (one.state.identity.starts_with("counts/"))
        one.state.shape = "keys bid.auction; time bid.date_time; count()";
    write_pinned(pinned, y);
  };
  x.change(in_other_words);
  const auto said = x.refused(with(counts, "1 second", "2 seconds"));
  BOOST_TEST(has(said, "before of keys bid.auction"), said);
  BOOST_TEST(value_of(x.open(counts)).notes.empty());
  // From now on they are known.
  x.change([](stream_entry& y) {
    BOOST_TEST(read_pinned(y).words == state_words);
    BOOST_TEST(y.plan_fingerprint.find("bid.auction") == std::string::npos);
  });
}

BOOST_AUTO_TEST_CASE(other_columns_of_the_same_types_are_other_state) {
  stored_stream x;
  x.save(value_of(x.open(std::string(counts) + prices)));
  const auto other = std::string(counts) + prices;
  const auto by = x.refused(with(with(other, "auction, count", "bidder, count"),
                                 "window_end, auction", "window_end, bidder"));
  BOOST_TEST(has(by, "of keys bidder; "), by);
  const auto of = x.refused(with(other, "max(price)", "max(bidder)"));
  BOOST_TEST(has(of, "prices/window aggregate/0 keeps other state (of time date_time; max(bidder)"),
             of);
  const auto expression = x.refused(with(other, "max(price)", "max(price + 1)"));
  BOOST_TEST(has(expression, "max((price + 1))"), expression);
  // What state does not depend on may change.
  BOOST_TEST(value_of(x.open(with(other, "max(price) AS p", "max(price) + 1 AS q"))).notes.empty());
}

// The deletions of rows that a sink has would be of other rows.
BOOST_AUTO_TEST_CASE(expressions_that_make_changes_are_state_of_who_takes_them) {
  constexpr const char* sums =
      "    - {name: sums, sql: 'SELECT auction, sum(price) AS s FROM bid GROUP BY auction'}\n"
      "  sinks:\n    - {name: out, from: sums, file: {path: out, format: debezium}}\n";
  const std::string more = with(sums, "sum(price)", "sum(price) + 1");
  stored_stream x;
  x.save(value_of(x.open(sums)), {"old"});
  const auto said = x.refused(more);
  BOOST_TEST(has(said, "sink out takes changes of other rows than it has got (auction, (sum"), said);
  BOOST_TEST(has(said, "a stream of another name"), said);
  BOOST_TEST(has(said, "--from fresh --yes"), said);
  BOOST_TEST(value_of(x.open(std::string("    # said in other words\n") + sums)).notes.empty());
  auto reset = value_of(x.open(more, "  onChange: reset\n"));
  BOOST_TEST(has(all(reset.notes), "the state of operator sums/group aggregate/0 is dropped"));
  x.save(std::move(reset));
  BOOST_TEST(has(x.refused(sums), "takes changes of other rows"));
  // The manifest is the same since then, but not since the savepoint.
  x.save(value_of(x.open(more)));
  const auto older = x.refused(more, "old");
  BOOST_TEST(has(older, "savepoint old was made with another manifest, and does not fit: sink out "
                        "takes changes of other rows"),
             older);
  BOOST_TEST(has(older, "run it with the manifest of that time"), older);
  BOOST_TEST(value_of(x.open(sums, "", "old")).notes.size() == 1U);
  // Another version may have other words for the same manifest.
  x.change([](stream_entry& y) {
    auto pinned = read_pinned(y);
    for (auto& path : pinned.paths)
      path.what += " OTHERWISE";
    write_pinned(pinned, y);
  });
  BOOST_TEST(has(x.refused(more), "OTHERWISE"));
  BOOST_TEST(value_of(x.open(sums)).notes.empty());
}

BOOST_AUTO_TEST_CASE(the_state_of_an_operator_that_is_gone_is_dropped) {
  stored_stream x;
  const auto both = std::string(counts) + prices;
  auto first = value_of(x.open(both));
  const auto number_of = [](const stream_data& data, const std::string& name) {
    const auto& all = data.start.operators;
    return std::find(all.begin(), all.end(), name) - all.begin();
  };
  const std::string name = "prices/window aggregate/0";
  const auto number = number_of(first, name);
  x.save(std::move(first), {"both"});
  BOOST_TEST(has(x.refused(counts), name + " is gone"));
  auto second = value_of(x.open(counts, "  onChange: reset\n"));
  BOOST_TEST(has(all(second.notes), "the state of operator " + name + " is dropped"));
  BOOST_TEST(second.start.operators.at(static_cast<std::size_t>(number)) == name + " (dropped)");
  x.save(std::move(second));
  // Back under its name it is another one.
  auto third = value_of(x.open(both));
  BOOST_TEST(number_of(third, name) > number);
  x.save(std::move(third));
  // But the savepoint's state is the savepoint's.
  auto back = value_of(x.open(both, "", "both"));
  BOOST_TEST(number_of(back, name) == number);
  x.save(std::move(back));
  // A savepoint has state that the manifest of today does not know.
  BOOST_TEST(has(x.refused(counts, "both"), name + " is gone"));
}

BOOST_AUTO_TEST_SUITE_END()
