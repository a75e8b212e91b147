#include "actors/gateway/transport.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace ebb {

namespace {

constexpr std::string_view protocol = "\x08http/1.1";

int choose_protocol(SSL* /*tls*/, const unsigned char** out, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void* /*argument*/) {
  auto* chosen = const_cast<unsigned char*>(*out);
  const auto* known = reinterpret_cast<const unsigned char*>(protocol.data());
  const auto found =
      SSL_select_next_proto(&chosen, size, known, unsigned{protocol.size()}, offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

error tls_error(const std::string& file, const char* what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  auto out = make_error(ec::invalid_argument, std::string(what) + ": " + text.data(),
                        "give PEM files: the certificate with its chain, and the key without a "
                        "password that belongs to it");
  out.place.file = file;
  return out;
}

int no_password(char* /*to*/, int /*size*/, int /*writing*/, void* /*argument*/) {
  return -1;
}

} // namespace

void tls_identity::free_context::operator()(ssl_ctx_st* x) const noexcept {
  SSL_CTX_free(x);
}

result<tls_identity> tls_identity::load(const std::string& certificate, const std::string& key) {
  ERR_clear_error();
  tls_identity out;
  out.context_.reset(SSL_CTX_new(TLS_server_method()));
  auto* context = out.context_.get();
  if (context == nullptr)
    return make_error(ec::internal, "OpenSSL gives no context");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                                   | SSL_OP_CIPHER_SERVER_PREFERENCE
                                   // Many clients close without saying so; HTTP's own framing
                                   // tells what is complete.
                                   | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                | SSL_MODE_RELEASE_BUFFERS);
  // Tickets need no memory of ours.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_password);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return tls_error(certificate, "cannot use the certificate");
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1
      || SSL_CTX_check_private_key(context) != 1)
    return tls_error(key, "cannot use the key");
  return out;
}

void transport::free_tls::operator()(ssl_st* x) const noexcept {
  SSL_free(x);
}

transport::transport(int socket, const tls_identity* identity) : socket_(socket) {
  if (identity == nullptr)
    return;
  tls_.reset(SSL_new(identity->context()));
  if (tls_ != nullptr) {
    SSL_set_fd(tls_.get(), socket);
    SSL_set_accept_state(tls_.get());
  } else {
    socket_ = -1;
  }
}

transport::step transport::outcome_of(int returned) {
  switch (SSL_get_error(tls_.get(), returned)) {
  case SSL_ERROR_WANT_READ:
    return {outcome::want_read, 0};
  case SSL_ERROR_WANT_WRITE:
    return {outcome::want_write, 0};
  case SSL_ERROR_ZERO_RETURN:
    return {outcome::ended, 0};
  default:
    return {outcome::failed, 0};
  }
}

transport::step transport::handshake() {
  if (tls_ == nullptr)
    return {socket_ < 0 ? outcome::failed : outcome::moved, 0};
  ERR_clear_error();
  const auto done = SSL_do_handshake(tls_.get());
  return done == 1 ? step{outcome::moved, 0} : outcome_of(done);
}

transport::step transport::read(char* to, std::size_t bytes) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    const auto got =
        SSL_read(tls_.get(), to, static_cast<int>(std::min<std::size_t>(bytes, INT_MAX)));
    return got > 0 ? step{outcome::moved, static_cast<std::size_t>(got)} : outcome_of(got);
  }
  for (;;) {
    const auto got = ::recv(socket_, to, bytes, MSG_DONTWAIT);
    if (got > 0)
      return {outcome::moved, static_cast<std::size_t>(got)};
    if (got == 0)
      return {outcome::ended, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      return {outcome::want_read, 0};
    if (errno != EINTR)
      return {outcome::failed, 0};
  }
}

transport::step transport::write(std::initializer_list<std::string_view> pieces) {
  if (tls_ != nullptr) {
    step all{outcome::moved, 0};
    for (const auto piece : pieces)
      for (std::size_t at = 0; at < piece.size();) {
        ERR_clear_error();
        const auto size = std::min<std::size_t>(piece.size() - at, INT_MAX);
        const auto sent = SSL_write(tls_.get(), piece.data() + at, static_cast<int>(size));
        if (sent <= 0)
          return all.bytes != 0 ? all : outcome_of(sent);
        at += static_cast<std::size_t>(sent);
        all.bytes += static_cast<std::size_t>(sent);
      }
    return all;
  }
  constexpr std::size_t pieces_max = 4;
  std::array<iovec, pieces_max> parts{};
  msghdr message{};
  message.msg_iov = parts.data();
  for (const auto piece : pieces)
    if (!piece.empty() && message.msg_iovlen < pieces_max)
      parts[message.msg_iovlen++] = {const_cast<char*>(piece.data()), piece.size()};
  for (;;) {
    const auto sent = ::sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0)
      return {outcome::moved, static_cast<std::size_t>(sent)};
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      return {outcome::want_write, 0};
    if (errno != EINTR)
      return {outcome::failed, 0};
  }
}

void transport::end_writing() {
  if (tls_ != nullptr) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
  ::shutdown(socket_, SHUT_WR);
}

} // namespace ebb
