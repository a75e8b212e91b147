#include "actors/service/worker_desk.hpp"

#include "actors/links/ledger_calls.hpp"
#include "actors/service/stored_calls.hpp"
#include "actors/service/topic_calls.hpp"

#include <charconv>
#include <chrono>
#include <map>
#include <utility>

namespace ebb {

namespace {

constexpr std::string_view name_begin = "worker-";

/// Whether acknowledgements may change by it.
bool is_progress(const call_operation& x) {
  return std::holds_alternative<ledger_commit>(x) || std::holds_alternative<ledger_set_tokens>(x)
         || std::holds_alternative<ledger_rewind>(x);
}

} // namespace

std::string worker_name(std::uint64_t number) {
  return std::string(name_begin) + std::to_string(number);
}

std::optional<std::uint64_t> worker_number(const std::string& name) {
  if (!name.starts_with(name_begin))
    return std::nullopt;
  std::uint64_t number = 0;
  const auto* end = name.data() + name.size();
  const auto [last, problem] = std::from_chars(name.data() + name_begin.size(), end, number);
  return problem == std::errc{} && last == end ? std::optional(number) : std::nullopt;
}

/// One link, from its first byte to its last.
struct worker_desk::connection {
  std::uint64_t worker = 0; ///< 0 = it has not said who it is
  std::uint64_t session = 0;
  std::map<std::string, std::shared_ptr<void>> watches; ///< by topic
};

struct worker_desk::parts : std::enable_shared_from_this<worker_desk::parts> {
  parts(control_records& r, topic_registry& t, io_executor& i, worker_desk_events e)
      : records(r), topics(t), io(i), events(std::move(e)) {}

  link_handlers accept() {
    auto one = std::make_shared<connection>();
    return {[me = shared_from_this(), one](const link_pointer& link, link_message&& what) {
              me->take(link, *one, std::move(what));
            },
            [me = shared_from_this(), one](const link_pointer& link, const error&) {
              me->closed(link, *one);
            }};
  }

  void take(const link_pointer& link, connection& one, link_message&& what) {
    if (auto* hello = std::get_if<worker_hello>(&what)) {
      greet(link, one, std::move(*hello));
      return;
    }
    if (one.worker == 0) {
      link->close(make_error(ec::invalid_argument, "a worker has to say who it is first"));
      return;
    }
    if (auto* call = std::get_if<link_call>(&what))
      carry_out(link, one, std::move(*call));
    else if (const auto* watch = std::get_if<topic_watch>(&what))
      subscribe(link, one, *watch);
    else
      events.says(one.worker, std::move(what));
  }

  void greet(const link_pointer& link, connection& one, worker_hello hello) {
    const auto number = worker_number(hello.name);
    if (!number || one.worker != 0) {
      link->close(make_error(ec::invalid_argument, "this is no worker of this service"));
      return;
    }
    one.worker = *number;
    one.session = hello.session;
    link_pointer before;
    {
      std::lock_guard guard(mutex);
      before = std::exchange(links[one.worker], link);
      sessions[one.worker] = hello.session;
    }
    if (before)
      before->close(make_error(ec::conflict, "the worker has connected again"));
    events.here(one.worker, std::move(hello),
                [link](const control_welcome& answer) { static_cast<void>(link->send(answer)); });
  }

  void closed(const link_pointer& link, connection& one) {
    one.watches.clear();
    if (one.worker == 0)
      return;
    {
      std::lock_guard guard(mutex);
      const auto found = links.find(one.worker);
      if (found == links.end() || found->second != link)
        return; // it has connected again
      links.erase(found);
    }
    events.away(one.worker);
  }

  void subscribe(const link_pointer& link, connection& one, const topic_watch& x) {
    if (!x.on) {
      one.watches.erase(x.uid);
      return;
    }
    one.watches[x.uid] = topics.watch(x.uid, [weak = std::weak_ptr(link), uid = x.uid] {
      if (const auto open = weak.lock())
        tell_moved(open, uid);
    });
    // Rows may have come between the worker's look at the log and now.
    tell_moved(link, x.uid);
  }

  static void tell_moved(const link_pointer& link, const std::string& uid) {
    // When the worker has connected again it looks at all of its topics.
    if (auto sent = link->send(topic_moved{uid}); !sent && sent.error().code == ec::resource)
      link->close(std::move(sent).error());
  }

  // Calls of one stream are carried out in the order in which they come, beside those of others.
  void carry_out(const link_pointer& link, const connection& one, link_call&& call) {
    if (!calls.arrived(one.session, link, call))
      return;
    const stream_placement from{call.uid, call.placement};
    const auto id = call.id;
    if (auto* append = std::get_if<topic_append_call>(&call.operation)) {
      if (auto may = check(from, one.worker, append->topic); !may) {
        calls.done(one.session, id, std::move(may).error());
        return;
      }
      append_rows(topics, std::move(*append),
                  [me = shared_from_this(), session = one.session, id](call_outcome&& x) {
                    me->calls.done(session, id, std::move(x));
                  });
      return;
    }
    io.submit(lane_of(call),
              [me = shared_from_this(), session = one.session, from, worker = one.worker,
               call = std::make_shared<link_call>(std::move(call))] {
                const auto begun = std::chrono::steady_clock::now();
                auto outcome = me->answer(from, worker, call->operation);
                if (outcome)
                  me->tell_phases(call->operation, begun);
                const bool moved = static_cast<bool>(outcome) && is_progress(call->operation);
                me->calls.done(session, call->id, std::move(outcome));
                if (moved)
                  me->events.recorded(from.uid);
              });
  }

