#include "tools/client/tls_choice.hpp"

#include <array>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace ebb::client {

namespace {

constexpr std::size_t pin_digits = 64;

std::string last_tls_error() {
  std::array<char, 256> text{};
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0)
    return "the connection was cut";
  if (const auto* reason = ERR_reason_error_string(code))
    return reason;
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

/// Empty where the peer has shown no certificate.
std::string fingerprint_of(ssl_st* session) {
  const std::unique_ptr<X509, void (*)(X509*)> certificate{SSL_get1_peer_certificate(session),
                                                           X509_free};
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned count = 0;
  if (certificate == nullptr
      || X509_digest(certificate.get(), EVP_sha256(), bytes.data(), &count) != 1)
    return {};
  constexpr const char* digits = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < count; ++i)
    out.append({digits[bytes[i] >> 4], digits[bytes[i] & 15]});
  return out;
}

bool is_address(const std::string& host) {
  const std::unique_ptr<ASN1_OCTET_STRING, void (*)(ASN1_OCTET_STRING*)> address{
      a2i_IPADDRESS(host.c_str()), ASN1_OCTET_STRING_free};
  return address != nullptr;
}

/// OpenSSL's macro for it has a C cast.
bool name_server(ssl_st* session, std::string host) {
  return SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data())
         == 1;
}

} // namespace

void free_tls::operator()(ssl_st* x) const noexcept {
  SSL_free(x);
}

void free_tls::operator()(ssl_ctx_st* x) const noexcept {
  SSL_CTX_free(x);
}

result<std::string> normal_pin(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == ':')
      continue;
    out += static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c);
  }
  if (out.size() == pin_digits && out.find_first_not_of("0123456789abcdef") == std::string::npos)
    return out;
  return make_error(ec::invalid_argument, "a pinned certificate is 64 hex digits",
                    "openssl x509 -noout -fingerprint -sha256 -in FILE shows those of a file");
}

result<tls_context> make_context(const tls_choice& choice) {
  ERR_clear_error();
  tls_context context{SSL_CTX_new(TLS_client_method())};
  if (context == nullptr)
    return make_error(ec::internal, "OpenSSL gives no context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // HTTP's own framing tells what is complete.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  const auto loaded = choice.ca.empty()
                          ? SSL_CTX_set_default_verify_paths(context.get())
                          : SSL_CTX_load_verify_file(context.get(), choice.ca.c_str());
  if (loaded == 1)
    return context;
  auto problem =
      make_error(ec::invalid_argument, "cannot use the certificates: " + last_tls_error(),
                 "give a PEM file with the authority's certificate");
  problem.place.file = choice.ca;
  return problem;
}

result<tls_session> make_session(ssl_ctx_st* context, int socket, const std::string& host) {
  tls_session session{SSL_new(context)};
  if (session == nullptr || SSL_set_fd(session.get(), socket) != 1)
    return make_error(ec::internal, "OpenSSL gives no session");
  const bool named =
      is_address(host)
          ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str()) == 1
          : SSL_set1_host(session.get(), host.c_str()) == 1 && name_server(session.get(), host);
  if (!named)
    return make_error(ec::invalid_argument, "invalid name of a host: " + host);
  SSL_set_connect_state(session.get());
  return session;
}

result<void> check_peer(ssl_st* session, const tls_choice& choice, const std::string& host) {
  const auto shown = fingerprint_of(session);
  if (!choice.pin.empty()) {
    if (shown == choice.pin)
      return {};
    return make_error(ec::invalid_argument,
                      "the certificate is not the pinned one: its fingerprint is " + shown,
                      "somebody else answers there, or the certificate has been renewed; ask who "
                      "runs the service, then pin the new one");
  }
  const auto verdict = SSL_get_verify_result(session);
  // Without a certificate the verdict is good, too.
  if (verdict == X509_V_OK && !shown.empty())
    return {};
  return make_error(ec::invalid_argument,
                    "the certificate of " + host
                        + " is not trusted: " + X509_verify_cert_error_string(verdict),
                    "name its authority with --ca FILE, or, if it is its own and this is its "
                    "fingerprint, use --pin "
                        + shown);
}

error handshake_error(const std::string& host) {
  return make_error(ec::io, "no TLS connection with " + host + ": " + last_tls_error(),
                    "does the service speak TLS there?");
}

} // namespace ebb::client
