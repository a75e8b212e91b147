/// A link's bytes by TLS.
#pragma once

#include "actors/links/link_identity.hpp"
#include "actors/links/link_stream.hpp"

#include <memory>

namespace ebb {

/// Both ends show certificates. The control's side accepts, the worker's connects. `socket` belongs
/// to the caller and outlives the stream.
[[nodiscard]] std::unique_ptr<link_stream>
tls_stream(int socket, std::shared_ptr<const link_identity> identity);

} // namespace ebb
