#include "k8s-bridge/bridge.hpp"
#include "tests/support/deterministic_system.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace ebb;

/// Remembers orders; news come when a test wants them.
struct scripted_backend final : worker_backend {
  scripted_backend(worker_listener& l, std::vector<std::string>& o) : listener(l), orders(o) {}

  ~scripted_backend() override {
    orders.emplace_back("closed");
  }

  void start(const std::string& name) override {
    orders.push_back("start " + name);
  }

  void adopt(const std::string& name, std::int64_t pid) override {
    orders.push_back("adopt " + name + " " + std::to_string(pid));
  }

  void end(const std::string& name) override {
    orders.push_back("end " + name);
  }

  void kill(const std::string& name) override {
    orders.push_back("kill " + name);
  }

  worker_listener& listener;
  std::vector<std::string>& orders;
};

struct fixture {
  bridge_actor spawn(bool works = true) {
    bridge_setup setup;
    setup.make = [this, works](worker_listener& l) -> result<std::unique_ptr<worker_backend>> {
      if (!works)
        return make_error(ec::resource, "no descriptor is left");
      auto made = std::make_unique<scripted_backend>(l, orders);
      backend = made.get();
      return std::unique_ptr<worker_backend>(std::move(made));
    };
    setup.tell = [this](const worker_news& x) { heard.push_back(x); };
    return system.system().spawn(bridge, setup);
  }

  ebb::test::deterministic_system system;
  std::vector<std::string> orders;
  std::vector<worker_news> heard;
  scripted_backend* backend = nullptr;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(bridge_actor_suite, fixture)

BOOST_AUTO_TEST_CASE(orders_go_to_the_backend_and_news_to_the_listener) {
  {
    const auto actor = spawn();
    using kind = worker_order::kind;
    caf::anon_send(actor, worker_order{kind::start, "a", 0});
    caf::anon_send(actor, worker_order{kind::adopt, "b", 42});
    caf::anon_send(actor, worker_order{kind::end, "a", 0});
    caf::anon_send(actor, worker_order{kind::kill, "b", 0});
    system.settle();
    const std::vector<std::string> wanted{"start a", "adopt b 42", "end a", "kill b"};
    BOOST_TEST(orders == wanted, boost::test_tools::per_element());
    BOOST_TEST(heard.empty());
    backend->listener.started("a", 7);
    backend->listener.failed("b", make_error(ec::io, "it broke"));
    backend->listener.gone("a", {worker_exit::kind::exited, 3});
    BOOST_TEST(heard.empty()); // in the actor's turn
    system.settle();
    BOOST_REQUIRE_EQUAL(heard.size(), 3U);
    BOOST_TEST(
        (heard[0].what == worker_news::kind::started && heard[0].name == "a" && heard[0].pid == 7));
    BOOST_TEST((heard[1].what == worker_news::kind::failed && heard[1].name == "b"
                && heard[1].why.message == "it broke"));
    BOOST_TEST((heard[2].what == worker_news::kind::gone && heard[2].how.code == 3));
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
  system.settle();
  BOOST_TEST(orders.back() == "closed");
}

BOOST_AUTO_TEST_CASE(without_a_backend_every_start_fails) {
  const auto actor = spawn(false);
  caf::anon_send(actor, worker_order{worker_order::kind::start, "a", 0});
  caf::anon_send(actor, worker_order{worker_order::kind::kill, "a", 0});
  system.settle();
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST((heard[0].what == worker_news::kind::failed));
  BOOST_TEST(heard[0].name == "a");
  BOOST_TEST(heard[0].why.message == "no descriptor is left");
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  system.settle();
}

BOOST_AUTO_TEST_CASE(exits_are_told_in_words) {
  BOOST_TEST(to_string(worker_exit{worker_exit::kind::exited, 1}) == "exit code 1");
  BOOST_TEST(to_string(worker_exit{worker_exit::kind::signaled, 9}) == "killed by signal 9");
  BOOST_TEST(to_string(worker_exit{}) == "gone");
}

BOOST_AUTO_TEST_SUITE_END()
