#include "actors/service/stored_calls.hpp"

#include "actors/links/outcome_of.hpp"
#include "storage/files.hpp"
#include "storage/folder_objects.hpp"

#include <utility>

namespace ebb {

namespace {

std::string folder_of_stream(const control_records& records, const std::string& uid) {
  return records.folder() + "/streams/" + uid;
}

result<void> check(control_records& records, const stream_placement& from,
                   std::uint64_t generation) {
  EBB_ASSIGN(const auto newest, records.with([&](control_db& database) -> result<std::uint64_t> {
    EBB_ASSIGN(const auto stream, database.stream(from.uid));
    return stream.generation;
  }));
  if (generation != newest)
    return make_error(ec::conflict, "generation " + std::to_string(generation)
                                        + " of the stream has been replaced by "
                                        + std::to_string(newest));
  return {};
}

} // namespace

bool is_stored_call(const call_operation& x) noexcept {
  return std::holds_alternative<store_put_call>(x) || std::holds_alternative<store_remove_call>(x)
         || is_stored_read(x);
}

bool is_stored_read(const call_operation& x) noexcept {
  return std::holds_alternative<store_read_call>(x) || std::holds_alternative<store_list_call>(x);
}

call_outcome answer_stored_call(control_records& records, const stream_placement& from,
                                const call_operation& what) {
  if (!records.allows(from))
    return make_error(ec::conflict, "this start of the stream has been replaced");
  folder_objects files(folder_of_stream(records, from.uid));
  if (const auto* put = std::get_if<store_put_call>(&what)) {
    EBB_TRY(check(records, from, put->piece.generation));
    return outcome_of(files.put(put->area, put->name, put->piece));
  }
  if (const auto* remove = std::get_if<store_remove_call>(&what)) {
    EBB_TRY(check(records, from, remove->generation));
    return outcome_of(files.remove(remove->area, remove->names, remove->generation));
  }
  if (const auto* read = std::get_if<store_read_call>(&what)) {
    EBB_ASSIGN(auto bytes, files.read(read->area, read->name, read->offset, read->bytes));
    return call_value{link_bytes{std::move(bytes)}};
  }
  if (const auto* list = std::get_if<store_list_call>(&what))
    return outcome_of(files.list(list->area));
  return make_error(ec::internal, "a worker has made a call that is not known");
}

std::string stored_output_path(const control_records& records, const std::string& stream_uid,
                               const std::string& path) {
  return folder_of_stream(records, stream_uid) + '/' + to_string(stored_area::output) + '/'
         + file_name_of(path);
}

} // namespace ebb
