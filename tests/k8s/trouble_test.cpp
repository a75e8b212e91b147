#include "k8s-bridge/cluster/cluster_troubles.hpp"
#include "k8s-bridge/cluster/network_probe.hpp"
#include "k8s-bridge/cluster/row_rate.hpp"

#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ebb::test {

namespace {

constexpr micros second = micros_per_second;

bool says(const std::vector<std::string>& all, const std::string& what) {
  for (const auto& x : all)
    if (x.find(what) != std::string::npos)
      return true;
  return false;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_refused_pod_has_a_reason_and_advice) {
  kube_answer answer;
  answer.status = 403;
  answer.reason = "Forbidden";
  answer.problem = make_error(ec::unsupported, "pods \"x\" is forbidden: exceeded quota: full");
  BOOST_TEST(refused_pod(answer).reason == "QuotaExceeded");
  answer.problem =
      make_error(ec::unsupported, "pods \"x\" is forbidden: violates PodSecurity \"restricted:v1\"");
  BOOST_TEST(refused_pod(answer).reason == "PodSecurity");
  BOOST_TEST(sentence_of(refused_pod(answer), "p").find("enforce=privileged") != std::string::npos);
  answer.problem = make_error(ec::unsupported, "User may not");
  BOOST_TEST(refused_pod(answer).reason == "Forbidden");
  answer.status = 422;
  answer.reason = "Invalid";
  BOOST_TEST(refused_pod(answer).reason == "InvalidPod");
  answer = {};
  BOOST_TEST(refused_pod(answer).reason == "CannotReachCluster");
  BOOST_TEST(
      sentence_of({"Unschedulable", "no node", false}, "p").starts_with("pod p: no node (free"));
  BOOST_TEST(sentence_of({"Strange", "", false}, "p") == "pod p: Strange");
}

BOOST_AUTO_TEST_CASE(what_kept_a_pod_from_running_is_over_when_one_runs) {
  cluster_troubles x;
  x.pod("a/s", {"Unschedulable", "no node", false}, "p", 0);
  BOOST_TEST(says(x.sentences("a/s", 0), "Unschedulable: pod p: no node"));
  BOOST_TEST(x.sentences("a/t", 0).empty());
  x.runs("a/s");
  BOOST_TEST(x.sentences("a/s", 0).empty());
  // How one has ended is told for an hour, whatever runs now.
  x.pod("a/s", {"OOMKilled", "", true}, "p", 0);
  x.runs("a/s");
  BOOST_TEST(says(x.sentences("a/s", 20 * second), "its last pod ended 20 s ago: OOMKilled"));
  BOOST_TEST(x.sentences("a/s", 3601 * second).empty());
}

BOOST_AUTO_TEST_CASE(what_the_cluster_refuses_is_news_once) {
  cluster_troubles x;
  const auto why = make_error(ec::not_found, "cannot list streams", "apply the kinds");
  BOOST_TEST(x.call("watch streams", &why));
  BOOST_TEST(!x.call("watch streams", &why));
  BOOST_TEST(says(x.sentences("a/s", 0), "cannot list streams (apply the kinds)"));
  BOOST_TEST(x.call("watch streams", nullptr));
  BOOST_TEST(!x.call("watch streams", nullptr));
  BOOST_TEST(x.sentences("a/s", 0).empty());
}

BOOST_AUTO_TEST_CASE(rows_a_second_are_those_of_the_last_seconds) {
  row_rate x;
  x.take(1, 1000, 0);
  BOOST_TEST(x.a_second() == 0U);
  x.take(1, 1500, second); // too soon to say
  BOOST_TEST(x.a_second() == 0U);
  x.take(1, 2000, 5 * second);
  BOOST_TEST(x.a_second() == 200U);
  x.take(2, 10, 6 * second); // another run begins at nothing
  BOOST_TEST(x.a_second() == 0U);
  x.take(2, 110, 16 * second);
  BOOST_TEST(x.a_second() == 10U);
  x.rest();
  BOOST_TEST(x.a_second() == 0U);
}

BOOST_AUTO_TEST_CASE(a_probe_tells_who_answers) {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  BOOST_REQUIRE(::bind(listening, reinterpret_cast<sockaddr*>(&at), size) == 0);         // NOLINT
  BOOST_REQUIRE(::getsockname(listening, reinterpret_cast<sockaddr*>(&at), &size) == 0); // NOLINT
  const auto address = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  constexpr auto patience = std::chrono::milliseconds(1000);
  BOOST_TEST((probe_network(address, patience) == probe_outcome::refused));
  BOOST_REQUIRE(::listen(listening, 1) == 0);
  BOOST_TEST((probe_network(address, patience) == probe_outcome::reached));
  ::close(listening);
  BOOST_TEST((probe_network("no address", patience) == probe_outcome::refused));
}

} // namespace ebb::test
