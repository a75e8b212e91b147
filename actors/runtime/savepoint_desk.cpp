#include "actors/runtime/savepoint_desk.hpp"

#include <utility>

namespace ebb {

void savepoint_desk::ask(const std::string& stream, const std::string& name,
                         const answer_function& answer) {
  std::lock_guard guard(mutex_);
  const auto found = streams_.find(stream);
  if (found != streams_.end()) {
    found->second(name, answer);
    return;
  }
  std::string names;
  for (const auto& [running, ask] : streams_)
    names += (names.empty() ? "" : ", ") + running;
  answer(make_error(ec::not_found, "no stream " + stream + " runs here",
                    names.empty() ? "its streams have ended" : "these run: " + names));
}

void savepoint_desk::open(std::map<std::string, ask_function> streams) {
  std::lock_guard guard(mutex_);
  streams_ = std::move(streams);
}

} // namespace ebb
