#include "storage/digest.hpp"
#include "storage/failpoint.hpp"
#include "storage/files.hpp"
#include "storage/segment_trailer.hpp"
#include "storage/snapshot_cache.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <set>
#include <unistd.h>
#include <utility>

namespace ebb {

namespace {

/// In the names of files that are being fetched.
constexpr const char* fetched_mark = ".fetched-";
constexpr std::uint64_t piece_bytes = std::uint64_t{1} << 20;
/// Fetched for one block that lacks; more, where blocks lack one behind the other.
constexpr std::uint64_t fetch_first = std::uint64_t{64} << 10;
constexpr std::uint64_t end_bytes = std::uint64_t{64} << 10;
/// A file is sent from its beginning so often, where the store finds other bytes than were sent.
constexpr int attempts_max = 3;

error too_short(const std::string& name) {
  return make_error(ec::corrupt, name + " is shorter in the store than its record says",
                    "restore the data folder from a copy, or go back to a savepoint");
}

result<std::string> piece_of(const owned_file& file, std::uint64_t at, std::uint64_t total) {
  std::string bytes(static_cast<std::size_t>(std::min(piece_bytes, total - at)), '\0');
  EBB_TRY(file.read_at(at, bytes.data(), bytes.size()));
  return bytes;
}

/// Of the trailer that the file ends in, if it does.
std::optional<digest128> end_of(const std::string& path) {
  const auto file = owned_file::open_to_read(path);
  const auto bytes = file ? file->size() : result<std::uint64_t>(0);
  std::string tail(segment_tail_bytes, '\0');
  if (!bytes || *bytes < tail.size()
      || !file->read_at(*bytes - tail.size(), tail.data(), tail.size()))
    return std::nullopt;
  const auto place = read_tail(tail, *bytes, path);
  if (!place)
    return std::nullopt;
  std::string body(static_cast<std::size_t>(*bytes - place->body_offset), '\0');
  if (!file->read_at(place->body_offset, body.data(), body.size()))
    return std::nullopt;
  const auto trailer = read_trailer(std::move(body), path);
  return trailer ? std::optional(trailer->digest) : std::nullopt;
}

/// The file is there, has the record's size, and ends in its trailer.
bool is_copy(const std::string& path, const segment_info& info) {
  std::error_code problem;
  return std::filesystem::file_size(path, problem) == info.bytes && !problem
         && end_of(path) == info.digest;
}

class cached_snapshots final : public snapshot_store {
public:
  cached_snapshots(snapshot_cache& cache, std::string folder, std::shared_ptr<object_store> store)
      : cache_(cache), segments_(folder + '/' + to_string(stored_area::segments)),
        output_(folder + '/' + to_string(stored_area::output)), store_(std::move(store)) {}

  result<void> prepare() const {
    EBB_TRY(make_folder(segments_));
    EBB_TRY(make_folder(output_));
    // What was being fetched when the process ended.
    for (const auto* folder : {&segments_, &output_}) {
      EBB_ASSIGN(const auto names, list_files(*folder));
      for (const auto& name : names)
        if (name.find(fetched_mark) != std::string::npos)
          EBB_TRY(remove_file(*folder + '/' + name));
    }
    return {};
  }

  const std::string& folder(stored_area area) const override {
    return area == stored_area::segments ? segments_ : output_;
  }

  void begin(std::uint64_t generation) override {
    generation_ = generation;
  }

  result<void> keep(stored_area area, const std::string& name,
                    const std::function<bool()>& give_up) override {
    const auto path = folder(area) + '/' + name;
    const auto held = cache_.hold(path);
    EBB_ASSIGN(const auto file, owned_file::open_to_read(path));
    EBB_ASSIGN(const auto total, file.size());
    for (int attempt = 0; attempt != attempts_max; ++attempt) {
      EBB_ASSIGN(const bool kept, send(area, name, file, total, give_up));
      if (kept) {
        cache_.is_kept(path);
        if (auto* node = cache_.node(); node != nullptr && area == stored_area::segments)
          if (const auto digest = end_of(path))
            node->give(*digest, path, false);
        cache_.make_room(0);
        return {};
      }
    }
    return make_error(ec::io, "the store does not get " + name + " as it was sent");
  }

