#include "actors/service/topics/sender_headers.hpp"

namespace ebb {

std::optional<http_problem> read_sender(const http_request& from, topic_append& to) {
  const auto* producer = from.header_value("Ebb-Producer");
  const auto* sequence = from.header_value("Ebb-Sequence");
  const auto* epoch = from.header_value("Ebb-Producer-Epoch");
  const auto* key = from.header_value("Idempotency-Key");
  if (key != nullptr && (producer != nullptr || sequence != nullptr || epoch != nullptr))
    return make_problem(400, "header-conflict",
                        "a request has a producer with a sequence, or an idempotency key, not both",
                        "header.Idempotency-Key", "leave one of them out");
  if (sequence != nullptr && producer == nullptr)
    return make_problem(400, "header-missing", "Ebb-Sequence is without Ebb-Producer",
                        "header.Ebb-Producer", "say who sends, or leave Ebb-Sequence out");
  if (epoch != nullptr && sequence == nullptr)
    return make_problem(400, "header-missing", "an epoch goes with a producer's sequence",
                        "header.Ebb-Sequence", "give a sequence, or leave Ebb-Producer-Epoch out");
  if (key != nullptr)
    to.idempotency_key = key->text;
  if (sequence != nullptr)
    to.producer = {producer->text, epoch == nullptr ? 0 : static_cast<std::uint64_t>(epoch->number),
                   static_cast<std::uint64_t>(sequence->number)};
  return std::nullopt;
}

} // namespace ebb
