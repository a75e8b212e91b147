/// The objects of one kind as the API server has them, kept by list and watch.
#pragma once

#include "k8s-bridge/client/back_off.hpp"
#include "k8s-bridge/client/kube_calls.hpp"
#include "k8s-bridge/client/line_splitter.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ebb {

struct kube_object {
  std::string name_space;
  std::string name;
  std::string uid;
  std::string version; ///< of the resource; compared for equality only
  std::string body;    ///< all of it but managedFields, as JSON

  /// `name_space/name`.
  [[nodiscard]] std::string key() const;
};

/// ec::corrupt where it has no name or uid.
[[nodiscard]] result<kube_object> read_kube_object(const kube_json& from);

struct mirror_options {
  std::string what;  ///< for messages: `streams`
  std::string path;  ///< `/apis/ebb.dev/v1alpha1/streams`
  std::string query; ///< `labelSelector=…`, may be empty
  std::uint32_t page = 500;
  std::size_t most_line = std::size_t{8} << 20;
  micros watch_for = 300 * micros_per_second; ///< and up to as much again
  back_off_limits pauses{micros_per_second / 2, 10 * micros_per_second};
};

struct mirror_events {
  /// An object has come, changed, or gone (null; then `key` is all that is left).
  std::function<void(const std::string& key, const kube_object* now)> changed;
  /// The first list is complete.
  std::function<void()> synced;
  /// Listing or watching fails, or works again (null). Once for each change.
  std::function<void(const error* why)> problem;
};

/// On the world's thread. An object that was replaced by another of its name is told as gone
/// first. What was missed while it could not watch comes out of the next list, deletions too.
class resource_mirror {
public:
  resource_mirror(kube_calls& calls, mirror_options options, mirror_events events);
  ~resource_mirror();
  resource_mirror(const resource_mirror&) = delete;
  resource_mirror& operator=(const resource_mirror&) = delete;

  void start();

  [[nodiscard]] bool synced() const noexcept {
    return synced_;
  }

  [[nodiscard]] const kube_object* find(const std::string& key) const;

  [[nodiscard]] const std::map<std::string, kube_object>& all() const noexcept {
    return objects_;
  }

private:
  void list();
  void list_page(const std::string& token);
  void listed(const kube_answer& answer);
  void end_list(const std::string& version);
  void watch();
  bool take_line(std::string_view line);
  void watch_ended(const kube_answer& answer);
  void put(kube_object x);
  void drop(const std::string& key);
  void again(void (resource_mirror::*step)(), const error* why);
  [[nodiscard]] std::string query(const std::string& more) const;

  kube_calls& calls_;
  mirror_options options_;
  mirror_events events_;
  std::map<std::string, kube_object> objects_;
  std::map<std::string, kube_object> listing_; ///< of the list that is under way
  std::string version_;                        ///< to watch from
  std::optional<line_splitter> lines_;
  std::optional<error> stream_problem_; ///< that an ERROR event has told
  bool expired_ = false;                ///< what was missed is not there any more: list
  bool moved_ = false;                  ///< the watch has told something
  bool failing_ = false;
  bool synced_ = false;
  micros watch_since_ = 0;
  back_off pauses_;
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
};

} // namespace ebb
