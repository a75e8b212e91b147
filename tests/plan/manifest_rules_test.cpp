#include "actors/plan/manifest_rules.hpp"

#include "actors/plan/manifest.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace ebb;

namespace {

std::string stream(const std::string& spec) {
  return "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: s}\nspec:\n"
         "  sources: [{name: a, schema: id BIGINT, file: {path: a.csv}}]\n"
         + spec;
}

std::vector<field_rule> rules_of(const std::string& text) {
  std::vector<field_rule> out;
  BOOST_REQUIRE(read_rules(text, "m.yaml", out));
  return out;
}

const field_rule* find(const std::vector<field_rule>& rules, const std::string& path,
                       field_kind kind) {
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const field_rule& x) {
    return x.path == path && x.kind == kind;
  });
  return found == rules.end() ? nullptr : &*found;
}

std::string message_of(const std::string& spec) {
  std::vector<error> warnings;
  const auto read = parse_documents(stream(spec), "m.yaml", warnings);
  return read ? "" : read.error().place.field + ": " + read.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(manifest_rules)

BOOST_AUTO_TEST_CASE(says_what_is_asked_of_fields) {
  const auto rules =
      rules_of(stream("  sleep: {idleAfter: never}\n  maxParallelism: 64\n  parallelism: 2\n"
                      "  checkpoint: {interval: 1s, mode: at-least-once}\n"));
  const auto* parallelism = find(rules, "spec.parallelism", field_kind::integer);
  BOOST_REQUIRE(parallelism != nullptr);
  BOOST_TEST(parallelism->low == 1U);
  BOOST_TEST(parallelism->high == 64U);
  const auto* idle = find(rules, "spec.sleep.idleAfter", field_kind::duration);
  BOOST_REQUIRE(idle != nullptr);
  BOOST_TEST(idle->words == std::vector<std::string>{"never"}, boost::test_tools::per_element());
  BOOST_TEST(idle->low == 1U);
  const auto* mode = find(rules, "spec.checkpoint.mode", field_kind::word);
  BOOST_REQUIRE(mode != nullptr);
  BOOST_TEST(mode->words.size() == 2U);
  BOOST_TEST(find(rules, "spec.checkpoint.mode", field_kind::text) == nullptr);
  BOOST_TEST(find(rules, "spec.sources[0].name", field_kind::required) != nullptr);
  const auto* choice = find(rules, "spec.sources[0]", field_kind::choice);
  BOOST_REQUIRE(choice != nullptr);
  BOOST_TEST(std::count(choice->words.begin(), choice->words.end(), "topic") == 1);
}

BOOST_AUTO_TEST_CASE(says_it_up_to_an_error) {
  std::vector<field_rule> rules;
  const auto read = read_rules(stream("  parallelism: 0\n"), "m.yaml", rules);
  BOOST_REQUIRE(!read);
  BOOST_TEST(read.error().place.field == "spec.parallelism");
  BOOST_TEST(find(rules, "spec.parallelism", field_kind::integer) != nullptr);
}

BOOST_AUTO_TEST_CASE(pods_are_looked_into) {
  BOOST_TEST(
      message_of("  pod:\n    resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 2}}\n"
                 "    tolerations: [{key: a, operator: Exists, effect: NoExecute}]\n"
                 "    affinity: {nodeAffinity: {anything: 1}}\n    nodeSelector: {disk: fast}\n")
      == "");
  BOOST_TEST(message_of("  pod: {resources: {requests: {cpu: many}}}\n")
             == "spec.pod.resources.requests.cpu: expected an amount, found \"many\"");
  BOOST_TEST(message_of("  pod: {resources: {limits: {cpu: 1.5}}}\n")
             == "spec.pod.resources.limits.cpu: expected an amount, found the number 1.5");
  BOOST_TEST(message_of("  pod: {resources: {limits: {cpu: \"1.5\"}}}\n") == "");
  BOOST_TEST(message_of("  pod: {resources: {limits: {cpu: -1}}}\n").find("expected an amount")
             != std::string::npos);
  BOOST_TEST(message_of("  pod: {resources: {limit: {}}}\n")
             == "spec.pod.resources.limit: unknown key limit");
  BOOST_TEST(message_of("  pod: {nodeSelector: {ready: yes}}\n").find("quote")
             == std::string::npos);
  BOOST_TEST(message_of("  pod: {nodeSelector: {ready: yes}}\n").find("boolean")
             != std::string::npos);
  BOOST_TEST(message_of("  pod: {tolerations: [{operator: Is}]}\n")
                 .find("spec.pod.tolerations[0].operator: expected Exists or Equal")
             == 0U);
  BOOST_TEST(message_of("  pod: {affinity: {nodeAffinity: []}}\n")
             == "spec.pod.affinity.nodeAffinity: expected an object, found a list");
  BOOST_TEST(message_of("  pod: {affinity: {hostAffinity: {}}}\n")
             == "spec.pod.affinity.hostAffinity: unknown key hostAffinity");
}

BOOST_AUTO_TEST_CASE(paths_have_a_length) {
  BOOST_TEST(message_of("  sinks: [{file: {path: " + std::string(4091, 'x') + ".json}}]\n") == "");
  BOOST_TEST(message_of("  sinks: [{file: {path: " + std::string(4092, 'x') + ".json}}]\n")
             == "spec.sinks[0].file.path: the path is longer than 4096 bytes");
}

BOOST_AUTO_TEST_SUITE_END()
