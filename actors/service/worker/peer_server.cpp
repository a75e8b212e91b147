#include "actors/service/worker/peer_server.hpp"

#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

namespace ebb {

namespace {

using clock = std::chrono::steady_clock;
using meeting_key = std::tuple<std::string, std::uint64_t, std::uint32_t>; ///< uid, placement, to

// A connection waits so long for the part that it wants. Its order comes by another way.
constexpr auto wait_for_part = std::chrono::seconds(60);
// What part 0 says before it is answered, and room.
constexpr std::size_t early_messages = 8;

class link_channel final : public peer_channel {
public:
  explicit link_channel(link_pointer link) : link_(std::move(link)) {}

  ~link_channel() override {
    link_->finish();
  }

  result<void> send(const peer_message& x) override {
    return link_->send(link_message{x});
  }

  void finish() override {
    link_->finish();
  }

private:
  const link_pointer link_;
};

error not_of_the_stream(const link_credential& shown) {
  return make_error(ec::conflict, "the certificate is that of " + to_string(shown)
                                      + ", which this stream is not");
}

error not_a_peer() {
  return make_error(ec::corrupt, "a worker of ebb was expected at the other end");
}

} // namespace

/// A connection that another worker has opened. The link's thread, but for `attach`.
class peer_server::connection {
public:
  /// `named`: who connects has to show a certificate of its stream.
  connection(std::weak_ptr<desk> owner, bool named) : owner_(std::move(owner)), named_(named) {}

  void receive(const std::shared_ptr<connection>& self, const link_pointer& link, link_message&& x);
  void closed(const error& why);

  /// Gives what has come to the inbox, and all that comes.
  void attach(const arrived_function& arrived);

  [[nodiscard]] bool is_late(clock::time_point now) const {
    return now >= since_ + wait_for_part;
  }

  void drop() {
    std::lock_guard guard(mutex_);
    if (link_)
      link_->close(make_error(ec::cancelled, "the part of the stream is not here"));
  }

  [[nodiscard]] const meeting_key& key() const noexcept {
    return key_;
  }

private:
  const std::weak_ptr<desk> owner_;
  const bool named_;
  const clock::time_point since_ = clock::now();
  meeting_key key_;        ///< with the hello
  std::uint32_t from_ = 0; ///< with the hello

  std::mutex mutex_; ///< guards what follows; held while the inbox is called
  link_pointer link_;
  std::deque<peer_message> early_;
  std::optional<error> ended_;
  peer_inbox take_;
  bool attached_ = false;
};

struct peer_server::desk {
  std::mutex mutex; ///< guards what follows
  std::map<meeting_key, arrived_function> expected;
  std::list<std::shared_ptr<connection>> waiting;

