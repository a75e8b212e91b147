/// Whom the client believes to be the service.
#pragma once

#include "schemas/error.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace ebb::client {

struct tls_choice {
  std::string ca;  ///< PEM file of authorities to trust instead of the system's; empty = these
  std::string pin; ///< SHA-256 of the one certificate to accept, in hex; then no authority counts
};

/// Hex digits in lower case of a fingerprint written with or without colons; ec::invalid_argument
/// unless it has 32 bytes.
[[nodiscard]] result<std::string> normal_pin(const std::string& text);

struct free_tls {
  void operator()(ssl_st* x) const noexcept;
  void operator()(ssl_ctx_st* x) const noexcept;
};

using tls_context = std::unique_ptr<ssl_ctx_st, free_tls>;
using tls_session = std::unique_ptr<ssl_st, free_tls>;

/// ec::invalid_argument where the file of authorities cannot be read.
[[nodiscard]] result<tls_context> make_context(const tls_choice& choice);

/// A session on a connected socket that will accept `host` only, by name or address.
[[nodiscard]] result<tls_session> make_session(ssl_ctx_st* context, int socket,
                                               const std::string& host);

/// After the handshake, before anything is sent: whether the peer is to be believed. The session
/// itself accepts everybody, so that the certificate can be shown. ec::invalid_argument.
[[nodiscard]] result<void> check_peer(ssl_st* session, const tls_choice& choice,
                                      const std::string& host);

/// Why a handshake failed: ec::io.
[[nodiscard]] error handshake_error(const std::string& host);

} // namespace ebb::client
