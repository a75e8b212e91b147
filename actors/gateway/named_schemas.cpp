#include "actors/gateway/openapi.hpp"

#include <utility>

namespace ebb {

namespace {

constexpr std::pair<std::string_view, std::string_view> schemas[] = {
    {"Problem", R"({"type":"object","description":"RFC 9457: why the request failed",
"required":["type","title","status","detail"],"properties":{
"type":{"type":"string","format":"uri"},"title":{"type":"string"},
"status":{"type":"integer","minimum":400,"maximum":599},
"detail":{"type":"string","description":"What is wrong"},
"field":{"type":"string","description":"Where: query.limit, header.Ebb-Sequence, spec.sinks[0]"},
"line":{"type":"integer","minimum":1},"column":{"type":"integer","minimum":1},
"hint":{"type":"string","description":"What to do about it"}}})"},
    {"Any", R"({"type":"object"})"},
    {"Message", R"({"type":"object","description":"One row, by the names of the topic's schema"})"},
    {"Receipt", R"({"type":"object","required":["topic","partitions","token"],"properties":{
"topic":{"type":"string"},
"partition":{"type":"integer","description":"Where all messages lie in one partition"},
"first":{"type":"integer","description":"Offset of the first message in it"},
"last":{"type":"integer","description":"Offset of the last message in it"},
"partitions":{"type":"array","description":"Where the messages lie","items":{"type":"object",
"required":["partition","first","last"],"properties":{"partition":{"type":"integer"},
"first":{"type":"integer"},"last":{"type":"integer"}}}},
"ack":{"enum":["logged","checkpointed","committed"],"description":"What has happened"},
"duplicate":{"type":"boolean","description":"The messages were there already: this is a retry"},
"token":{"type":"string","description":"For GET /v1/acks/{token}"}}})"},
    {"Page", R"({"type":"object","required":["items"],"properties":{
"items":{"type":"array","items":{"$ref":"#/components/schemas/Resource"}},
"next":{"type":"string","description":"Value of `after` for the next page; absent on the last"}}})"},
    {"Resource", R"({"type":"object","required":["kind","metadata"],"properties":{
"apiVersion":{"type":"string"},"kind":{"enum":["Stream","Topic","Function"]},
"metadata":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},
"namespace":{"type":"string"}}},
"spec":{"type":"object"},"status":{"type":"object"}}})"},
    {"Deleted", R"({"type":"object","required":["kind","name"],"properties":{
"kind":{"type":"string"},"name":{"type":"string"}}})"},
    {"Applied", R"({"type":"object","required":["results"],"properties":{
"results":{"type":"array","items":{"type":"object","required":["kind","name","action"],
"properties":{"kind":{"type":"string"},"name":{"type":"string"},
"action":{"enum":["created","configured","unchanged"]},
"warnings":{"type":"array","items":{"type":"string"}}}}}}})"},
    {"Operation", R"({"type":"object","required":["id","phase"],"properties":{
"id":{"type":"string"},"phase":{"enum":["Pending","Running","Succeeded","Failed"]},
"type":{"type":"string","format":"uri"},"message":{"type":"string"},
"field":{"type":"string"},"hint":{"type":"string"},
"startedAt":{"type":"string","format":"date-time"},
"finishedAt":{"type":"string","format":"date-time"}}})"},
};

} // namespace

std::string_view named_schema(std::string_view name) noexcept {
  for (const auto& [key, text] : schemas)
    if (key == name)
      return text;
  return {};
}

} // namespace ebb
