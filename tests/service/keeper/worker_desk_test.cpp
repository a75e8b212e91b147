// Who may speak for what over links with certificates.
#include "actors/service/worker_desk.hpp"

#include "actors/runtime/io_pool.hpp"
#include "actors/service/topics/topic_registry.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "keeper_support.hpp"

using namespace ebb;
using namespace keeper_test;
using namespace std::chrono_literals;

namespace {

micros wall_clock() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// What one side was told.
class heard {
public:
  void add(std::string x) {
    std::lock_guard guard(mutex_);
    all_.push_back(std::move(x));
    changed_.notify_all();
  }

  /// Waits for one that begins so, and takes all up to it.
  std::string next(const std::string& begin) {
    std::unique_lock lock(mutex_);
    std::string found;
    const bool came = changed_.wait_for(lock, 20s, [&] {
      while (!all_.empty()) {
        found = std::move(all_.front());
        all_.pop_front();
        if (found.starts_with(begin))
          return true;
      }
      return false;
    });
    BOOST_REQUIRE_MESSAGE(came, "waited in vain for " << begin);
    return found;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> all_;
};

class service {
public:
  service() {
    address = value_of(tls_address(folder.path, {"127.0.0.1", 0}, "unused:1", times));
    records = value_of(control_records::open(folder.path));
    topic_registry_options options;
    options.data_folder = folder.path;
    topics = value_of(topic_registry::open(std::move(options), io, wall_clock, metrics));
    loop = value_of(link_loop::start());
    worker_desk_events events;
    events.here = [this](std::uint64_t worker, const worker_hello&,
                         const std::function<void(control_welcome)>& answer) {
      answer({1, {}, {}});
      said.add("here " + std::to_string(worker));
    };
    events.away = [this](std::uint64_t worker) { said.add("away " + std::to_string(worker)); };
    events.says = [this](std::uint64_t, link_message&& what) {
      if (const auto* status = std::get_if<stream_status>(&what))
        said.add("status " + status->uid);
    };
    events.recorded = [](const std::string&) {};
    events.refused = [this](const std::string& why) { said.add("refused " + why); };
    port = free_port();
    address.place.port = port;
    desk = value_of(worker_desk::listen(
        *loop, address, *records, *topics, io,
        [](const std::string&) { return std::optional<std::string>("default"); },
        std::move(events)));
  }

  ~service() {
    desk.reset();
    loop.reset();
    topics.reset();
  }

  [[nodiscard]] std::shared_ptr<const link_identity> identity(link_credential whose,
                                                              micros off = 0) const {
    return value_of(
        value_of(address.authority->issue(std::move(whose), wall_clock() + off)).open());
  }

  static std::uint16_t free_port() {
    auto loop = value_of(link_loop::start());
    scratch_folder other;
    BOOST_REQUIRE(link_identity::make(other.path + "/x"));
    const auto probe = value_of(
        link_server::listen(*loop, {"127.0.0.1", 0},
                            value_of(link_identity::load(other.path + "/x", link_side::control)),
                            [](const link_pointer&) { return link_handlers{}; }));
    return probe->port();
  }

  scratch_folder folder;
  certificate_times times;
  worker_address address;
  std::unique_ptr<control_records> records;
  metrics_registry metrics;
  io_pool io;
  std::unique_ptr<topic_registry> topics;
  std::unique_ptr<link_loop> loop;
  heard said;
  std::uint16_t port = 0;
  std::unique_ptr<worker_desk> desk;
};

class worker {
public:
  worker(const service& to, std::shared_ptr<const link_identity> identity, const std::string& name,
         std::vector<hosted_stream> hosted = {})
      : loop_(value_of(link_loop::start())) {
    link_handlers handlers;
    handlers.message = [this](const link_pointer&, link_message&& x) {
      if (std::holds_alternative<control_welcome>(x))
        said.add("welcome");
      else if (const auto* order = std::get_if<start_stream>(&x))
        said.add("start " + order->uid);
      else if (const auto* answer = std::get_if<call_answer>(&x))
        said.add("answer " + std::to_string(answer->id));
      else if (const auto* own = std::get_if<worker_identity>(&x)) {
        std::lock_guard guard(mutex_);
        newest_ = value_of(link_identity::of(own->authority, own->certificate, own->key));
        said.add("identity " + to_string(newest_->credential()));
      }
    };
    handlers.closed = [this](const link_pointer&, const error&) { said.add("closed"); };
    link = value_of(
        connect_link(*loop_, {"127.0.0.1", to.port}, std::move(identity), std::move(handlers)));
    require(link->send(worker_hello{"1", 1, name, 7, std::move(hosted)}));
  }

  /// The last certificate that it was given.
  std::shared_ptr<const link_identity> newest() {
    std::lock_guard guard(mutex_);
    return newest_;
  }

  void status(const std::string& uid, std::uint64_t placement) const {
    stream_status x;
    x.uid = uid;
    x.placement = placement;
    require(link->send(x));
  }

  void call(const std::string& uid, std::uint64_t placement) const {
    require(link->send(link_call{1, 0, uid, placement, ledger_find_stream{"s"}}));
  }

