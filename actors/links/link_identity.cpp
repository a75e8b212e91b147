#include "actors/links/link_identity.hpp"

#include <array>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace ebb {

namespace {

error refused(const std::string& file, const char* what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  auto out = make_error(ec::invalid_argument, std::string(what) + ": " + text.data(),
                        "copy the folder's files from the control process's machine");
  out.place.file = file;
  return out;
}

int no_password(char* /*to*/, int /*size*/, int /*writing*/, void* /*argument*/) {
  return -1;
}

} // namespace

const char* certificate_name(link_side x) noexcept {
  return x == link_side::control ? "ebb control" : "ebb worker";
}

void link_identity::free_context::operator()(ssl_ctx_st* x) const noexcept {
  SSL_CTX_free(x);
}

result<std::shared_ptr<const link_identity>> link_identity::load(const std::string& folder,
                                                                 link_side side) {
  ERR_clear_error();
  std::shared_ptr<link_identity> out(new link_identity);
  out->side_ = side;
  out->context_.reset(SSL_CTX_new(TLS_method()));
  auto* context = out->context();
  if (context == nullptr)
    return make_error(ec::internal, "OpenSSL gives no context");
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  // The end of a frame says what is complete.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_password);
  const auto base = folder + (side == link_side::control ? "/control" : "/worker");
  const auto authority = folder + "/ca.pem";
  if (SSL_CTX_load_verify_locations(context, authority.c_str(), nullptr) != 1)
    return refused(authority, "cannot use the certificate of the authority");
  if (SSL_CTX_use_certificate_file(context, (base + ".pem").c_str(), SSL_FILETYPE_PEM) != 1)
    return refused(base + ".pem", "cannot use the certificate");
  if (SSL_CTX_use_PrivateKey_file(context, (base + ".key").c_str(), SSL_FILETYPE_PEM) != 1
      || SSL_CTX_check_private_key(context) != 1)
    return refused(base + ".key", "cannot use the key");
  return std::shared_ptr<const link_identity>(std::move(out));
}

} // namespace ebb
