/// Whether a service can run a stream as its manifest says. Pure but for the look at paths.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/plan/plan_graph.hpp"
#include "actors/service/topics/topic_settings.hpp"
#include "schemas/error.hpp"
#include "schemas/service_records.hpp"

#include <functional>
#include <optional>
#include <string>

namespace ebb {

using topic_lookup = std::function<result<std::optional<topic_settings>>(const std::string& name)>;

/// Its topics exist and have its columns; its files lie below `files_folder`. What is known of it
/// without its manifest; without uid and numbers. Errors name the place in the manifest.
[[nodiscard]] result<life_traits> check_stream(const stream_definition& x,
                                               const std::string& files_folder,
                                               const topic_lookup& topic);

/// Sinks that write changes into topics whose rows have a PRIMARY KEY: it must tell the rows of the
/// result apart.
[[nodiscard]] result<void> check_keys(const stream_definition& x, const plan_graph& graph,
                                      const topic_lookup& topic);

} // namespace ebb
