#include "actors/links/link_loop.hpp"

#include "actors/links/link_core.hpp"
#include "actors/runtime/blocked_signals.hpp"

#include <system_error>

namespace ebb {

link_loop::link_loop() = default;

result<std::unique_ptr<link_loop>> link_loop::start(const link_options& options) {
  std::unique_ptr<link_loop> made(new link_loop);
  made->core_ = std::make_unique<link_core>(options);
  try {
    const blocked_signals guard;
    made->core_->start();
  } catch (const std::system_error& x) {
    return make_error(ec::resource, std::string("cannot start the thread of links: ") + x.what());
  }
  return made;
}

link_loop::~link_loop() {
  core_->stop();
}

double link_loop::cpu_seconds() const {
  return core_->cpu_seconds();
}

} // namespace ebb
