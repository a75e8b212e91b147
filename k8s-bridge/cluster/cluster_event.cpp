#include "k8s-bridge/cluster/cluster_event.hpp"

#include "actors/runtime/moment_text.hpp"

#include <fmt/format.h>

namespace ebb {

kube_json make_event(const event_subject& about, const resource_event& what, micros wall,
                     std::uint64_t number, const std::string& holder) {
  constexpr std::size_t message_shown = 1000;
  constexpr std::uint64_t mask = 0xFFFF;
  constexpr std::size_t to_seconds = 19;
  auto message = what.message;
  if (message.size() > message_shown)
    message.resize(message_shown);
  const auto when = moment_text(wall).substr(0, to_seconds) + "Z";
  kube_json event{{"apiVersion", "v1"}, {"kind", "Event"}};
  event["metadata"] = {{"name", about.name + fmt::format(".{:x}{:04x}", wall, number & mask)},
                       {"namespace", about.name_space}};
  event["involvedObject"] = {{"apiVersion", about.api_version},
                             {"kind", about.kind},
                             {"name", about.name},
                             {"namespace", about.name_space},
                             {"uid", about.uid}};
  event["reason"] = what.reason;
  event["message"] = message;
  event["type"] = what.warning ? "Warning" : "Normal";
  event["firstTimestamp"] = event["lastTimestamp"] = when;
  event["count"] = 1;
  event["source"] = {{"component", "ebb"}};
  event["reportingComponent"] = "ebb";
  event["reportingInstance"] = holder;
  return event;
}

} // namespace ebb
