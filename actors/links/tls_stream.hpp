/// A link's bytes by TLS.
#pragma once

#include "actors/links/link_identity.hpp"
#include "actors/links/link_stream.hpp"

#include <memory>

namespace ebb {

enum class tls_role : unsigned char { server, client };

/// Both ends show certificates; the other one's must be of side `other`. `socket` belongs to the
/// caller and outlives the stream.
[[nodiscard]] std::unique_ptr<link_stream> tls_stream(int socket,
                                                      std::shared_ptr<const link_identity> identity,
                                                      tls_role role, link_side other);

} // namespace ebb