  result<std::unique_ptr<segment_reader>> open(const segment_expectation& expected) override {
    const auto& info = expected.info;
    const auto path = segments_ + '/' + info.id;
    const auto held = cache_.hold(path);
    const auto try_open = [&] {
      return segment_reader::open(path, expected, fetch_of(info, held));
    };
    // The reader compares the file's end with the record, as `is_copy` does: its trailer, which is
    // long where a segment is, is read once where a copy is there.
    auto opened = try_open();
    if (!opened && !is_copy(path, info)) {
      auto* node = cache_.node();
      const bool taken = node != nullptr && node->take(info.digest, path);
      if (taken)
        opened = try_open();
      if (!opened && !(taken && is_copy(path, info))) {
        EBB_TRY(make_sparse(path, info, taken));
        opened = try_open();
      }
    }
    cache_.is_kept(path);
    if (!opened && opened.error().code == ec::conflict)
      static_cast<void>(remove_file(path)); // not the record's: to be fetched anew
    return opened;
  }

  result<void> bring(const std::string& output, std::uint64_t bytes,
                     const digest128& digest) override {
    const auto path = output_ + '/' + output;
    if (const auto file = owned_file::open_to_read(path)) {
      EBB_ASSIGN(const auto size, file->size());
      // Of this run, or of one before: then it may have been damaged.
      if (size == bytes) {
        EBB_ASSIGN(const auto there, digest_of_file(path));
        if (there == digest)
          return {};
      }
    }
    EBB_ASSIGN(auto file, owned_file::make_temporary(path + fetched_mark));
    const auto fetched = fetch(stored_area::output, output, 0, bytes, file);
    if (!fetched) {
      static_cast<void>(remove_file(file.path()));
      return fetched.error().code == ec::not_found ? result<void>{} : fetched.error();
    }
    EBB_TRY(file.sync());
    if (std::rename(file.path().c_str(), path.c_str()) != 0)
      return system_error(path, "rename");
    return {};
  }

  result<void> sweep_output(const std::vector<std::string>& needed) override {
    EBB_ASSIGN(auto all, store_->list(stored_area::output));
    std::erase_if(all, [&](const auto& x) {
      return std::find(needed.begin(), needed.end(), x) != needed.end();
    });
    if (all.empty())
      return {};
    EBB_TRY(store_->remove(stored_area::output, all, generation_));
    for (const auto& name : all)
      EBB_TRY(remove_file(output_ + '/' + name));
    return {};
  }

  result<std::vector<std::string>> list(stored_area area) override {
    EBB_ASSIGN(const auto kept, store_->list(area));
    EBB_ASSIGN(const auto here, list_files(folder(area)));
    std::set<std::string> all(kept.begin(), kept.end());
    for (const auto& name : here)
      if (name.find(fetched_mark) == std::string::npos)
        all.insert(name);
    return std::vector<std::string>(all.begin(), all.end());
  }

  result<void> remove(stored_area area, const std::string& name) override {
    EBB_TRY(store_->remove(area, {&name, 1}, generation_));
    const auto path = folder(area) + '/' + name;
    if (auto* node = cache_.node(); node != nullptr && area == stored_area::segments)
      if (const auto digest = end_of(path))
        node->drop(*digest);
    return remove_file(path);
  }

private:
  /// False where the store has found other bytes than were sent.
  result<bool> send(stored_area area, const std::string& name, const owned_file& file,
                    std::uint64_t total, const std::function<bool()>& give_up) {
    digester hash;
    stored_piece piece;
    piece.generation = generation_;
    piece.total = total;
    // A small file is one piece; of others the store may have a part already.
    std::uint64_t have = 0;
    if (total > piece_bytes) {
      EBB_ASSIGN(have, store_->put(area, name, piece));
    }
    for (std::uint64_t at = 0;;) {
      if (give_up && give_up())
        return make_error(ec::cancelled, "the stream is being ended");
      EBB_ASSIGN(piece.bytes, piece_of(file, at, total));
      hash.add(piece.bytes.data(), piece.bytes.size());
      const auto next = at + piece.bytes.size();
      const bool last = next == total;
      if (!last && next <= have) {
        at = next;
        continue;
      }
      piece.offset = at;
      if (last)
        piece.digest = hash.value();
      failpoint("store.send", failpoint_side::before);
      EBB_ASSIGN(const auto now, store_->put(area, name, piece));
      failpoint("store.send", failpoint_side::after);
      if (last || now < next)
        return last && now == total;
      at = next;
    }
  }