  /// For what is carried out on the link's thread.
  result<void> check(const stream_placement& from, std::uint64_t worker, const std::string& topic) {
    if (!records.allows(from, worker))
      return make_error(ec::conflict, "this start of the stream has been replaced");
    const auto name_space = name_space_of(from.uid);
    return may_use(topics, name_space.value_or(""), topic);
  }

  call_outcome answer(const stream_placement& from, std::uint64_t worker,
                      const call_operation& what) {
    if (!records.allows(from, worker))
      return make_error(ec::conflict, "this start of the stream has been replaced",
                        "the process drops it");
    if (is_ledger_call(what))
      return records.answer(from, what);
    if (is_stored_call(what))
      return answer_stored_call(records, from, what);
    const auto name_space = name_space_of(from.uid);
    if (!name_space)
      return make_error(ec::not_found, "the stream has been deleted");
    if (const auto* file = std::get_if<topic_append_file_call>(&what)) {
      auto mine = *file;
      mine.path = stored_output_path(records, from.uid, file->path);
      return answer_topic_call(topics, *name_space, mine);
    }
    return answer_topic_call(topics, *name_space, what);
  }

  /// Of what is durable now.
  void tell_phases(const call_operation& what, std::chrono::steady_clock::time_point begun) {
    if (!events.phase)
      return;
    const auto now = std::chrono::steady_clock::now();
    const auto since = [now](std::chrono::steady_clock::time_point x) {
      return std::chrono::duration_cast<std::chrono::microseconds>(now - x).count();
    };
    if (const auto* commit = std::get_if<ledger_commit>(&what)) {
      const auto& phases = commit->record.phases;
      events.phase("align", phases.align);
      events.phase("snapshot", phases.serialise);
      events.phase("write", phases.write);
      events.phase("commit", since(begun));
      std::lock_guard guard(mutex);
      committed[commit->record.uid] = now;
    } else if (const auto* tokens = std::get_if<ledger_set_tokens>(&what)) {
      std::optional<std::chrono::steady_clock::time_point> from;
      {
        std::lock_guard guard(mutex);
        if (const auto found = committed.extract(tokens->uid))
          from = found.mapped();
      }
      if (from)
        events.phase("apply", since(*from));
    }
  }

  /// Files that are long in coming do not hold up the ledger's calls, nor readers: a worker waits
  /// for the answer where one thing depends on the other.
  std::uint64_t lane_of(const link_call& call) {
    const auto& what = call.operation;
    const bool reads = is_stored_read(what) || std::holds_alternative<topic_read_call>(what)
                       || std::holds_alternative<topic_bounds_call>(what);
    const auto kind = reads                  ? lane_kind::read
                      : is_stored_call(what) ? lane_kind::store
                                             : lane_kind::ledger;
    std::lock_guard guard(mutex);
    const auto [found, fresh] = lanes[call.uid].try_emplace(kind, 0);
    if (fresh)
      found->second = io.open_lane();
    return found->second;
  }

  enum class lane_kind : std::uint8_t { ledger, store, read };

  control_records& records;
  topic_registry& topics;
  io_executor& io;
  worker_desk_events events;
  std::function<std::optional<std::string>(const std::string&)> name_space_of;
  call_desk calls;
  mutable std::mutex mutex; ///< guards what follows
  std::unordered_map<std::uint64_t, link_pointer> links;
  std::unordered_map<std::uint64_t, std::uint64_t> sessions;
  std::unordered_map<std::string, std::map<lane_kind, std::uint64_t>> lanes; ///< of streams
  /// When streams committed a record whose output is not known to be applied.
  std::unordered_map<std::string, std::chrono::steady_clock::time_point> committed;
};

worker_desk::worker_desk(std::shared_ptr<parts> made) : parts_(std::move(made)) {}

result<std::unique_ptr<worker_desk>>
worker_desk::listen(link_loop& loop, const worker_address& at, control_records& records,
                    topic_registry& topics, io_executor& io,
                    std::function<std::optional<std::string>(const std::string& uid)> name_space_of,
                    worker_desk_events events) {
  auto made = std::make_shared<parts>(records, topics, io, std::move(events));
  made->name_space_of = std::move(name_space_of);
  std::unique_ptr<worker_desk> desk(new worker_desk(made));
  const auto accept = [made](const link_pointer&) { return made->accept(); };
  if (at.identity) {
    EBB_ASSIGN(desk->server_, link_server::listen(loop, at.place, at.identity, accept));
  } else {
    EBB_ASSIGN(desk->server_, link_server::listen(loop, at.socket, accept));
  }
  return desk;
}

worker_desk::~worker_desk() = default;

bool worker_desk::send(std::uint64_t worker, const link_message& what) {
  link_pointer link;
  {
    std::lock_guard guard(parts_->mutex);
    const auto found = parts_->links.find(worker);
    if (found == parts_->links.end())
      return false;
    link = found->second;
  }
  return static_cast<bool>(link->send(what));
}

bool worker_desk::connected(std::uint64_t worker) const {
  std::lock_guard guard(parts_->mutex);
  return parts_->links.count(worker) != 0;
}

void worker_desk::forget(std::uint64_t worker) {
  std::uint64_t session = 0;
  link_pointer link;
  {
    std::lock_guard guard(parts_->mutex);
    if (const auto found = parts_->sessions.find(worker); found != parts_->sessions.end()) {
      session = found->second;
      parts_->sessions.erase(found);
    }
    if (const auto found = parts_->links.find(worker); found != parts_->links.end()) {
      link = found->second;
      parts_->links.erase(found);
    }
  }
  if (link)
    link->close(make_error(ec::cancelled, "the worker is gone"));
  if (session != 0)
    parts_->calls.forget(session);
}

} // namespace ebb
