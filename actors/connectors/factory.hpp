/// Every connector that ebb has, behind the one interface of the runtime.
#pragma once

#include "actors/runtime/connector.hpp"
#include "actors/runtime/topic_access.hpp"

namespace ebb {

/// `topics` outlives the factory; null: streams cannot name topics (ec::unsupported).
[[nodiscard]] std::unique_ptr<connector_factory> make_connectors(topic_access* topics = nullptr);

} // namespace ebb
