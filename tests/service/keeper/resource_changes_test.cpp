#include "actors/service/resource_changes.hpp"

#include "actors/runtime/io_pool.hpp"
#include "storage/folder_lock.hpp"

#include "keeper_support.hpp"

using namespace ebb;
using namespace keeper_test;

namespace {

const std::string manifest = R"(apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: in}
spec: {schema: id BIGINT}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: one}
spec:
  sources: [{name: s, schema: id BIGINT, topic: {name: in}}]
  sinks: [{discard: {}}]
)";

} // namespace

BOOST_AUTO_TEST_SUITE(resource_changing)

// A control process that starts on a cluster is given a thousand of them.
BOOST_AUTO_TEST_CASE(what_has_not_changed_is_not_written) {
  const scratch_folder folder;
  io_pool io;
  metrics_registry metrics;
  const auto clock = [] { return micros{5}; };
  const auto records = value_of(control_records::open(folder.path));
  topic_registry_options options;
  options.data_folder = folder.path;
  const auto topics = value_of(topic_registry::open(std::move(options), io, clock, metrics));
  resource_changes changes(*records, *topics, clock, {});
  int uids = 0;
  const auto apply = [&](const std::string& text) {
    resource_changes::wish wish;
    wish.text = text;
    wish.new_uid = [&] { return result<std::string>("uid-" + std::to_string(++uids)); };
    return value_of(changes.apply(wish)).documents;
  };
  const auto commits = [&] { return value_of(folder_lock::noted(folder.path)).value(); };
  apply(manifest);
  const auto first = commits();
  for (const auto& x : apply(manifest))
    BOOST_CHECK(x.action == apply_action::unchanged);
  BOOST_TEST(commits() == first);
  auto other = manifest;
  other.replace(other.find("discard: {}"), 11, "discard: { }");
  BOOST_CHECK(apply(other).back().action == apply_action::configured);
  BOOST_TEST(commits() == first + 1);
}

BOOST_AUTO_TEST_SUITE_END()
