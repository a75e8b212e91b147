/// An API server in virtual time, as far as the bridge needs one: for tests.
#pragma once

#include "k8s-bridge/client/kube_answer.hpp"
#include "k8s-bridge/client/kube_world.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace ebb::test {

/// How often (of 1) something goes wrong.
struct model_faults {
  double conflict = 0;      ///< a write is answered 409
  double busy = 0;          ///< a call is answered 429 or 500
  double lost_request = 0;  ///< nothing happens, no answer
  double lost_answer = 0;   ///< it happens, no answer
  double watch_cut = 0;     ///< a watch ends with an event half told
  double watch_expired = 0; ///< a watch is answered 410, as status or as event
  double page_expired = 0;  ///< a list's second page is answered 410
};

class model_api final : public kube_world {
public:
  explicit model_api(std::uint32_t seed) : random_(seed) {}

  // The world.
  void send(kube_request request, done_function done) override;
  void stream(kube_request request, data_function data, done_function done) override;

  [[nodiscard]] micros now() const override {
    return now_;
  }

  [[nodiscard]] micros wall_time() const override {
    return 1'700'000'000 * micros_per_second + now_;
  }

  void call_after(micros delay, std::function<void()> call) override {
    timers_.emplace(now_ + std::max<micros>(delay, 0), std::move(call));
  }

  [[nodiscard]] double chance() override {
    return std::uniform_real_distribution<double>(0, 1)(random_);
  }

  /// Until then; false where a million steps were not enough.
  bool run_until(micros when);

  // What users and kubelets do. Paths are those of collections: `…/namespaces/a/streams`.
  void put(const std::string& collection, kube_json object);
  void erase(const std::string& collection, const std::string& name);
  [[nodiscard]] const kube_json* find(const std::string& collection, const std::string& name) const;
  [[nodiscard]] std::vector<kube_json> all(const std::string& plural) const;

  /// From now on lists and watches show what there is now: an API server whose cache does not
  /// follow. Single objects are read as they are.
  void fall_behind();
  void catch_up();

  [[nodiscard]] std::size_t calls() const {
    return calls_;
  }

  model_faults faults;
  bool down = false; ///< nobody answers
  /// Called for each pod that was made, and that is to go.
  std::function<void(const std::string& collection, const std::string& name)> pod_made;
  std::function<void(const std::string& collection, const std::string& name, int grace)> pod_ends;

private:
  struct watcher {
    std::string collection;
    data_function data;
    done_function done;
    bool open = true;
    std::uint64_t told = 0; ///< version
  };

  struct event {
    std::uint64_t version = 0;
    std::string path; ///< of the object
    std::string type;
    kube_json object;
  };

  kube_response handle(const kube_request& request);
  kube_response list(const std::string& path, const std::string& query);
  kube_response remove(const std::string& path, const kube_json& options);
  kube_response create(const std::string& path, kube_json object);
  kube_response patch_status(const std::string& path, const kube_json& object);
  void changed(const std::string& type, const std::string& path, const kube_json& object);
  bool tell(watcher& to, const event& x);
  void close(const std::shared_ptr<watcher>& x, result<kube_response> how);

  struct snapshot {
    std::map<std::string, kube_json> objects;
    std::uint64_t version = 0;
  };

  std::minstd_rand random_;
  std::optional<snapshot> behind_;
  micros now_ = 0;
  std::multimap<micros, std::function<void()>> timers_;
  std::map<std::string, kube_json> objects_; ///< by path
  std::deque<event> history_;
  std::vector<std::shared_ptr<watcher>> watchers_;
  std::uint64_t version_ = 100;
  std::uint64_t uids_ = 0;
  std::size_t calls_ = 0;
};

/// Whether an object's path lies in a collection's, which may span all namespaces.
[[nodiscard]] bool lies_in(const std::string& object, const std::string& collection);

} // namespace ebb::test
