#include "actors/service/service_gateway.hpp"

#include "actors/service/gateway_answers.hpp"
#include "actors/service/views.hpp"
#include "schemas/assert.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

std::string deleted_json(const char* kind, const std::string& name) {
  return std::string(R"({"kind":")") + kind + R"(","name":")" + name + R"("})";
}

/// What is to blame where the error does not say.
std::string blamed_part(const http_request& x) {
  if (x.to->call == api_call::apply)
    return "body";
  return x.to->path.empty() ? std::string{} : "path." + x.to->path.back().name;
}

error is_starting() {
  return make_error(ec::cancelled, "the service is starting", "try again");
}

/// What is applied elsewhere is not changed here.
bool changes_resources(api_call x) {
  return x == api_call::apply || x == api_call::delete_stream || x == api_call::delete_topic
         || x == api_call::delete_function || x == api_call::scale_stream;
}

} // namespace

service_gateway::service_gateway(gateway_parts parts)
    : parts_(std::move(parts)), writes_(*parts_.io, parts_.records->folder()) {}

void service_gateway::with_keeper(std::function<void(keeper&)> run) const {
  caf::anon_send(parts_.streams, keeper_task{std::move(run)});
}

void service_gateway::with_records(std::function<void()> run) const {
  parts_.io->submit(parts_.lane, std::move(run));
}

void service_gateway::with_stream(const request_pointer& request, const http_reply& reply,
                                  std::function<void(const stream_entry&)> run) const {
  with_records([this, request, reply, run = std::move(run)] {
    const auto found = parts_.records->with(
        [&](control_db& db) { return db.find_stream(qualified_part(*request, "stream")); });
    if (!found)
      reply.fail(found.error());
    else if (!*found)
      reply.fail(no_such("stream", *request));
    else
      run(**found);
  });
}

void service_gateway::look_ready(std::function<void(const result<void>&)> answer) {
  if (!ready_)
    return answer(is_starting());
  writes_.ask(std::move(answer));
}

void service_gateway::handle(request_pointer request, http_reply reply) {
  reply.about(blamed_part(*request));
  if (!ready_)
    return reply.fail(is_starting());
  if (!parts_.owner.empty() && changes_resources(request->to->call))
    return reply.fail(make_error(ec::conflict,
                                 "this service takes its streams and topics from " + parts_.owner,
                                 "use kubectl apply, delete and scale, with the same manifests"));
  switch (request->to->call) {
  case api_call::append_messages:
  case api_call::read_messages:
  case api_call::get_ack:
    parts_.messages->handle(std::move(request), std::move(reply));
    return;
  case api_call::apply:
    return apply(request, reply);
  case api_call::list_streams:
    return list_streams(request, reply);
  case api_call::get_stream:
    return get_stream(request, reply);
  case api_call::delete_stream:
    return delete_stream(request, reply);
  case api_call::list_topics:
    return list_topics(request, reply);
  case api_call::get_topic:
    return get_topic(request, reply);
  case api_call::delete_topic:
    return delete_topic(request, reply);
  case api_call::list_functions:
    return reply.json(200, page_json({}, {}));
  case api_call::get_function:
  case api_call::delete_function:
    return reply.fail(no_such("function", *request));
  case api_call::sleep_stream:
  case api_call::wake_stream:
  case api_call::scale_stream:
  case api_call::savepoint_stream:
  case api_call::restore_stream:
    return operate(request, reply);
  case api_call::get_operation:
    return get_operation(request, reply);
  case api_call::stream_graph:
    return graph(request, reply);
  case api_call::stream_checkpoints:
    return checkpoints(request, reply);
  case api_call::stream_wakes:
    return events(request, reply, "wakes");
  case api_call::stream_decisions:
    return events(request, reply, "decisions");
  case api_call::stream_errors:
    return events(request, reply, "errors");
  case api_call::stream_why:
    return why(request, reply);
  case api_call::stream_logs:
    return logs(request, reply);
  case api_call::stream_state:
    return state(request, reply);
  case api_call::verify:
    return verify(reply);
  case api_call::metrics:
  case api_call::healthz:
  case api_call::readyz:
  case api_call::openapi:
    break;
  }
  EBB_ASSERT(false); // the server answers these itself
}

void service_gateway::apply(const request_pointer& request, const http_reply& reply) {
  with_records([this, request, reply] {
    resource_changes::wish wish;
    wish.text = request->body;
    wish.name_space = std::string(request->name_space());
    wish.new_uid = random_uid;
    wish.dry_run = request->query_number("dryRun", 0) != 0;
    auto planned = parts_.changes->apply(wish);
    if (!planned)
      return reply.fail(planned.error());
    const auto plan = std::make_shared<apply_plan>(*std::move(planned));
    if (wish.dry_run)
      return reply.json(200, applied_json(*plan));
    with_keeper([plan, reply](keeper& streams) {
      streams.applied(*plan);
      reply.json(200, applied_json(*plan));
    });
  });
}

