/// A world of requests over libcurl: one thread, which sleeps while nothing happens.
#pragma once

#include "k8s-bridge/client/kube_access.hpp"
#include "k8s-bridge/client/kube_world.hpp"

#include <functional>
#include <memory>

namespace ebb {

class curl_world final : public kube_world {
public:
  /// Starts the thread. ec::not_found where there is no libcurl.
  [[nodiscard]] static result<std::unique_ptr<curl_world>> start(kube_access access);
  /// Cuts what is under way; its handlers are not called. Blocks shortly.
  ~curl_world() override;
  curl_world(const curl_world&) = delete;
  curl_world& operator=(const curl_world&) = delete;

  /// From any thread: runs it on the world's, in order. Not after the end.
  void post(std::function<void()> what);

  // On the world's thread alone.
  void send(kube_request request, done_function done) override;
  void stream(kube_request request, data_function data, done_function done) override;
  [[nodiscard]] micros now() const override;
  [[nodiscard]] micros wall_time() const override;
  void call_after(micros delay, std::function<void()> call) override;
  [[nodiscard]] double chance() override;

private:
  class parts;
  explicit curl_world(std::unique_ptr<parts> made);

  std::unique_ptr<parts> parts_;
};

} // namespace ebb
