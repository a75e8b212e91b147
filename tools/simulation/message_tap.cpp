#include "tools/simulation/message_tap.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace ebb::sim {

namespace {

constexpr std::size_t memories_max = 48;
/// More waiting messages than credit and one request at a time can explain.
constexpr std::size_t mailbox_max = 400;

const char* const names[] = {"other",   "arrival",   "credit",  "request", "part",
                             "written", "step done", "drained", "conclude"};
const char* const lost_names[] = {"lose other",     "lose arrival", "lose credit",
                                  "lose request",   "lose part",    "lose written",
                                  "lose step done", "lose drained", "lose conclude"};

caf::strong_actor_ptr pointer_to(caf::scheduled_actor& x) {
  return caf::actor_cast<caf::strong_actor_ptr>(&x);
}

} // namespace

void message_tap::begin(generation_number generation, const fault_rates& rates,
                        const std::vector<subtask_wiring>& wiring, std::size_t window,
                        caf::actor_id supervisor) {
  drop_delayed();
  generation_ = generation;
  rates_ = &rates;
  wiring_ = &wiring;
  window_ = window;
  supervisor_ = supervisor;
  part_supervisors_.clear();
  places_.clear();
  subtasks_.clear();
  coordinator_ = nullptr;
  writer_ = nullptr;
  in_flight_.clear();
  needs_restart_ = false;
  supervisor_killed_ = false;
}

void message_tap::drop_delayed() {
  late_.clear();
  links_.clear();
  places_.clear();
  subtasks_.clear();
  coordinator_ = nullptr;
  writer_ = nullptr;
}

message_tap::kind message_tap::kind_of(const caf::type_erased_tuple& x) {
  switch (x.size()) {
  case 1:
    if (x.match_elements<arrival>())
      return kind::arrival;
    if (x.match_elements<credit_return>())
      return kind::credit;
    if (x.match_elements<checkpoint_request>())
      return kind::request;
    if (x.match_elements<snapshot_part>())
      return kind::part;
    if (x.match_elements<epoch_written>())
      return kind::written;
    if (x.match_elements<step_done>())
      return kind::done;
    return kind::other;
  case 2:
    return x.match_elements<caf::atom_value, std::uint64_t>()
                   && x.get_as<caf::atom_value>(0) == conclude_atom::value
               ? kind::conclude
               : kind::other;
  case 3:
    return x.match_elements<caf::atom_value, std::uint64_t, std::uint32_t>()
                   && x.get_as<caf::atom_value>(0) == drained_atom::value
               ? kind::drained
               : kind::other;
  default:
    return kind::other;
  }
}

message_tap::place message_tap::place_of(caf::actor_id id) const {
  const auto found = places_.find(id);
  return found == places_.end() ? place{} : found->second;
}

void message_tap::learn(caf::scheduled_actor& actor, kind what, const caf::type_erased_tuple& x) {
  if (what == kind::part && !writer_) {
    writer_ = pointer_to(actor);
    places_[actor.id()] = {role::writer, 0};
  }
  if (what != kind::other || x.size() != 1 || coordinator_ || !x.match_elements<subtask_list>())
    return;
  coordinator_ = pointer_to(actor);
  places_[actor.id()] = {role::coordinator, 0};
  for (const auto& subtask : x.get_as<subtask_list>(0).subtasks) {
    places_[subtask->id()] = {role::subtask, static_cast<std::uint32_t>(subtasks_.size())};
    subtasks_.push_back(subtask);
  }
}

// What a channel holds is bounded by its window, but for one item that travels alone.
void message_tap::account(caf::actor_id to, kind what, const caf::type_erased_tuple& x) {
  const auto at = place_of(to);
  if (at.what != role::subtask)
    return;
  if (what == kind::arrival) {
    const auto& message = x.get_as<arrival>(0);
    if (message.generation != generation_)
      return;
    auto& bytes = in_flight_[{at.number, message.input, message.channel}];
    for (const auto& item : message.items) {
      bytes += item.bytes;
      largest_ = std::max(largest_, item.bytes);
    }
    if (bytes > window_ + largest_)
      log_.violated("a channel to subtask " + std::to_string(at.number) + " holds "
                    + std::to_string(bytes) + " bytes");
  } else if (what == kind::credit) {
    const auto& message = x.get_as<credit_return>(0);
    if (message.generation != generation_)
      return;
    const auto& end = (*wiring_)[at.number].outputs[message.output][message.target];
    auto& bytes = in_flight_[{end.subtask, end.port, end.lane}];
    bytes -= std::min(bytes, message.bytes);
  }
}

void message_tap::remember(const place& to, kind what, const caf::mailbox_element& x) {
  // Those of the newest generation, as a sample.
  if (what == kind::other || what == kind::done || to.what == role::none || random_.below(16) != 0)
    return;
  memory made{generation_, to, x.copy_content_to_message()};
  if (memories_.size() < memories_max)
    memories_.push_back(std::move(made));
  else
    memories_[random_.below(memories_max)] = std::move(made);
}

