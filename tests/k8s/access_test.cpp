#include "k8s-bridge/client/kube_access.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace ebb::test {

namespace {

const std::string config = R"(apiVersion: v1
kind: Config
clusters:
- name: c
  cluster:
    server: https://10.0.0.1:6443/
    certificate-authority-data: Y2E=
users:
- name: u
  user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}
- name: t
  user: {token: secret}
- name: e
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: /bin/echo
      args: ['{"kind":"ExecCredential","status":{"token":"from-program"}}']
contexts:
- name: one
  context: {cluster: c, user: u, namespace: team}
- name: two
  context: {cluster: c, user: t}
- name: three
  context: {cluster: c, user: e}
- name: broken
  context: {cluster: nowhere, user: t}
current-context: one
)";

} // namespace

BOOST_AUTO_TEST_CASE(the_current_context_and_inline_certificates) {
  const auto x = parse_kubeconfig(config, "/tmp");
  BOOST_REQUIRE(x);
  BOOST_TEST(x->server == "https://10.0.0.1:6443");
  BOOST_TEST(x->authority == "ca");
  BOOST_TEST(x->certificate == "cert");
  BOOST_TEST(x->key == "key");
  BOOST_TEST(x->name_space == "team");
}

BOOST_AUTO_TEST_CASE(another_context_and_a_token) {
  const auto x = parse_kubeconfig(config, "/tmp", "two");
  BOOST_REQUIRE(x);
  BOOST_TEST(x->token == "secret");
  BOOST_TEST(x->name_space == "default");
}

BOOST_AUTO_TEST_CASE(a_program_gives_the_token) {
  const auto x = parse_kubeconfig(config, "/tmp", "three");
  BOOST_REQUIRE(x);
  const auto got = read_kube_credentials(*x, 0);
  BOOST_REQUIRE(got);
  BOOST_TEST(got->token == "from-program");
  BOOST_TEST(got->expires > 0);
  auto failing = *x;
  failing.plugin.command = "/bin/false";
  BOOST_TEST(!read_kube_credentials(failing, 0));
  failing.plugin.command = "/nowhere/at/all";
  BOOST_TEST(!read_kube_credentials(failing, 0));
}

BOOST_AUTO_TEST_CASE(a_token_file_is_read_each_time) {
  const std::string path = "/tmp/ebb-test-token-" + std::to_string(::getpid());
  kube_access x;
  x.token_file = path;
  BOOST_TEST(!read_kube_credentials(x, 0));
  std::ofstream(path) << "first\n";
  BOOST_TEST(read_kube_credentials(x, 0)->token == "first");
  std::ofstream(path) << "second";
  BOOST_TEST(read_kube_credentials(x, 0)->token == "second");
  std::remove(path.c_str());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_with_its_place) {
  const auto missing = parse_kubeconfig(config, "/tmp", "broken");
  BOOST_REQUIRE(!missing);
  BOOST_TEST(missing.error().message == "the kubeconfig has no cluster named nowhere");
  BOOST_TEST(!parse_kubeconfig(config, "/tmp", "none"));
  BOOST_TEST(!parse_kubeconfig("", "/tmp"));
  BOOST_TEST(!parse_kubeconfig("clusters: [", "/tmp"));
  BOOST_TEST(!parse_kubeconfig("current-context: x", "/tmp"));
}

BOOST_AUTO_TEST_CASE(no_file_says_where_it_looked) {
  const auto x = find_kube_access("/nowhere/kubeconfig");
  BOOST_REQUIRE(!x);
  BOOST_TEST(x.error().message.find("/nowhere/kubeconfig") != std::string::npos);
}

} // namespace ebb::test
