/// Owners of OpenSSL's objects.
#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace ebb {

struct openssl_freed {
  void operator()(EVP_PKEY* x) const noexcept {
    EVP_PKEY_free(x);
  }

  void operator()(X509* x) const noexcept {
    X509_free(x);
  }

  void operator()(BIO* x) const noexcept {
    BIO_free(x);
  }
};

using key_pointer = std::unique_ptr<EVP_PKEY, openssl_freed>;
using certificate_pointer = std::unique_ptr<X509, openssl_freed>;
using memory_pointer = std::unique_ptr<BIO, openssl_freed>;

} // namespace ebb
