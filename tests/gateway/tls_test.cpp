// The server over TLS.

#include "actors/gateway/transport.hpp"
#include "tests/gateway/http_client.hpp"
#include "tests/gateway/server_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

using namespace ebb::test;
using namespace std::chrono_literals;
using ebb::http_reply;
using ebb::http_request;

namespace {

// A certificate for itself, good for an hour.
void make_certificate(const std::string& certificate, const std::string& key) {
  EVP_PKEY* pair = EVP_EC_gen("P-256");
  BOOST_REQUIRE(pair != nullptr);
  X509* x = X509_new();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), 3'600);
  X509_set_pubkey(x, pair);
  auto* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x, name);
  BOOST_REQUIRE(X509_sign(x, pair, EVP_sha256()) != 0);
  FILE* file = std::fopen(certificate.c_str(), "w");
  PEM_write_X509(file, x);
  std::fclose(file);
  file = std::fopen(key.c_str(), "w");
  PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(x);
  EVP_PKEY_free(pair);
}

struct tls_files {
  tls_files() {
    how.tls_certificate = folder.path() + "/cert.pem";
    how.tls_key = folder.path() + "/key.pem";
    make_certificate(how.tls_certificate, how.tls_key);
  }

  scratch_folder folder;
  ebb::http_options how;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(http_tls, tls_files)

BOOST_AUTO_TEST_CASE(serves_requests_and_streams) {
  server_fixture s(how);
  BOOST_TEST(s.server->url() == "https://127.0.0.1:" + std::to_string(s.port()));
  std::size_t got = 0;
  s.service.on_request([&](std::shared_ptr<const http_request> request, http_reply reply) {
    if (request->to->call != ebb::api_call::read_messages) {
      got = request->body.size();
      reply.json(200, std::string(5 << 20, ' '));
      return;
    }
    auto stream = reply.stream(200, "application/x-ndjson");
    (void)stream.write(std::string(3 << 20, 'a'));
    stream.end();
  });
  http_client client(s.port(), true);
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask(post("/v1/topics/t/messages", std::string(2 << 20, ' ')));
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->body.size() == 5U << 20);
    BOOST_TEST(got == 2U << 20);
    BOOST_TEST(client.ask(get("/v1/topics/t/messages")).value().body.size() == 3U << 20);
  }
  std::string pipelined;
  for (int i = 0; i < 100; ++i)
    pipelined += get("/healthz");
  client.send(pipelined);
  for (int i = 0; i < 100; ++i)
    BOOST_TEST(client.receive().value().status == 200);
}

BOOST_AUTO_TEST_CASE(closes_what_never_shakes_hands) {
  how.limits.header_time = 200ms;
  server_fixture s(how);
  http_client silent(s.port());
  http_client plain(s.port());
  plain.send(get("/healthz"));
  BOOST_TEST(plain.ends_within(5s));
  BOOST_TEST(silent.ends_within(5s));
  http_client good(s.port(), true);
  BOOST_TEST(good.ask(get("/healthz")).value().status == 200);
}

BOOST_AUTO_TEST_CASE(stops_with_open_connections) {
  server_fixture s(how);
  http_client client(s.port(), true);
  BOOST_TEST(client.ask(get("/healthz")).value().status == 200);
  s.server->stop(1s);
  BOOST_TEST(client.ends_within(5s));
}

BOOST_AUTO_TEST_CASE(refuses_files_that_do_not_fit) {
  const auto other = folder.path() + "/other.pem";
  make_certificate(folder.path() + "/other-cert.pem", other);
  BOOST_TEST(static_cast<bool>(ebb::tls_identity::load(how.tls_certificate, how.tls_key)));
  BOOST_TEST(!ebb::tls_identity::load(how.tls_certificate, other));
  BOOST_TEST(!ebb::tls_identity::load(how.tls_key, how.tls_key));
  BOOST_TEST(!ebb::tls_identity::load(how.tls_certificate, how.tls_certificate));
  BOOST_TEST(!ebb::tls_identity::load("/nowhere", how.tls_key));
}

BOOST_AUTO_TEST_SUITE_END()
