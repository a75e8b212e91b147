#include "k8s-bridge/bridge.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <optional>
#include <utility>

namespace ebb {

namespace {

/// From the backend's thread into the actor's mailbox. The actor holds it, and lives until it is
/// told to exit.
class mailbox final : public worker_listener {
public:
  explicit mailbox(bridge_actor to) : to_(std::move(to)) {}

  void started(const std::string& name, std::int64_t pid) override {
    caf::anon_send(to_, worker_news{worker_news::kind::started, name, pid, {}, {}});
  }

  void failed(const std::string& name, const error& why) override {
    caf::anon_send(to_, worker_news{worker_news::kind::failed, name, 0, why, {}});
  }

  void gone(const std::string& name, const worker_exit& how) override {
    caf::anon_send(to_, worker_news{worker_news::kind::gone, name, 0, {}, how});
  }

private:
  bridge_actor to_;
};

} // namespace

bridge_actor::behavior_type bridge(bridge_actor::stateful_pointer<bridge_state> self,
                                   bridge_setup setup) {
  auto& state = self->state;
  state.ears = std::make_unique<mailbox>(self);
  std::optional<error> broken;
  if (auto made = setup.make(*state.ears))
    state.backend = *std::move(made);
  else
    broken = std::move(made).error();
  return {
      [self, broken = std::move(broken), tell = setup.tell](const worker_order& x) {
        auto& backend = self->state.backend;
        if (!backend) {
          if (x.what == worker_order::kind::start)
            tell({worker_news::kind::failed, x.name, 0, *broken, {}});
          return;
        }
        switch (x.what) {
        case worker_order::kind::start:
          backend->start(x.name);
          return;
        case worker_order::kind::adopt:
          backend->adopt(x.name, x.pid);
          return;
        case worker_order::kind::end:
          backend->end(x.name);
          return;
        case worker_order::kind::kill:
          backend->kill(x.name);
          return;
        }
      },
      [tell = std::move(setup.tell)](const worker_news& x) { tell(x); },
  };
}

} // namespace ebb
