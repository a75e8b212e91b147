/// Checkpoints of a stream in a folder of their own.
#pragma once

#include "actors/runtime/stream_store.hpp"
#include "storage/files.hpp"

#include <memory>
#include <string>

namespace ebb::bench {

[[nodiscard]] inline result<std::unique_ptr<stream_store>>
make_scratch_store(const std::string& folder) {
  EBB_ASSIGN(auto database, control_db::open(folder));
  auto control = std::make_shared<shared_ledger>(std::move(database));
  stream_entry stream;
  EBB_ASSIGN(stream.uid, random_uid());
  stream.name = "scratch";
  EBB_ASSIGN(stream, control->with([&](stream_ledger& db) { return db.open_or_create(stream); }));
  EBB_ASSIGN(stream.generation,
             control->with([&](stream_ledger& db) { return db.begin_generation(stream.uid); }));
  EBB_TRY(make_folder(folder + "/segments"));
  return std::make_unique<stream_store>(control, folder + "/segments", stream,
                                        std::vector<segment_info>{});
}

} // namespace ebb::bench
