#include "actors/plan/plan_graph.hpp"
#include "actors/plan/stage_plan.hpp"
#include "actors/service/gateway_answers.hpp"
#include "actors/service/keeper/life_codec.hpp"
#include "actors/service/service_gateway.hpp"
#include "actors/service/views.hpp"
#include "schemas/savepoint_name.hpp"

#include <utility>

namespace ebb {

namespace {

link_past_output past_output_of(std::string_view text) {
  return text == "rewind" ? link_past_output::rewind
         : text == "keep" ? link_past_output::keep
                          : link_past_output::refuse;
}

log_level level_of(std::string_view text) {
  return text == "debug"     ? log_level::debug
         : text == "warning" ? log_level::warning
         : text == "error"   ? log_level::error
                             : log_level::info;
}

/// Of a stored line.
log_level level_of_line(const std::string& line) {
  for (const auto x : {log_level::debug, log_level::warning, log_level::error})
    if (line.find(std::string(R"("level":")") + to_string(x) + '"') != std::string::npos)
      return x;
  return log_level::info;
}

} // namespace

void service_gateway::operate(const request_pointer& request, const http_reply& reply) {
  with_keeper([request, reply](keeper& streams) {
    const auto name = qualified_part(*request, "stream");
    const auto begun = [&streams, reply](const result<std::string>& id) {
      if (!id)
        return reply.fail(id.error());
      reply.json(202, operation_json(*streams.find_operation(*id)));
    };
    streams.on_behalf_of(request->traceparent);
    switch (request->to->call) {
    case api_call::sleep_stream:
      return streams.sleep(name, begun);
    case api_call::wake_stream:
      return streams.wake(name, begun);
    case api_call::scale_stream:
      return streams.scale(
          name, static_cast<std::uint32_t>(request->query_number("parallelism", 1)), begun);
    case api_call::savepoint_stream:
      if (auto allowed = check_savepoint_name(request->query_text("name")); !allowed) {
        auto problem = std::move(allowed).error();
        problem.place.field = "query.name";
        return reply.fail(problem);
      }
      return streams.savepoint(name, std::string(request->query_text("name")), begun);
    default:
      return streams.restore(name,
                             {std::string(request->query_text("savepoint")),
                              past_output_of(request->query_text("sinks"))},
                             begun);
    }
  });
}

void service_gateway::get_operation(const request_pointer& request, const http_reply& reply) {
  with_keeper([request, reply](keeper& streams) {
    const auto id = request->part("operation");
    const auto tell = [&streams, id, reply] {
      if (const auto* found = streams.find_operation(id))
        reply.json(200, operation_json(*found));
      else
        reply.fail(make_error(ec::not_found, "there is no operation " + id,
                              "operations are forgotten when the service starts again, and when "
                              "a thousand others have come"));
    };
    const auto patience = request->query_number("timeout", 0);
    if (streams.find_operation(id) == nullptr || patience == 0)
      return tell();
    // Whichever comes first: later answers do nothing.
    streams.await_operation(id, tell);
    streams.call_after(patience * 1000, tell);
  });
}

void service_gateway::graph(const request_pointer& request, const http_reply& reply) {
  with_stream(request, reply, [this, reply](const stream_entry& entry) {
    const auto made = [&]() -> result<std::string> {
      EBB_ASSIGN(const auto definition, definition_of(entry, parts_.files_folder));
      EBB_ASSIGN(const auto graph, plan_stream(definition));
      EBB_ASSIGN(const auto plan, make_stages(graph, definition));
      return explain_json(graph, plan, definition);
    }();
    answer(reply, made);
  });
}

void service_gateway::checkpoints(const request_pointer& request, const http_reply& reply) {
  with_stream(request, reply, [this, request, reply](const stream_entry& entry) {
    const auto made = parts_.records->with([&](control_db& db) -> result<std::string> {
      EBB_ASSIGN(const auto records, db.records(entry.uid));
      EBB_ASSIGN(const auto savepoints, db.savepoints(entry.uid));
      EBB_ASSIGN(const auto given_up, db.given_up_savepoints(entry.uid));
      return checkpoints_json(records, savepoints, given_up, limit_of(*request));
    });
    answer(reply, made);
  });
}

void service_gateway::events(const request_pointer& request, const http_reply& reply,
                             const char* kind) {
  const auto show = [this, request, reply, kind](const stream_entry& entry) {
    const auto made = parts_.records->with(
        [&](control_db& db) { return db.events(entry.uid, kind, limit_of(*request)); });
    answer(reply, made ? page_json(*made, {}) : result<std::string>(made.error()));
  };
  // What has just happened is shown, too: it is stored before the look.
  with_keeper([this, request, reply, show](keeper& streams) {
    streams.flush_events();
    with_stream(request, reply, show);
  });
}

void service_gateway::why(const request_pointer& request, const http_reply& reply) {
  with_keeper([this, request, reply](keeper& streams) {
    const auto* found = streams.find(qualified_part(*request, "stream"));
    if (found == nullptr)
      return reply.fail(no_such("stream", *request));
    auto sentences = streams.why(*found);
    if (parts_.more_why)
      for (auto& x : parts_.more_why(found->name))
        sentences.push_back(std::move(x));
    reply.json(200, why_json(view_of(streams, *found, parts_.clock()), sentences));
  });
}

void service_gateway::logs(const request_pointer& request, const http_reply& reply) {
  with_stream(request, reply, [this, request, reply](const stream_entry& entry) {
    const auto least = level_of(request->query_text("level", "info"));
    const bool events = request->accept == "text/event-stream";
    const char* type = events ? "text/event-stream" : "application/x-ndjson";
    const auto framed = [events](const std::string& x) {
      return events ? "data: " + x + "\n\n" : x + '\n';
    };
    auto lines = parts_.records->with(
        [&](control_db& db) { return db.events(entry.uid, "logs", told_events_kept); });
    if (!lines)
      return reply.fail(lines.error());
    std::erase_if(*lines, [&](const std::string& x) { return level_of_line(x) < least; });
    const auto limit = limit_of(*request);
    if (lines->size() > limit)
      lines->resize(limit);
    std::string all;
    for (auto x = lines->rbegin(); x != lines->rend(); ++x)
      all += framed(*x);
    if (request->query_number("follow", 0) == 0)
      return reply.send({200, type, all});
    auto stream = reply.stream(200, type);
    static_cast<void>(stream.write(std::move(all)));
    // A client that reads too slowly misses lines.
    with_keeper([uid = entry.uid, stream, framed, least](keeper& streams) {
      streams.follow_lines(uid, [stream, framed, least](const log_line* x) mutable {
        if (x == nullptr) {
          stream.end();
          return false;
        }
        return x->level < least || stream.write(framed(log_json(*x))) != http_stream::taken::closed;
      });
    });
  });
}

void service_gateway::state(const request_pointer& request, const http_reply& reply) {
  with_stream(request, reply, [this, request, reply](const stream_entry& entry) {
    const auto record =
        parts_.records->with([&](control_db& db) { return db.newest_record(entry.uid); });
    if (!record)
      return reply.fail(record.error());
    if (!*record)
      return reply.fail(make_error(ec::not_found, "the stream has no checkpoint yet",
                                   "its state can be looked at after its first checkpoint"));
    state_question what;
    what.folder = parts_.records->folder() + "/streams/" + entry.uid + "/segments";
    what.target = request->part("operator");
    what.key = std::string(request->query_text("key"));
    what.limit = static_cast<std::uint64_t>(request->query_number("limit", 100));
    // Beside the control database's work: it may read much.
    parts_.io->submit(parts_.reading_lane, [reply, what, entry, at = **record] {
      const auto rows = read_state_rows(what, entry, at);
      if (rows)
        reply.json(200, state_json(*rows));
      else
        reply.fail(rows.error());
    });
  });
}

} // namespace ebb
