/// Calls of a ledger: how the control process carries them out, and what may be done twice. Pure.
///
/// Where the control process has gone before it answered, nobody knows whether the call was carried
/// out. What a repetition at the next one does, where it was:
///
/// | call                               | a repetition |
/// |---|---|
/// | find_stream, records, newest_record, savepoints, savepoint, tokens, garbage, topic_find |
/// reads | | open_or_create                     | gives the stream that the first made | |
/// update_stream, rewind              | writes the same again | | delete_stream, forget_stream |
/// finds nothing: taken as done (`settle_repeated`) | | begin_generation, reserve_epochs   | leaves
/// a generation, a block of epochs unused | | set_tokens                         | same epoch, same
/// offset: nothing changes | | topic_append_file                  | its mark is known: nothing
/// changes | | topic_append                       | with producer, key or mark: the same answer.
/// Without them it | |                                    | is not repeated: ec::io, not known
/// whether it was appended | | commit                             | would be refused as not new. It
/// is not repeated: ec::resource, | |                                    | and the caller looks up
/// whether it was recorded (stream_store) |
///
/// topic_bounds, topic_read, store_read and store_list read; store_put writes the same bytes to the
/// same place, or finds the file there; store_remove finds nothing.
///
/// Within one control process `call_desk` sees to it that nothing is done twice.
#pragma once

#include "schemas/error.hpp"
#include "schemas/link_operations.hpp"
#include "storage/stream_ledger.hpp"

namespace ebb {

/// Whether `answer_ledger_call` knows it: the others are calls of topics
/// and of stored files.
[[nodiscard]] bool is_ledger_call(const call_operation& x) noexcept;

/// Calls the function on this thread; its errors are the outcome's.
[[nodiscard]] call_outcome answer_ledger_call(stream_ledger& ledger, const call_operation& x);

/// Whether it may be done again where it is not known if it was done.
[[nodiscard]] bool may_repeat(const call_operation& x) noexcept;

/// What the caller of one that may not be repeated gets.
[[nodiscard]] error unknown_outcome(const call_operation& x);

/// What the outcome of a repetition says about the call.
[[nodiscard]] call_outcome settle_repeated(const call_operation& x, call_outcome outcome);

} // namespace ebb
