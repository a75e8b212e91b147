#include "actors/links/link_identity.hpp"

#include "actors/links/openssl_pointers.hpp"

#include <array>
#include <ctime>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <utility>

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

memory_pointer memory_of(const std::string& text) {
  return memory_pointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

certificate_pointer certificate_in(const std::string& text) {
  const auto bytes = memory_of(text);
  return certificate_pointer(bytes ? PEM_read_bio_X509(bytes.get(), nullptr, no_password, nullptr)
                                   : nullptr);
}

} // namespace

const char* certificate_name(link_side x) noexcept {
  return x == link_side::control ? "ebb control" : "ebb worker";
}

void link_identity::free_context::operator()(ssl_ctx_st* x) const noexcept {
  SSL_CTX_free(x);
}

link_credential credential_of(const x509_st* x) {
  link_credential out;
  if (x == nullptr)
    return out;
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr)),
      [](GENERAL_NAMES* y) { GENERAL_NAMES_free(y); });
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI)
      continue;
    const auto* text = name->d.uniformResourceIdentifier;
    if (auto found = parse_credential({reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                       static_cast<std::size_t>(ASN1_STRING_length(text))}))
      out = *std::move(found);
  }
  std::tm when{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &when) == 1)
    out.ends = static_cast<micros>(::timegm(&when)) * micros_per_second;
  return out;
}

link_identity::link_identity(link_side side) : context_(SSL_CTX_new(TLS_method())), side_(side) {}

void link_identity::set_up() {
  auto* context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  // The end of a frame says what is complete.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_password);
}

result<std::shared_ptr<const link_identity>> link_identity::load(const std::string& folder,
                                                                 link_side side) {
  ERR_clear_error();
  std::shared_ptr<link_identity> out(new link_identity(side));
  auto* context = out->context();
  if (context == nullptr)
    return make_error(ec::internal, "OpenSSL gives no context");
  out->set_up();
  const auto base = folder + (side == link_side::control ? "/control" : "/worker");
  const auto authority = folder + "/ca.pem";
  if (SSL_CTX_load_verify_locations(context, authority.c_str(), nullptr) != 1)
    return refused(authority, "cannot use the certificate of the authority");
  if (SSL_CTX_use_certificate_file(context, (base + ".pem").c_str(), SSL_FILETYPE_PEM) != 1)
    return refused(base + ".pem", "cannot use the certificate");
  if (SSL_CTX_use_PrivateKey_file(context, (base + ".key").c_str(), SSL_FILETYPE_PEM) != 1
      || SSL_CTX_check_private_key(context) != 1)
    return refused(base + ".key", "cannot use the key");
  out->credential_ = credential_of(SSL_CTX_get0_certificate(context));
  return std::shared_ptr<const link_identity>(std::move(out));
}

result<std::shared_ptr<const link_identity>> link_identity::of(const std::string& authority,
                                                               const std::string& certificate,
                                                               const std::string& key) {
  ERR_clear_error();
  std::shared_ptr<link_identity> out(new link_identity(link_side::worker));
  auto* context = out->context();
  if (context == nullptr)
    return make_error(ec::internal, "OpenSSL gives no context");
  out->set_up();
  const auto authority_read = certificate_in(authority);
  if (!authority_read
      || X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority_read.get()) != 1)
    return refused({}, "cannot use the certificate of the authority");
  const auto own = certificate_in(certificate);
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1)
    return refused({}, "cannot use the certificate");
  const memory_pointer bytes = memory_of(key);
  const key_pointer own_key(
      bytes ? PEM_read_bio_PrivateKey(bytes.get(), nullptr, no_password, nullptr) : nullptr);
  if (!own_key || SSL_CTX_use_PrivateKey(context, own_key.get()) != 1
      || SSL_CTX_check_private_key(context) != 1)
    return refused({}, "cannot use the key");
  out->credential_ = credential_of(own.get());
  return std::shared_ptr<const link_identity>(std::move(out));
}

} // namespace ebb
