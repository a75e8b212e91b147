#include "actors/service/service_resources.hpp"

#include "actors/service/keeper/life_codec.hpp"
#include "actors/service/views.hpp"

#include <caf/send.hpp>

#include <utility>

namespace ebb {

namespace {

resource_report report_of(const stream_view& x, const wake_trace* wake) {
  resource_report y;
  y.uid = x.uid;
  y.phase = to_string(x.phase);
  y.reason = x.reason;
  y.message = x.message;
  y.since = x.since;
  y.next_wake = x.next_wake;
  y.last_wake = wake == nullptr ? 0 : wake->trigger;
  y.generation = x.generation;
  y.worker = x.workers.empty() ? 0 : x.workers.front();
  y.parallelism = x.parallelism;
  y.ready = x.ready;
  if (x.status)
    y.held_up = x.status->checkpoints.alarm;
  if (x.status)
    for (const auto& source : x.status->sources)
      y.rows += source.rows;
  return y;
}

} // namespace

service_resources::service_resources(resource_changes& changes, control_records& records,
                                     topic_registry& topics, io_executor& io, std::uint64_t lane,
                                     std::function<micros()> clock, keeper_actor streams)
    : changes_(changes), records_(records), topics_(topics), io_(io), lane_(lane),
      clock_(std::move(clock)), streams_(std::move(streams)) {}

void service_resources::with_keeper(std::function<void(keeper&)> run) const {
  caf::anon_send(streams_, keeper_task{std::move(run)});
}

void service_resources::apply(std::string text, std::string name_space, std::string uid,
                              std::function<void(result<held_resource>)> done) {
  io_.submit(lane_, [this, text = std::move(text), name_space = std::move(name_space),
                     uid = std::move(uid), done = std::move(done)] {
    resource_changes::wish wish;
    wish.text = text;
    wish.name_space = name_space;
    wish.new_uid = [&uid]() -> result<std::string> { return uid; };
    auto planned = changes_.apply(wish);
    if (!planned)
      return done(std::move(planned).error());
    const auto plan = std::make_shared<apply_plan>(*std::move(planned));
    with_keeper([plan, done](keeper& streams) {
      streams.applied(*plan);
      const auto& x = plan->documents.front();
      done(held_resource{x.kind == "Topic" ? resource_kind::topic : resource_kind::stream,
                         x.name_space, x.name, x.uid});
    });
  });
}

void service_resources::remove(held_resource what, std::function<void(result<void>)> done) {
  if (what.kind == resource_kind::stream)
    return remove_stream(what, std::move(done));
  io_.submit(lane_, [this, what = std::move(what), done = std::move(done)] {
    const auto name = qualified_name(what.name_space, what.name);
    const auto found = records_.with([&](control_db& db) { return db.find_topic(name); });
    if (!found)
      return done(found.error());
    if (!*found || (*found)->uid != what.uid)
      return done({});
    done(changes_.remove_topic(name));
  });
}

void service_resources::remove_stream(const held_resource& what,
                                      std::function<void(result<void>)> done) {
  with_keeper([name = qualified_name(what.name_space, what.name), uid = what.uid,
               done = std::move(done)](keeper& streams) {
    const auto* found = streams.find(name);
    if (found == nullptr || found->uid != uid)
      return done({});
    streams.remove(name, [done](const result<std::string>& gone) {
      if (gone)
        done({});
      else
        done(gone.error());
    });
  });
}

void service_resources::list(std::function<void(result<std::vector<held_resource>>)> done) {
  io_.submit(lane_, [this, done = std::move(done)] {
    done(records_.with([](control_db& db) -> result<std::vector<held_resource>> {
      std::vector<held_resource> all;
      EBB_ASSIGN(const auto topics, db.topics());
      for (const auto& x : topics) {
        auto name = split(x.name);
        all.push_back(
            {resource_kind::topic, std::move(name.name_space), std::move(name.name), x.uid});
      }
      EBB_ASSIGN(const auto streams, db.streams());
      for (const auto& x : streams) {
        if (x.life == stream_life::deleted)
          continue;
        auto name = split(x.name);
        all.push_back(
            {resource_kind::stream, std::move(name.name_space), std::move(name.name), x.uid});
      }
      return all;
    }));
  });
}

void service_resources::look(held_resource stream,
                             std::function<void(result<std::optional<resource_report>>)> done) {
  with_keeper([this, stream = std::move(stream), done = std::move(done)](keeper& streams) {
    const auto* found = streams.find(qualified_name(stream.name_space, stream.name));
    if (found == nullptr || found->uid != stream.uid)
      return done(std::optional<resource_report>());
    auto report = report_of(view_of(streams, *found, clock_()), found->life.trace());
    io_.submit(lane_, [this, report = std::move(report), inputs = found->inputs, done] {
      done(records_.with([&](control_db& db) -> result<std::optional<resource_report>> {
        auto x = report;
        EBB_ASSIGN(const auto entry, db.stream(x.uid));
        EBB_ASSIGN(const auto newest, db.newest_record(x.uid));
        x.generation = std::max(x.generation, entry.generation);
        if (x.parallelism == 0)
          x.parallelism = entry.parallelism;
        if (newest)
          x.newest = {newest->epoch, newest->when, newest->bytes,
                      newest->phases.align + newest->phases.serialise + newest->phases.write
                          + newest->phases.commit};
        x.lag = rows_behind(topics_, newest, *inputs);
        return std::optional(std::move(x));
      }));
    });
  });
}

} // namespace ebb
