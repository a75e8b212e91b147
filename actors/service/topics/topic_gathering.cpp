#include "actors/service/topics/topic_gathering.hpp"

#include <iterator>

namespace ebb {

result<void> topic_gathering::offer(topic_append request, answer_function& answer) {
  const auto offered = queue_.offer(std::move(request));
  if (!offered)
    return offered.error();
  senders_.push_back({std::move(answer), clock::now()});
  return {};
}

topic_gathering::delivery topic_gathering::finish(std::vector<append_answer> answers) {
  delivery out;
  out.answers = queue_.finish(std::move(answers));
  const auto end = senders_.begin() + static_cast<std::ptrdiff_t>(out.answers.size());
  out.to.assign(std::make_move_iterator(senders_.begin()), std::make_move_iterator(end));
  senders_.erase(senders_.begin(), end);
  return out;
}

} // namespace ebb