result<std::string> service_gateway::describe(const stream_view& x) const {
  return parts_.records->with([&](control_db& db) -> result<std::string> {
    EBB_ASSIGN(const auto entry, db.stream(x.uid));
    EBB_ASSIGN(const auto newest, db.newest_record(x.uid));
    return stream_json(x, entry, newest);
  });
}

void service_gateway::list_streams(const request_pointer& request, const http_reply& reply) {
  with_keeper([this, request, reply](keeper& streams) {
    const auto limit = limit_of(*request);
    const auto slots = streams.list(std::string(request->name_space()),
                                    std::string(request->query_text("after")), limit + 1);
    auto views = std::make_shared<std::vector<stream_view>>();
    for (const auto* x : slots)
      views->push_back(view_of(streams, *x, parts_.clock()));
    with_records([this, reply, views, limit] {
      std::vector<std::string> items;
      for (const auto& x : *views) {
        if (items.size() == limit)
          break;
        auto made = describe(x);
        // It may have been deleted meanwhile.
        if (!made && made.error().code == ec::not_found)
          continue;
        if (!made)
          return reply.fail(made.error());
        items.push_back(*std::move(made));
      }
      reply.json(200, page_json(items, views->size() > limit ? split((*views)[limit - 1].name).name
                                                             : std::string{}));
    });
  });
}

void service_gateway::get_stream(const request_pointer& request, const http_reply& reply) {
  with_keeper([this, request, reply](keeper& streams) {
    const auto* found = streams.find(qualified_part(*request, "stream"));
    if (found == nullptr)
      return reply.fail(no_such("stream", *request));
    const auto view = std::make_shared<stream_view>(view_of(streams, *found, parts_.clock()));
    with_records([this, reply, view] { answer(reply, describe(*view)); });
  });
}

void service_gateway::delete_stream(const request_pointer& request, const http_reply& reply) {
  with_keeper([this, request, reply](keeper& streams) {
    streams.remove(qualified_part(*request, "stream"),
                   [request, reply](const result<std::string>& done) {
                     if (done)
                       reply.json(200, deleted_json("Stream", request->part("stream")));
                     else
                       reply.fail(done.error());
                   });
  });
}

void service_gateway::list_topics(const request_pointer& request, const http_reply& reply) {
  with_records([this, request, reply] {
    auto all = parts_.records->with([](control_db& db) { return db.topics(); });
    if (!all)
      return reply.fail(all.error());
    const auto limit = limit_of(*request);
    const auto after = request->query_text("after");
    auto entries = std::make_shared<std::vector<topic_entry>>();
    bool more = false;
    for (auto& x : *all) {
      const auto name = split(x.name);
      if (name.name_space != request->name_space() || name.name <= after)
        continue;
      if (entries->size() == limit) {
        more = true;
        break;
      }
      entries->push_back(std::move(x));
    }
    with_keeper([this, reply, entries, more](keeper& streams) {
      std::vector<std::vector<std::string>> users;
      for (const auto& x : *entries)
        users.push_back(streams.users_of(x.uid));
      with_records([this, reply, entries, users = std::move(users), more] {
        std::vector<std::string> items;
        for (std::size_t i = 0; i < entries->size(); ++i) {
          const auto usage = parts_.topics->usage((*entries)[i].uid);
          if (usage)
            items.push_back(topic_json((*entries)[i], *usage, users[i]));
        }
        reply.json(200, page_json(items, more ? split(entries->back().name).name : std::string{}));
      });
    });
  });
}

void service_gateway::get_topic(const request_pointer& request, const http_reply& reply) {
  with_records([this, request, reply] {
    const auto found = parts_.records->with(
        [&](control_db& db) { return db.find_topic(qualified_part(*request, "topic")); });
    if (!found)
      return reply.fail(found.error());
    if (!*found)
      return reply.fail(no_such("topic", *request));
    with_keeper([this, reply, entry = **found](keeper& streams) {
      with_records([this, reply, entry, users = streams.users_of(entry.uid)] {
        const auto usage = parts_.topics->usage(entry.uid);
        if (usage)
          reply.json(200, topic_json(entry, *usage, users));
        else
          reply.fail(usage.error());
      });
    });
  });
}

void service_gateway::delete_topic(const request_pointer& request, const http_reply& reply) {
  with_records([this, request, reply] {
    if (auto done = parts_.changes->remove_topic(qualified_part(*request, "topic")); !done)
      return reply.fail(done.error().code == ec::not_found ? no_such("topic", *request)
                                                           : done.error());
    reply.json(200, deleted_json("Topic", request->part("topic")));
  });
}

} // namespace ebb