  result<void> fetch(stored_area area, const std::string& name, std::uint64_t offset,
                     std::uint64_t bytes, owned_file& to) const {
    while (bytes != 0) {
      EBB_ASSIGN(const auto piece,
                 store_->read(area, name, offset, std::min(bytes, stored_piece_max)));
      if (piece.empty())
        return too_short(name);
      EBB_TRY(to.write_at(offset, piece));
      offset += piece.size();
      bytes -= std::min<std::uint64_t>(bytes, piece.size());
    }
    return {};
  }

  /// A copy that has the file's end and lacks all else. `instead`: the node's is none, and goes.
  result<void> make_sparse(const std::string& path, const segment_info& info, bool instead) {
    cache_.make_room(info.bytes);
    // Not in place: others may have mapped what is there.
    EBB_ASSIGN(auto file, owned_file::make_temporary(path + fetched_mark));
    const auto fill = [&]() -> result<void> {
      if (::ftruncate(file.descriptor(), static_cast<off_t>(info.bytes)) != 0)
        return system_error(file.path(), "extend");
      const auto some = std::min(end_bytes, info.bytes);
      EBB_TRY(fetch(stored_area::segments, info.id, info.bytes - some, some, file));
      std::string tail(segment_tail_bytes, '\0');
      EBB_TRY(file.read_at(info.bytes - tail.size(), tail.data(), tail.size()));
      EBB_ASSIGN(const auto place, read_tail(tail, info.bytes, info.id));
      if (place.body_offset < info.bytes - some)
        EBB_TRY(fetch(stored_area::segments, info.id, place.body_offset,
                      info.bytes - some - place.body_offset, file));
      if (std::rename(file.path().c_str(), path.c_str()) != 0)
        return system_error(path, "rename");
      if (auto* node = cache_.node())
        node->give(info.digest, path, instead);
      return {};
    };
    if (info.bytes < segment_tail_bytes)
      return make_error(ec::corrupt, info.id + ": its record says that it has no trailer");
    auto filled = fill();
    if (!filled)
      static_cast<void>(remove_file(file.path()));
    return filled;
  }

  segment_fetch fetch_of(const segment_info& info, std::shared_ptr<void> held) const {
    struct progress {
      std::uint64_t next = 0;
      std::uint64_t bytes = fetch_first;
    };

    return [store = store_, id = info.id, held = std::move(held),
            seen = std::make_shared<progress>()](std::uint64_t offset, std::uint64_t least,
                                                 std::uint64_t most) -> result<std::string> {
      seen->bytes =
          offset == seen->next ? std::min(seen->bytes * 2, stored_piece_max) : fetch_first;
      EBB_ASSIGN(auto piece, store->read(stored_area::segments, id, offset,
                                         std::min(std::max(seen->bytes, least), most)));
      if (piece.size() < least)
        return too_short(id);
      seen->next = offset + piece.size();
      return piece;
    };
  }

  snapshot_cache& cache_;
  const std::string segments_;
  const std::string output_;
  const std::shared_ptr<object_store> store_;
  std::atomic<std::uint64_t> generation_ = 0;
};

} // namespace

result<std::unique_ptr<snapshot_store>> snapshot_cache::open(const std::string& stream_uid,
                                                             std::shared_ptr<object_store> store) {
  auto made = std::make_unique<cached_snapshots>(*this, options_.folder + "/streams/" + stream_uid,
                                                 std::move(store));
  EBB_TRY(made->prepare());
  return std::unique_ptr<snapshot_store>(std::move(made));
}

} // namespace ebb