  void came(const std::shared_ptr<connection>& x) {
    arrived_function arrived;
    std::list<std::shared_ptr<connection>> late;
    {
      std::lock_guard guard(mutex);
      const auto now = clock::now();
      for (auto i = waiting.begin(); i != waiting.end();) {
        const auto next = std::next(i);
        if ((*i)->is_late(now))
          late.splice(late.end(), waiting, i);
        i = next;
      }
      const auto found = expected.find(x->key());
      if (found == expected.end())
        waiting.push_back(x);
      else
        arrived = found->second;
    }
    for (const auto& y : late)
      y->drop();
    if (arrived)
      x->attach(arrived);
  }
};

void peer_server::connection::receive(const std::shared_ptr<connection>& self,
                                      const link_pointer& link, link_message&& x) {
  auto* message = std::get_if<peer_message>(&x);
  if (message == nullptr)
    return link->close(not_a_peer());
  std::unique_lock guard(mutex_);
  if (!link_) {
    const auto* hello = std::get_if<peer_hello>(message);
    const auto owner = owner_.lock();
    if (hello == nullptr || !owner)
      return link->close(not_a_peer());
    if (named_ && !link->shown().covers(hello->uid, hello->placement))
      return link->close(not_of_the_stream(link->shown()));
    link_ = link;
    key_ = {hello->uid, hello->placement, hello->to};
    from_ = hello->from;
    guard.unlock();
    return owner->came(self);
  }
  if (!attached_ && early_.size() >= early_messages)
    return link->close(not_a_peer());
  if (!attached_)
    early_.push_back(std::move(*message));
  else if (take_.message)
    take_.message(std::move(*message));
}

void peer_server::connection::closed(const error& why) {
  std::lock_guard guard(mutex_);
  ended_ = why;
  link_.reset();
  if (const auto take = std::exchange(take_, {}); take.closed)
    take.closed(why);
}

void peer_server::connection::attach(const arrived_function& arrived) {
  std::lock_guard guard(mutex_);
  if (attached_ || ended_)
    return;
  attached_ = true;
  take_ = arrived(from_, std::make_shared<link_channel>(link_));
  for (auto& x : std::exchange(early_, {}))
    if (take_.message)
      take_.message(std::move(x));
}

peer_server::peer_server(link_loop& loop) : loop_(loop), desk_(std::make_shared<desk>()) {}

peer_server::~peer_server() {
  server_.reset();
}

link_handlers peer_server::accept() {
  const bool named = identity_ && !identity_()->credential().worker.empty();
  const auto made = std::make_shared<connection>(desk_, named);
  return {[made](const link_pointer& link, link_message&& x) {
            made->receive(made, link, std::move(x));
          },
          [made](const link_pointer&, const error& why) { made->closed(why); }};
}

result<std::unique_ptr<peer_server>> peer_server::listen(link_loop& loop, const std::string& path) {
  std::unique_ptr<peer_server> made(new peer_server(loop));
  made->address_ = path;
  EBB_ASSIGN(made->server_, link_server::listen(loop, path, [self = made.get()](const auto&) {
               return self->accept();
             }));
  return made;
}

result<std::unique_ptr<peer_server>> peer_server::listen(link_loop& loop,
                                                         const std::string& address,
                                                         link_server::identity_function identity) {
  std::unique_ptr<peer_server> made(new peer_server(loop));
  made->identity_ = identity;
  EBB_ASSIGN(made->server_,
             link_server::listen(loop, link_place{address, 0}, std::move(identity),
                                 [self = made.get()](const auto&) { return self->accept(); }));
  made->address_ = address + ':' + std::to_string(made->server_->port());
  return made;
}

result<std::shared_ptr<peer_channel>> peer_server::dial(const std::string& address,
                                                        const peer_hello& hello, peer_inbox take) {
  link_handlers handlers;
  handlers.message = [take = take.message, uid = hello.uid](const link_pointer& link,
                                                            link_message&& x) {
    // It may not have been told yet whose it is: it takes up nothing before it is.
    if (const auto& shown = link->shown(); !shown.uid.empty() && shown.uid != uid)
      return link->close(not_of_the_stream(shown));
    if (auto* message = std::get_if<peer_message>(&x))
      take(std::move(*message));
    else
      link->close(not_a_peer());
  };
  handlers.closed = [take = take.closed](const link_pointer&, const error& why) { take(why); };
  link_pointer link;
  if (identity_) {
    const auto place = parse_place(address);
    if (!place || place->port == 0)
      return make_error(ec::internal, "a worker's address is no HOST:PORT: " + address);
    EBB_ASSIGN(link,
               connect_link(loop_, *place, identity_(), std::move(handlers), link_side::worker));
  } else {
    EBB_ASSIGN(link, connect_link(loop_, address, std::move(handlers)));
  }
  EBB_TRY(link->send(link_message{peer_message{hello}}));
  return std::shared_ptr<peer_channel>(std::make_shared<link_channel>(std::move(link)));
}

std::shared_ptr<void> peer_server::expect(const peer_hello& to, arrived_function arrived) {
  const meeting_key key{to.uid, to.placement, to.to};
  std::list<std::shared_ptr<connection>> here;
  {
    std::lock_guard guard(desk_->mutex);
    desk_->expected[key] = arrived;
    for (auto i = desk_->waiting.begin(); i != desk_->waiting.end();) {
      const auto next = std::next(i);
      if ((*i)->key() == key)
        here.splice(here.end(), desk_->waiting, i);
      i = next;
    }
  }
  for (const auto& x : here)
    x->attach(arrived);
  return {nullptr, [weak = std::weak_ptr(desk_), key](void*) {
            if (const auto all = weak.lock()) {
              std::lock_guard guard(all->mutex);
              all->expected.erase(key);
            }
          }};
}

} // namespace ebb
