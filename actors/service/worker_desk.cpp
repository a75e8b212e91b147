#include "actors/service/worker_desk.hpp"

#include "actors/links/ledger_calls.hpp"
#include "actors/runtime/processing_time.hpp"
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

/// The start of a stream that it is said of; nothing where it is of none.
std::optional<stream_placement> subject_of(const link_message& x) {
  if (const auto* started = std::get_if<stream_started>(&x))
    return stream_placement{started->uid, started->placement};
  if (const auto* status = std::get_if<stream_status>(&x))
    return stream_placement{status->uid, status->placement};
  if (const auto* ended = std::get_if<stream_ended>(&x))
    return stream_placement{ended->uid, ended->placement};
  if (const auto* line = std::get_if<log_line>(&x); line != nullptr && !line->uid.empty())
    return stream_placement{line->uid, 0};
  return std::nullopt;
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
  link_credential may; ///< what it may speak for; guarded by the desk's mutex
};

struct worker_desk::parts : std::enable_shared_from_this<worker_desk::parts> {
  struct place {
    link_pointer link;
    std::shared_ptr<connection> one;
  };

  parts(control_records& r, topic_registry& t, io_executor& i, worker_desk_events e,
        std::shared_ptr<const certificate_authority> a)
      : records(r), topics(t), io(i), events(std::move(e)), authority(std::move(a)) {}

  link_handlers accept() {
    auto one = std::make_shared<connection>();
    return {[me = shared_from_this(), one](const link_pointer& link, link_message&& what) {
              me->take(link, one, std::move(what));
            },
            [me = shared_from_this(), one](const link_pointer& link, const error&) {
              me->closed(link, *one);
            }};
  }

  void take(const link_pointer& link, const std::shared_ptr<connection>& self,
            link_message&& what) {
    auto& one = *self;
    if (auto* hello = std::get_if<worker_hello>(&what)) {
      greet(link, self, std::move(*hello));
      return;
    }
    if (one.worker == 0) {
      link->close(make_error(ec::invalid_argument, "a worker has to say who it is first"));
      return;
    }
    auto* call = std::get_if<link_call>(&what);
    const auto subject =
        call != nullptr ? stream_placement{call->uid, call->placement} : subject_of(what);
    if (subject && !may_speak_for(one, *subject))
      return refuse(link, one,
                    "speaks for stream " + subject->uid + ", start "
                        + std::to_string(subject->placement));
    if (call != nullptr)
      carry_out(link, one, std::move(*call));
    else if (const auto* watch = std::get_if<topic_watch>(&what))
      subscribe(link, one, *watch);
    else
      events.says(one.worker, std::move(what));
  }

  [[nodiscard]] bool may_speak_for(const connection& one, const stream_placement& x) {
    if (!authority)
      return true;
    std::lock_guard guard(mutex);
    return one.may.covers(x.uid, x.placement);
  }

  void refuse(const link_pointer& link, const connection& one, const std::string& what) {
    std::string whose;
    {
      std::lock_guard guard(mutex);
      whose = to_string(one.may);
    }
    const auto why = link->peer().name + " shows the certificate of " + whose + ", and " + what;
    if (events.refused)
      events.refused(why);
    link->close(make_error(ec::conflict, why));
  }

  void greet(const link_pointer& link, const std::shared_ptr<connection>& self,
             worker_hello hello) {
    auto& one = *self;
    const auto number = worker_number(hello.name);
    if (!number || one.worker != 0) {
      link->close(make_error(ec::invalid_argument, "this is no worker of this service"));
      return;
    }
    if (authority) {
      {
        std::lock_guard guard(mutex);
        one.may = link->shown();
      }
      if (link->shown().worker != hello.name)
        return refuse(link, one, "says that it is " + hello.name);
      for (const auto& x : hello.hosted)
        if (!link->shown().covers(x.uid, x.placement))
          return refuse(link, one,
                        "says that it runs stream " + x.uid + ", start "
                            + std::to_string(x.placement));
    }
    one.worker = *number;
    one.session = hello.session;
    place before;
    {
      std::lock_guard guard(mutex);
      before = std::exchange(links[one.worker], {link, self});
      sessions[one.worker] = hello.session;
    }
    if (before.link)
      before.link->close(make_error(ec::conflict, "the worker has connected again"));
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
      if (found == links.end() || found->second.link != link)
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

  /// A certificate for what the worker may speak for from now on goes to it. False where there is
  /// no link, or too much waits.
  bool give(const place& to, link_credential what, micros now) {
    auto made = authority->issue(std::move(what), now);
    if (!made) {
      if (events.refused)
        events.refused(to_string(made.error()));
      return false;
    }
    // What it says on that start comes behind it.
    {
      std::lock_guard guard(mutex);
      to.one->may = made->credential;
    }
    return static_cast<bool>(to.link->send(worker_identity{
        std::move(made->authority), std::move(made->certificate), std::move(made->key)}));
  }

  control_records& records;
  topic_registry& topics;
  io_executor& io;
  worker_desk_events events;
  const std::shared_ptr<const certificate_authority> authority; ///< null = certificates are shared
  std::function<std::optional<std::string>(const std::string&)> name_space_of;
  call_desk calls;
  mutable std::mutex mutex; ///< guards what follows
  std::unordered_map<std::uint64_t, place> links;
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
  auto made = std::make_shared<parts>(records, topics, io, std::move(events), at.authority);
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
  parts::place to;
  link_credential may;
  {
    std::lock_guard guard(parts_->mutex);
    const auto found = parts_->links.find(worker);
    if (found == parts_->links.end())
      return false;
    to = found->second;
    may = to.one->may;
  }
  if (const auto* order = std::get_if<start_stream>(&what);
      order != nullptr && parts_->authority
      && (may.uid != order->uid || may.placement != order->placement)) {
    may.name_space = order->name_space;
    may.uid = order->uid;
    may.placement = order->placement;
    if (!parts_->give(to, std::move(may), wall_clock()))
      return false;
  }
  return static_cast<bool>(to.link->send(what));
}

bool worker_desk::renew(micros now) {
  if (!parts_->authority)
    return false;
  std::vector<std::pair<parts::place, link_credential>> due;
  {
    std::lock_guard guard(parts_->mutex);
    if (parts_->links.empty())
      return false;
    for (const auto& [worker, x] : parts_->links)
      if (now >= parts_->authority->renewal_of(x.one->may))
        due.emplace_back(x, x.one->may);
  }
  for (auto& [to, may] : due)
    if (now >= may.ends)
      to.link->close(make_error(ec::conflict, "the worker's certificate has ended"));
    else
      parts_->give(to, std::move(may), now);
  return true;
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
      link = found->second.link;
      parts_->links.erase(found);
    }
  }
  if (link)
    link->close(make_error(ec::cancelled, "the worker is gone"));
  if (session != 0)
    parts_->calls.forget(session);
}

} // namespace ebb