bool message_tap::pass(caf::scheduled_actor& actor, micros now) {
  auto& mailbox = actor.mailbox();
  mailbox.fetch_more();
  if (actor.get_urgent_queue().total_task_size() != 0)
    return true;
  auto& queue = actor.get_normal_queue();
  queue.flush_cache();
  auto* next = queue.peek();
  if (next == nullptr)
    return true;
  if (queue.total_task_size() > mailbox_max)
    log_.violated("a mailbox holds " + std::to_string(queue.total_task_size()) + " messages");
  const auto& content = next->content();
  const auto what = kind_of(content);
  learn(actor, what, content);
  if (random_.chance(rates_->kill)) {
    ++faults_;
    log_.note("kill actor", actor.id(), actor.id() == supervisor_ ? 1 : 0);
    supervisor_killed_ |= actor.id() == supervisor_;
    // Nobody in another part looks after its stand-ins, its writer, its supervisor: they die with
    // their process.
    const auto at = place_of(actor.id()).what;
    needs_restart_ |= !part_supervisors_.empty() && (at == role::none || at == role::writer);
    caf::anon_send_exit(pointer_to(actor), caf::exit_reason::kill);
    // A message that is at hand may be handled first, and the credit used; but none before those
    // that its sender has sent before.
    if (next->sender && (what == kind::arrival || what == kind::credit))
      if (const auto held = links_.find({next->sender->id(), actor.id()}); held != links_.end()) {
        held->second.what.push_back(queue.take_front());
        return false;
      }
    if (what == kind::credit)
      account(actor.id(), what, content);
    return true;
  }
  if (what == kind::other)
    return true;
  const auto to = place_of(actor.id());
  if (what == kind::arrival || what == kind::credit) {
    // A message of an older generation has no sender.
    const auto from = next->sender ? next->sender->id() : 0;
    const auto held = links_.find({from, actor.id()});
    if (held != links_.end()) {
      held->second.what.push_back(queue.take_front());
      return false;
    }
    if (from != 0 && random_.chance(rates_->delay)) {
      auto& link = links_[{from, actor.id()}];
      link.at = now + delay();
      link.to = pointer_to(actor);
      link.what.push_back(queue.take_front());
      return false;
    }
    remember(to, what, *next);
    account(actor.id(), what, content);
    return true;
  }
  remember(to, what, *next);
  if (random_.chance(rates_->lose)) {
    ++faults_;
    log_.note(lost_names[static_cast<std::size_t>(what)], to.number);
    needs_restart_ |= what == kind::done || what == kind::drained || what == kind::conclude;
    queue.take_front();
    return false;
  }
  if (random_.chance(rates_->twice)) {
    ++faults_;
    log_.note("double", to.number);
    late_.push_back({now + delay(), pointer_to(actor),
                     caf::make_mailbox_element(next->sender, caf::make_message_id(), {},
                                               next->copy_content_to_message())});
  }
  if (random_.chance(rates_->delay)) {
    ++faults_;
    log_.note("delay", to.number);
    late_.push_back({now + delay(), pointer_to(actor), queue.take_front()});
    return false;
  }
  log_.note(names[static_cast<std::size_t>(what)], to.number,
            what == kind::request ? content.get_as<checkpoint_request>(0).epoch
            : what == kind::part  ? content.get_as<snapshot_part>(0).snapshot->epoch
                                  : 0);
  return true;
}

// What the sender has sent meanwhile comes behind what is held.
void message_tap::take_out(caf::actor_id from, held_link& link) {
  auto* actor = dynamic_cast<caf::scheduled_actor*>(caf::actor_cast<caf::abstract_actor*>(link.to));
  // A blocked mailbox is empty.
  if (actor == nullptr || actor->mailbox().blocked() || actor->mailbox().closed())
    return;
  actor->mailbox().fetch_more();
  auto& queue = actor->get_normal_queue();
  std::deque<caf::mailbox_element_ptr> others;
  while (auto x = queue.take_front())
    (x->sender && x->sender->id() == from ? link.what : others).push_back(std::move(x));
  for (auto& x : others)
    queue.push_back(x.release());
}

void message_tap::deliver(micros now) {
  for (std::size_t i = 0; i < late_.size();) {
    if (late_[i].at > now) {
      ++i;
      continue;
    }
    auto x = std::move(late_[i]);
    late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(i));
    x.to->enqueue(std::move(x.what), nullptr);
  }
  for (auto i = links_.begin(); i != links_.end();) {
    if (i->second.at > now) {
      ++i;
      continue;
    }
    auto x = std::move(i->second);
    take_out(i->first.first, x);
    i = links_.erase(i);
    for (auto& message : x.what)
      x.to->enqueue(std::move(message), nullptr);
  }
  if (memories_.empty() || !random_.chance(rates_->stale))
    return;
  const auto& x = memories_[random_.below(memories_.size())];
  const auto& to = x.to.what == role::coordinator   ? coordinator_
                   : x.to.what == role::writer      ? writer_
                   : x.to.number < subtasks_.size() ? subtasks_[x.to.number]
                                                    : caf::strong_actor_ptr{};
  if (x.generation >= generation_ || !to)
    return;
  ++faults_;
  log_.note("message of an older generation", x.generation, x.to.number);
  to->enqueue(nullptr, caf::make_message_id(), x.what, nullptr);
}

micros message_tap::next_time() const {
  micros result = max_time;
  for (const auto& x : late_)
    result = std::min(result, x.at);
  for (const auto& [at, x] : links_)
    result = std::min(result, x.at);
  return result;
}

} // namespace ebb::sim
