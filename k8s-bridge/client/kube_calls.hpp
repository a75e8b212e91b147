/// Calls to an API server, one after the other's turn: a rate limit for all of them.
#pragma once

#include "k8s-bridge/client/kube_answer.hpp"
#include "k8s-bridge/client/kube_world.hpp"
#include "k8s-bridge/client/token_bucket.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

struct kube_call_limits {
  double a_second = 50;
  double burst = 100;
};

/// Names of ebb as a writer.
inline constexpr const char* kube_field_manager = "ebb";

/// On the world's thread, which outlives it; handlers of calls that are under way when it goes are
/// not called.
class kube_calls {
public:
  explicit kube_calls(kube_world& world, kube_call_limits limits = {});
  ~kube_calls();
  kube_calls(const kube_calls&) = delete;
  kube_calls& operator=(const kube_calls&) = delete;

  using answered = std::function<void(kube_answer)>;

  /// `what` for messages: `create pod x`.
  void call(std::string what, kube_request request, answered done);

  void get(std::string what, std::string path, answered done);
  void create(std::string what, std::string path, const kube_json& object, answered done);
  void replace(std::string what, std::string path, const kube_json& object, answered done);
  /// Server-side, as `ebb`, taking over its fields from whoever has them.
  void apply(std::string what, const std::string& path, const kube_json& object, answered done);
  /// Only the object with this uid. `grace` in seconds; less than 0 = its own.
  void remove(std::string what, std::string path, const std::string& uid, int grace, answered done);
  /// Not limited in rate: a watch is one call in minutes.
  void watch(kube_request request, kube_world::data_function data, std::string what, answered done);

  [[nodiscard]] kube_world& world() noexcept {
    return world_;
  }

  /// Calls made so far, watches included.
  [[nodiscard]] std::uint64_t count() const noexcept {
    return count_;
  }

private:
  struct waiting {
    std::string what;
    kube_request request;
    answered done;
  };

  void pump();
  void begin(waiting x);

  kube_world& world_;
  token_bucket bucket_;
  std::deque<waiting> waiting_;
  bool timer_ = false;
  std::uint64_t count_ = 0;
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
};

/// Of a name or value in a query.
[[nodiscard]] std::string url_text(std::string_view text);

} // namespace ebb