  heard said;

private:
  std::mutex mutex_;
  std::shared_ptr<const link_identity> newest_;
  std::unique_ptr<link_loop> loop_;

public:
  link_pointer link;
};

link_credential bound(const std::string& uid, std::uint64_t placement) {
  return {"worker-7", "default", uid, placement, 0};
}

start_stream order(const std::string& uid, std::uint64_t placement) {
  start_stream x;
  x.uid = uid;
  x.placement = placement;
  x.name_space = "default";
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(worker_desk_)

BOOST_AUTO_TEST_CASE(a_worker_is_who_its_certificate_says) {
  service control;
  worker right(control, control.identity({"worker-7", {}, {}, 0, 0}), "worker-7");
  right.said.next("welcome");
  control.said.next("here 7");
  worker wrong(control, control.identity(bound("a", 3)), "worker-8");
  wrong.said.next("closed");
  BOOST_TEST(
      control.said.next("refused").find("worker-7 for stream a in default, start 3, and says "
                                        "that it is worker-8")
      != std::string::npos);
  // One of this authority that names nobody, as workers of one machine share.
  BOOST_REQUIRE(link_identity::make(control.folder.path + "/links"));
  worker shared(control,
                value_of(link_identity::load(control.folder.path + "/links", link_side::worker)),
                "worker-7");
  shared.said.next("closed");
  control.said.next("refused");
  // The first one has not lost its place by this.
  BOOST_TEST(control.desk->connected(7));
}

BOOST_AUTO_TEST_CASE(it_speaks_for_its_stream_and_no_other) {
  service control;
  const auto own = control.identity(bound("a", 3));
  {
    worker x(control, own, "worker-7", {{"a", 3, 1, 0}, {"a", 2, 1, 0}});
    x.said.next("welcome");
    x.status("a", 3);
    control.said.next("status a");
    // The end of an earlier start may still be to be said; its calls are refused by the records.
    x.status("a", 2);
    control.said.next("status a");
    x.call("a", 3);
    x.said.next("answer 1");
  }
  control.said.next("away 7");
  const auto turned_away = [&](const auto& does) {
    worker x(control, own, "worker-7");
    x.said.next("welcome");
    does(x);
    x.said.next("closed");
    return control.said.next("refused");
  };
  BOOST_TEST(turned_away([](worker& x) { x.call("b", 1); }).find("speaks for stream b, start 1")
             != std::string::npos);
  // A certificate of an earlier start.
  BOOST_TEST(turned_away([](worker& x) { x.call("a", 4); }).find("speaks for stream a, start 4")
             != std::string::npos);
  turned_away([](worker& x) { x.status("b", 3); });
  turned_away([](worker& x) {
    require(x.link->send(log_line{"b", log_level::info, 0, "text", {}}));
  });
  for (const auto& other : {hosted_stream{"b", 3, 1, 0}, hosted_stream{"a", 4, 1, 0}}) {
    worker x(control, own, "worker-7", {other});
    x.said.next("closed");
    BOOST_TEST(control.said.next("refused").find("says that it runs stream " + other.uid)
               != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(with_the_order_comes_the_certificate) {
  service control;
  worker x(control, control.identity({"worker-7", {}, {}, 0, 0}), "worker-7");
  x.said.next("welcome");
  control.said.next("here 7");
  BOOST_TEST(control.desk->send(7, order("a", 3)));
  BOOST_TEST(x.said.next("identity") == "identity worker-7 for stream a in default, start 3");
  x.said.next("start a");
  x.call("a", 3);
  x.said.next("answer 1");
  // It has that one already.
  BOOST_TEST(control.desk->send(7, order("a", 3)));
  BOOST_TEST(x.said.next("") == "start a");
  const auto third = x.newest();
  BOOST_TEST(control.desk->send(7, order("a", 4)));
  x.said.next("start a");
  // The new one holds on another connection, the earlier one for the new start does not.
  worker again(control, x.newest(), "worker-7", {{"a", 4, 1, 0}});
  again.said.next("welcome");
  worker late(control, third, "worker-7", {{"a", 4, 1, 0}});
  late.said.next("closed");
  BOOST_TEST(!control.desk->send(8, order("b", 1)));
}

BOOST_AUTO_TEST_CASE(certificates_are_renewed_before_they_end) {
  service control;
  constexpr micros hour = 3600 * micros_per_second;
  const auto now = wall_clock();
  BOOST_TEST(!control.desk->renew(now)); // nobody is there
  worker x(control, control.identity(bound("a", 3)), "worker-7");
  x.said.next("welcome");
  control.said.next("here 7");
  BOOST_TEST(control.desk->renew(now + 15 * hour));
  BOOST_TEST(!x.newest());
  BOOST_TEST(control.desk->renew(now + 17 * hour));
  x.said.next("identity");
  BOOST_TEST(x.newest()->credential().ends > now + 40 * hour);
  BOOST_TEST(x.newest()->credential().covers("a", 3));
  BOOST_TEST(control.desk->renew(now + 32 * hour));
  BOOST_TEST(control.desk->connected(7));
  // A control process that was stopped for long: the link of one that has ended is closed.
  BOOST_TEST(control.desk->renew(now + 48 * hour));
  x.said.next("closed");
  worker late(control, control.identity(bound("a", 3), -25 * hour), "worker-7");
  late.said.next("closed");
}

BOOST_AUTO_TEST_SUITE_END()
