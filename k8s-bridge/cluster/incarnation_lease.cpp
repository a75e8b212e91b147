#include "k8s-bridge/cluster/incarnation_lease.hpp"

#include "actors/runtime/moment_text.hpp"
#include "k8s-bridge/client/back_off.hpp"

#include <memory>
#include <utility>

namespace ebb {

namespace {

constexpr const char* lease_name = "ebb-control";

struct taking : std::enable_shared_from_this<taking> {
  kube_calls& calls;
  std::string folder;
  std::string name_space;
  std::string holder;
  std::uint64_t least;
  micros until;
  std::function<void(result<std::uint64_t>)> done;
  back_off pauses{{micros_per_second / 4, 5 * micros_per_second}};

  taking(kube_calls& c, std::string space, std::string who, std::uint64_t above, micros patience,
         std::function<void(result<std::uint64_t>)> told)
      : calls(c), folder("/apis/coordination.k8s.io/v1/namespaces/" + space + "/leases"),
        name_space(std::move(space)), holder(std::move(who)), least(above),
        until(c.world().now() + patience), done(std::move(told)) {}

  void look() {
    calls.get("read lease " + name(), folder + '/' + lease_name,
              [me = shared_from_this()](const kube_answer& answer) { me->found(answer); });
  }

  void found(const kube_answer& answer) {
    if (answer.is_not_found() && text_at(answer.body, {"details", "name"}) == lease_name)
      return write({}, least + 1);
    if (!answer.ok())
      return again(answer);
    const auto before =
        static_cast<std::uint64_t>(number_at(answer.body, {"spec", "leaseTransitions"}));
    write(text_at(answer.body, {"metadata", "resourceVersion"}), std::max(before, least) + 1);
  }

  /// The version makes it a compare and swap.
  void write(const std::string& version, std::uint64_t number) {
    kube_json lease{{"apiVersion", "coordination.k8s.io/v1"}, {"kind", "Lease"}};
    lease["metadata"] = {{"name", lease_name}, {"namespace", name_space}};
    if (!version.empty())
      lease["metadata"]["resourceVersion"] = version;
    const auto when = moment_text(calls.world().wall_time());
    // RFC 3339 with microseconds.
    const auto now = when.substr(0, when.size() - 1) + "000Z";
    lease["spec"] = {{"holderIdentity", holder},
                     {"leaseTransitions", number},
                     {"acquireTime", now},
                     {"renewTime", now}};
    auto taken = [me = shared_from_this(), number](const kube_answer& answer) {
      if (answer.ok())
        me->done(number);
      else
        me->again(answer);
    };
    if (version.empty())
      calls.create("make lease " + name(), folder, lease, std::move(taken));
    else
      calls.replace("take lease " + name(), folder + '/' + lease_name, lease, std::move(taken));
  }

  void again(const kube_answer& answer) {
    auto& world = calls.world();
    if (world.now() >= until)
      return done(*answer.problem);
    world.call_after(std::max(pauses.next(world.chance()), answer.retry_after),
                     [me = shared_from_this()] { me->look(); });
  }

  [[nodiscard]] std::string name() const {
    return name_space + '/' + lease_name;
  }
};

} // namespace

void take_incarnation(kube_calls& calls, const std::string& name_space, const std::string& holder,
                      std::uint64_t least, micros patience,
                      std::function<void(result<std::uint64_t>)> done) {
  std::make_shared<taking>(calls, name_space, holder, least, patience, std::move(done))->look();
}

} // namespace ebb
