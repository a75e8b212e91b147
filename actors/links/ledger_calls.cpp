#include "actors/links/ledger_calls.hpp"

#include "actors/links/outcome_of.hpp"

#include <utility>

namespace ebb {

namespace {

struct dispatch {
  stream_ledger& ledger;

  call_outcome operator()(const ledger_open_or_create& x) const {
    return outcome_of(ledger.open_or_create(x.wanted));
  }

  call_outcome operator()(const ledger_find_stream& x) const {
    return outcome_of(ledger.find_stream(x.name));
  }

  call_outcome operator()(const ledger_update_stream& x) const {
    return outcome_of(ledger.update_stream(x.changed, x.generation));
  }

  call_outcome operator()(const ledger_delete_stream& x) const {
    return outcome_of(ledger.delete_stream(x.name));
  }

  call_outcome operator()(const ledger_forget_stream& x) const {
    return outcome_of(ledger.forget_stream(x.uid));
  }

  call_outcome operator()(const ledger_begin_generation& x) const {
    return outcome_of(ledger.begin_generation(x.uid));
  }

  call_outcome operator()(const ledger_reserve_epochs& x) const {
    return outcome_of(ledger.reserve_epochs(x.uid, x.generation, x.count));
  }

  call_outcome operator()(const ledger_commit& x) const {
    return outcome_of(ledger.commit({x.record, x.generation, x.savepoints, x.retained}));
  }

  call_outcome operator()(const ledger_records& x) const {
    return outcome_of(ledger.records(x.uid));
  }

  call_outcome operator()(const ledger_newest_record& x) const {
    return outcome_of(ledger.newest_record(x.uid));
  }

  call_outcome operator()(const ledger_rewind& x) const {
    return outcome_of(ledger.rewind(x.record, x.generation, x.tokens));
  }

  call_outcome operator()(const ledger_savepoints& x) const {
    return outcome_of(ledger.savepoints(x.uid));
  }

  call_outcome operator()(const ledger_savepoint& x) const {
    return outcome_of(ledger.savepoint(x.uid, x.name));
  }

  call_outcome operator()(const ledger_set_tokens& x) const {
    return outcome_of(ledger.set_tokens(x.uid, x.generation, x.tokens));
  }

  call_outcome operator()(const ledger_tokens& x) const {
    return outcome_of(ledger.tokens(x.uid));
  }

  call_outcome operator()(const ledger_garbage& x) const {
    return outcome_of(ledger.garbage(x.uid, x.present));
  }

  template <class T>
  call_outcome operator()(const T&) const {
    return make_error(ec::internal, "a call that is not the ledger's was given to it");
  }
};

template <class... T>
bool is_one_of(const call_operation& x) noexcept {
  return (std::holds_alternative<T>(x) || ...);
}

} // namespace

bool is_ledger_call(const call_operation& x) noexcept {
  return !is_one_of<topic_find_call, topic_append_file_call, topic_append_call, topic_bounds_call,
                    topic_read_call, store_put_call, store_read_call, store_list_call,
                    store_remove_call>(x);
}

call_outcome answer_ledger_call(stream_ledger& ledger, const call_operation& x) {
  return std::visit(dispatch{ledger}, x);
}

bool may_repeat(const call_operation& x) noexcept {
  if (const auto* append = std::get_if<topic_append_call>(&x))
    return append->producer || append->mark || !append->idempotency_key.empty();
  return !std::holds_alternative<ledger_commit>(x);
}

error unknown_outcome(const call_operation& x) {
  if (std::holds_alternative<ledger_commit>(x))
    return make_error(ec::resource,
                      "the control process has gone, and whether the checkpoint was recorded is "
                      "not known",
                      "the next attempt looks it up");
  return make_error(ec::io,
                    "the control process has gone, and whether the rows were appended is not known",
                    "append with a producer or an idempotency key to be able to ask again");
}

call_outcome settle_repeated(const call_operation& x, call_outcome outcome) {
  const bool removes = std::holds_alternative<ledger_delete_stream>(x)
                       || std::holds_alternative<ledger_forget_stream>(x);
  if (removes && !outcome && outcome.error().code == ec::not_found)
    return call_value{};
  return outcome;
}

} // namespace ebb
