#include "actors/gateway/service_routes.hpp"

#include "schemas/assert.hpp"

#include <utility>

namespace ebb {

namespace {

using namespace std::chrono_literals;
using kind = parameter_kind;

constexpr const char* json = "application/json";
constexpr const char* ndjson = "application/x-ndjson";
constexpr std::uint64_t mib = 1 << 20;
constexpr std::int64_t ten_minutes = 600'000;
// Longer than what a client may ask the service to wait.
constexpr auto waiting_time = 11min;

parameter name_space() {
  return {.name = "namespace",
          .kind = kind::label,
          .summary = "Where the names are looked up",
          .standard = "default"};
}

parameter page_limit() {
  return {.name = "limit",
          .kind = kind::integer,
          .summary = "Most items of the answer",
          .least = 1,
          .most = 1'000,
          .standard = "100"};
}

std::vector<parameter> page() {
  return {name_space(),
          page_limit(),
          {.name = "after",
           .kind = kind::label,
           .summary = "Goes on behind this name; `next` of the page before"}};
}

parameter named(const char* name, const char* what) {
  return {.name = name, .kind = kind::label, .summary = std::string("Name of the ") + what};
}

std::vector<response_kind> answers(int status, const char* schema, const char* summary) {
  return {{status, json, summary, schema}};
}

struct things {
  const char* plural;
  const char* singular;
  const char* schema;
  api_call list, get, remove;
};

void add_things(std::vector<route>& to, const things& x) {
  const std::string all = std::string("/v1/") + x.plural;
  const std::string one = all + "/{" + x.singular + '}';
  to.push_back({.call = x.list,
                .pattern = all,
                .summary = std::string("Lists ") + x.plural + " by name",
                .access = route_access::viewer,
                .query = page(),
                .responses = answers(200, "Page", "One page of them")});
  to.push_back({.call = x.get,
                .pattern = one,
                .summary = std::string("Shows a ") + x.singular + " with its status",
                .access = route_access::viewer,
                .path = {named(x.singular, x.singular)},
                .query = {name_space()},
                .responses = answers(200, x.schema, "What was applied, and its status"),
                .failures = {404}});
  to.push_back({.call = x.remove,
                .method = http_method::delete_,
                .pattern = one,
                .summary = std::string("Deletes a ") + x.singular + "; 409 names those that use it",
                .access = route_access::operator_,
                .path = {named(x.singular, x.singular)},
                .query = {name_space()},
                .responses = answers(200, "Deleted", "It is gone"),
                .failures = {404, 409}});
}

void add_messages(std::vector<route>& to) {
  const std::string messages = "/v1/topics/{topic}/messages";
  to.push_back(
      {.call = api_call::append_messages,
       .method = http_method::post,
       .pattern = messages,
       .summary = "Appends messages to a topic: all of the request's, or none",
       .access = route_access::submitter,
       .path = {named("topic", "topic")},
       .query = {name_space(),
                 {.name = "ack",
                  .kind = kind::choice,
                  .summary = "What must have happened before the answer",
                  .choices = {"logged", "checkpointed", "committed"},
                  .standard = "logged"},
                 {.name = "stream",
                  .kind = kind::label,
                  .summary = "Whose checkpoint or commit, where several streams read the topic"},
                 {.name = "timeout",
                  .kind = kind::duration,
                  .summary = "How long to wait for `ack`; then 202",
                  .least = 0,
                  .most = ten_minutes,
                  .standard = "30s"}},
       .headers = {{.name = "Ebb-Producer",
                    .kind = kind::text,
                    .summary = "Who sends; with a sequence, retries are recognised",
                    .least = 1,
                    .most = 128},
                   {.name = "Ebb-Sequence",
                    .kind = kind::integer,
                    .summary = "Number of the request's first record; each record has one"},
                   {.name = "Ebb-Producer-Epoch",
                    .kind = kind::integer,
                    .summary = "A higher one shuts out those before",
                    .standard = "0"},
                   {.name = "Idempotency-Key",
                    .kind = kind::text,
                    .summary = "Instead of producer and sequence: names this request",
                    .least = 1,
                    .most = 128}},
       .bodies = {{json, 16 * mib, "Message"},
                  {ndjson, 16 * mib, {}},
                  {"application/x-ebb-batch", 16 * mib, {}}},
       .responses = {{200, json, "Appended, and acknowledged as asked", "Receipt"},
                     {202, json, "Appended; the wait timed out, ask for the receipt's token",
                      "Receipt"}},
       .failures = {404, 409, 429},
       .answer_time = waiting_time});
  to.push_back(
      {.call = api_call::read_messages,
       .pattern = messages,
       .summary = "Reads messages of a topic; the next offsets are in the header Ebb-Next",
       .access = route_access::viewer,
       .path = {named("topic", "topic")},
       .query = {name_space(),
                 {.name = "partition",
                  .kind = kind::integer,
                  .summary = "Only this one; all of them if absent",
                  .most = 65'535},
                 {.name = "from",
                  .kind = kind::position,
                  .summary = "Where to begin",
                  .standard = "earliest"},
                 {.name = "limit",
                  .kind = kind::integer,
                  .summary = "Most messages to send",
                  .least = 1},
                 {.name = "follow",
                  .kind = kind::boolean,
                  .summary = "Goes on with messages that come later",
                  .standard = "false"},
                 {.name = "meta",
                  .kind = kind::boolean,
                  .summary = "Each line is {partition, offset, time, value}, not the row alone",
                  .standard = "false"}},
       .headers = {{.name = "Last-Event-ID",
                    .kind = kind::text,
                    .summary = "Instead of `from`: goes on behind the event with this id",
                    .least = 1,
                    .most = 1024}},
       .responses = {{200, ndjson, "A row each line", {}},
                     {200,
                      "text/event-stream",
                      "An event each row; its id is the offset, or those of all partitions",
                      {}}},
       .failures = {404}});
  to.push_back({.call = api_call::get_ack,
                .pattern = "/v1/acks/{token}",
                .summary = "What has become of messages, by the token of their receipt",
                .access = route_access::any_token,
                .path = {{.name = "token",
                          .kind = kind::text,
                          .summary = "Of a receipt",
                          .least = 1,
                          .most = 1024}},
                .query = {{.name = "timeout",
                           .kind = kind::duration,
                           .summary = "How long to wait until it is acknowledged",
                           .least = 0,
                           .most = ten_minutes,
                           .standard = "0s"}},
                .responses = {{200, json, "Acknowledged as asked", "Receipt"},
                              {202, json, "Not yet", "Receipt"}},
                .failures = {404},
                .answer_time = waiting_time});
}

void add_operations(std::vector<route>& to) {
  const auto operation = [&](api_call call, const char* verb, const char* summary,
                             std::vector<parameter> query) {
    query.insert(query.begin(), name_space());
    to.push_back({.call = call,
                  .method = http_method::post,
                  .pattern = std::string("/v1/streams/{stream}:") + verb,
                  .summary = summary,
                  .access = route_access::operator_,
                  .path = {named("stream", "stream")},
                  .query = std::move(query),
                  .responses = answers(202, "Operation", "Begun; ask for the operation"),
                  .failures = {404, 409}});
  };
  operation(api_call::sleep_stream, "sleep", "Puts a stream to sleep", {});
  operation(api_call::wake_stream, "wake", "Wakes a stream", {});
  operation(api_call::scale_stream, "scale", "Changes how many subtasks a stream has",
            {{.name = "parallelism",
              .kind = kind::integer,
              .summary = "Of every operator",
              .least = 1,
              .most = 128,
              .required = true}});
  operation(
      api_call::savepoint_stream, "savepoint", "Keeps a checkpoint under a name",
      {{.name = "name", .kind = kind::label, .summary = "Of the savepoint", .required = true}});
  operation(api_call::restore_stream, "restore", "Goes back to a savepoint",
            {{.name = "savepoint", .kind = kind::label, .summary = "Its name", .required = true},
             {.name = "sinks",
              .kind = kind::choice,
              .summary = "What to do about sinks that are past it; refused if absent",
              .choices = {"rewind", "keep"}}});
  to.push_back({.call = api_call::get_operation,
                .pattern = "/v1/operations/{operation}",
                .summary = "How an operation stands",
                .access = route_access::viewer,
                .path = {named("operation", "operation")},
                .query = {{.name = "timeout",
                           .kind = kind::duration,
                           .summary = "How long to wait for its end",
                           .least = 0,
                           .most = ten_minutes,
                           .standard = "0s"}},
                .responses = answers(200, "Operation", "As it is now"),
                .failures = {404},
                .answer_time = waiting_time});
}

void add_views(std::vector<route>& to) {
  const auto view = [&](api_call call, const char* what, const char* summary,
                        std::vector<parameter> query) {
    query.insert(query.begin(), name_space());
    to.push_back({.call = call,
                  .pattern = std::string("/v1/streams/{stream}/") + what,
                  .summary = summary,
                  .access = route_access::viewer,
                  .path = {named("stream", "stream")},
                  .query = std::move(query),
                  .responses = answers(200, "Any", "As it is now"),
                  .failures = {404}});
  };
  view(api_call::stream_graph, "graph", "Stages, exchanges and their load", {});
  view(api_call::stream_checkpoints, "checkpoints", "Checkpoints, newest first", {page_limit()});
  view(api_call::stream_wakes, "wakes", "Wakes with their causes and phases, newest first",
       {page_limit()});
  view(api_call::stream_decisions, "decisions",
       "Decisions to sleep, wake and scale with their inputs, newest first", {page_limit()});
  view(api_call::stream_errors, "errors", "Errors of the stream, newest first", {page_limit()});
  view(api_call::stream_why, "why", "In sentences: why it is awake, asleep or failing", {});
  to.push_back({.call = api_call::stream_logs,
                .pattern = "/v1/streams/{stream}/logs",
                .summary = "What the stream's processes have logged",
                .access = route_access::viewer,
                .path = {named("stream", "stream")},
                .query = {name_space(),
                          {.name = "level",
                           .kind = kind::choice,
                           .summary = "The least one shown",
                           .choices = {"debug", "info", "warning", "error"},
                           .standard = "info"},
                          {.name = "limit",
                           .kind = kind::integer,
                           .summary = "Most lines, the newest",
                           .least = 1,
                           .most = 10'000,
                           .standard = "100"},
                          {.name = "follow",
                           .kind = kind::boolean,
                           .summary = "Goes on with lines that come later",
                           .standard = "false"}},
                .responses = {{200, ndjson, "An object each line", {}},
                              {200, "text/event-stream", "An event each line", {}}},
                .failures = {404}});
  to.push_back({.call = api_call::stream_state,
                .pattern = "/v1/streams/{stream}/state/{operator}",
                .summary = "The state of an operator; a sleeping stream stays asleep",
                .access = route_access::viewer,
                .path = {named("stream", "stream"),
                         {.name = "operator",
                          .kind = kind::identifier,
                          .summary = "Name of the operator or source"}},
                .query = {name_space(),
                          page_limit(),
                          {.name = "key",
                           .kind = kind::text,
                           .summary = "Only entries whose key contains this, like `auction=7`",
                           .most = 1'024}},
                .responses = answers(200, "Any", "Its entries"),
                .failures = {404}});
  to.push_back({.call = api_call::verify,
                .pattern = "/v1/verify",
                .summary =
                    "Reads the state of all streams and all messages, and compares checksums; "
                    "the last line counts those that are damaged",
                .access = route_access::viewer,
                .responses = {{200, ndjson, "A file each line, as soon as it is read", {}}}});
}

void add_own(std::vector<route>& to) {
  to.push_back({.call = api_call::metrics,
                .pattern = "/metrics",
                .summary = "Metrics in Prometheus' text form",
                .access = route_access::viewer,
                .responses = {{200, "text/plain", "Metrics", {}}}});
  to.push_back({.call = api_call::healthz,
                .pattern = "/healthz",
                .summary = "Whether the process serves requests",
                .access = route_access::open,
                .responses = answers(200, "Any", "It does")});
  to.push_back({.call = api_call::readyz,
                .pattern = "/readyz",
                .summary = "Whether messages would be taken now",
                .access = route_access::open,
                .responses = answers(200, "Any", "They would")});
  to.push_back({.call = api_call::openapi,
                .pattern = "/v1/openapi.json",
                .summary = "This interface as an OpenAPI 3.1 document",
                .access = route_access::any_token,
                .responses = answers(200, "Any", "The document")});
}

} // namespace

route_table service_routes() {
  std::vector<route> all;
  all.push_back({.call = api_call::apply,
                 .method = http_method::post,
                 .pattern = "/v1/apply",
                 .summary = "Applies manifests, all or none",
                 .access = route_access::operator_,
                 .query = {name_space(),
                           {.name = "dryRun",
                            .kind = kind::boolean,
                            .summary = "Only checks and compares",
                            .standard = "false"}},
                 .bodies = {{"application/yaml", 4 * mib, {}},
                            {json, 4 * mib, {}},
                            {"application/x-yaml", 4 * mib, {}},
                            {"text/yaml", 4 * mib, {}}},
                 .responses = answers(200, "Applied", "What was created, changed, left unchanged"),
                 .failures = {409, 422}});
  add_things(all, {"streams", "stream", "Resource", api_call::list_streams, api_call::get_stream,
                   api_call::delete_stream});
  add_things(all, {"topics", "topic", "Resource", api_call::list_topics, api_call::get_topic,
                   api_call::delete_topic});
  add_things(all, {"functions", "function", "Resource", api_call::list_functions,
                   api_call::get_function, api_call::delete_function});
  add_messages(all);
  add_operations(all);
  add_views(all);
  add_own(all);
  auto table = route_table::make(std::move(all));
  EBB_ASSERT(static_cast<bool>(table));
  return *std::move(table);
}

} // namespace ebb
