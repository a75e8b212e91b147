#include "actors/runtime/segment_state.hpp"

#include "storage/merged_state.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace ebb {

namespace {

/// Of the segments that cuts are taken from: small enough to be read in less than a millisecond,
/// large enough that looking it up in every segment costs less than reading it.
constexpr std::uint64_t part_bytes = std::uint64_t{64} << 10;
/// Cuts are kept in memory until everything is loaded.
constexpr std::size_t cuts_max = 8192;

auto order_of(const state_place& x) noexcept {
  return std::tuple(x.key_group, x.state, std::string_view(x.key));
}

class segment_state final : public stored_state {
public:
  static result<std::unique_ptr<stored_state>> open(const recorded_segments& from, bool verify,
                                                    std::function<void()> damaged) {
    std::vector<std::shared_ptr<segment_reader>> readers;
    for (const auto& x : from.segments) {
      EBB_ASSIGN(auto reader, open_segment(from, x));
      if (verify)
        EBB_TRY(reader->verify_all());
      readers.push_back(std::move(reader));
    }
    std::unique_ptr<segment_state> made(
        new segment_state(from, merged_state(std::move(readers)), std::move(damaged)));
    EBB_ASSIGN(made->cursor_, made->state_.unstarted_scan(0, unkeyed_group));
    return std::unique_ptr<stored_state>(std::move(made));
  }

  result<std::unique_ptr<stored_state>> reopen() const override {
    auto opened = open(from_, false, damaged_);
    if (!opened)
      tell(opened.error());
    return opened;
  }

  std::uint64_t byte_size() const override {
    return ebb::byte_size(from_);
  }

  // Where the leaves of the largest segments begin: bases if there are any.
  std::vector<state_place> cuts(const state_place& from, const state_place& to) const override {
    const auto& all = state_.segments();
    const bool bases = std::any_of(
        all.begin(), all.end(), [](const auto& x) { return x->info().kind == segment_kind::base; });
    const auto largest = std::max_element(all.begin(), all.end(), [](const auto& x, const auto& y) {
      return x->info().bytes < y->info().bytes;
    });
    std::vector<state_place> cuts;
    for (auto x = all.begin(); x != all.end(); ++x) {
      if (bases ? (*x)->info().kind != segment_kind::base : x != largest)
        continue;
      const auto& runs = (*x)->trailer().runs;
      const auto step = std::max<std::size_t>(
          1, runs.size() * part_bytes / std::max<std::uint64_t>(1, (*x)->info().bytes));
      for (std::size_t i = 0; i < runs.size(); i += step) {
        const auto parts = split_stored_key(runs[i].first_key);
        // A cut key's order is not that of the whole one.
        if (parts.area != segment_area::entries || parts.is_long)
          continue;
        state_place place{parts.key_group, parts.state, std::string(parts.key)};
        if (order_of(from) < order_of(place) && order_of(place) < order_of(to))
          cuts.push_back(std::move(place));
      }
    }
    std::sort(cuts.begin(), cuts.end(),
              [](const auto& x, const auto& y) { return order_of(x) < order_of(y); });
    cuts.erase(std::unique(cuts.begin(), cuts.end(),
                           [](const auto& x, const auto& y) { return order_of(x) == order_of(y); }),
               cuts.end());
    const auto every = (cuts.size() + cuts_max - 1) / cuts_max;
    if (every <= 1)
      return cuts;
    std::vector<state_place> fewer;
    for (std::size_t i = 0; i < cuts.size(); i += every)
      fewer.push_back(std::move(cuts[i]));
    return fewer;
  }

  result<void> read(const state_place& from, const state_place& to, state_chunk& out) override {
    return told(read_entries(from, to, out));
  }

  result<void> read_one(const state_place& at, state_chunk& out) override {
    auto found = state_.get(at.key_group, at.state, at.key);
    if (found && *found)
      out.add({state_chunk::kind::put, at.key_group, at.state, at.key, (*found)->value});
    return told(found ? result<void>{} : result<void>(std::move(found).error()));
  }

private:
  segment_state(const recorded_segments& from, merged_state state, std::function<void()> damaged)
      : from_(from), damaged_(std::move(damaged)), state_(std::move(state)) {}

  result<void> read_entries(const state_place& from, const state_place& to, state_chunk& out) {
    EBB_TRY(cursor_->seek(from.key_group, from.state, from.key));
    for (;;) {
      EBB_ASSIGN(const bool more, cursor_->next());
      if (!more)
        return {};
      const auto& x = cursor_->entry();
      if (std::tuple(x.key_group, x.state, x.key) >= order_of(to))
        return {};
      out.add({state_chunk::kind::put, x.key_group, x.state, x.key, x.value});
    }
  }

  result<void> told(result<void> done) const {
    if (!done) {
      tell(done.error());
      if (done.error().code == ec::corrupt)
        done.error().hint =
            "start again: all files are verified then, and an older checkpoint is "
            "used where no output has gone out since; `ebb verify` lists all damage";
    }
    return done;
  }

  void tell(const error& problem) const {
    if (problem.code == ec::corrupt && damaged_)
      damaged_();
  }

  recorded_segments from_;
  std::function<void()> damaged_;
  merged_state state_;                  ///< keeps the readers
  std::optional<merged_cursor> cursor_; ///< of `read`
};

} // namespace

result<std::unique_ptr<segment_reader>> open_segment(const recorded_segments& from,
                                                     const segment_info& which) {
  const segment_expectation expected{which, from.stream_uid, from.key_groups};
  return from.store ? from.store->open(expected)
                    : segment_reader::open(from.folder + '/' + which.id, expected);
}

std::uint64_t byte_size(const recorded_segments& x) noexcept {
  std::uint64_t bytes = 0;
  for (const auto& segment : x.segments)
    bytes += segment.bytes;
  return bytes;
}

result<std::unique_ptr<stored_state>> open_segments(const recorded_segments& from, bool verify,
                                                    std::function<void()> damaged) {
  return segment_state::open(from, verify, std::move(damaged));
}

} // namespace ebb
