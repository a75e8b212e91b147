/// A subtask's part in checkpoints: where the cut lies, what is saved, how it is taken back.
#include "actors/dataflow/subtask.hpp"
#include "actors/dataflow/subtask_state.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

/// Entries between two looks at the clock: about 100 µs.
constexpr std::uint32_t entries_a_slice = 256;

} // namespace

/// Writes an operator's entries into the snapshot.
class subtask::entry_sink final : public state_sink {
public:
  entry_sink(state_chunk& to, std::uint16_t number, std::uint16_t group)
      : to_(to), number_(number), group_(group) {}

  void select_group(std::uint16_t key_group) override {
    group_ = key_group;
  }

  void put(std::uint16_t state, std::string_view key, std::string_view value) override {
    add(state_chunk::kind::put, state, key, value);
  }

  void erase(std::uint16_t state, std::string_view key) override {
    add(state_chunk::kind::erase, state, key, {});
  }

  void erase_prefix(std::uint16_t state, std::string_view prefix) override {
    add(state_chunk::kind::erase_prefix, state, prefix, {});
  }

private:
  void add(state_chunk::kind what, std::uint16_t state, std::string_view key,
           std::string_view value) {
    EBB_ASSERT(state < 1U << operator_state_bits);
    to_.add({what, group_, state_number(number_, state), key, value});
  }

  state_chunk& to_;
  std::uint16_t number_;
  std::uint16_t group_;
};

void subtask::begin_checkpoint(epoch_number epoch, epoch_number base, bool whole) {
  carry_out(aligner_.request(epoch), 0, 0);
  // A barrier may have come first.
  if (aligner_.current() != epoch)
    return;
  base_ = std::max(base_, base);
  whole_ = whole;
}

void subtask::carry_out(const barrier_aligner::effect& x, std::uint32_t input,
                        std::uint32_t channel) {
  if (x.release)
    for (auto& gate : gates_)
      gate.release();
  if (x.hold)
    gates_[input].hold(channel);
}

// Nothing is between two steps, and every operator has taken the whole of what it was given; one
// that is emitting a window is fine, since how far it is belongs to its state.
bool subtask::inputs_taken() const noexcept {
  return std::all_of(gates_.begin(), gates_.end(), [](const auto& x) { return x.empty(); })
         && std::all_of(steps_.begin(), steps_.end(), [](const auto& x) {
              const bool emitting =
                  x->current.kind == item_kind::watermark || x->current.kind == item_kind::tick;
              return x->queue.empty() && !x->sealing && (!x->more || emitting);
            });
}

result<void> subtask::cut_epoch() {
  const auto epoch = aligner_.current();
  checkpoint_ = std::make_unique<checkpoint>();
  checkpoint_->made.epoch = epoch;
  checkpoint_->made.watermark = watermark();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    auto& x = *steps_[i];
    if (x.source) {
      auto& made = checkpoint_->made.sources.emplace_back();
      made.source = x.name;
      made.ended = x.ended;
      x.source->positions(made.positions);
      for (auto& position : made.positions)
        position.finished |= x.ended;
    } else if (x.op && x.number) {
      std::erase_if(x.marks, [&](const auto& m) { return m.first < base_; });
      checkpoint::save save{i, 0, x.op->saves_frozen(), first_key_group_};
      if (base_ != 0 && !whole_) {
        EBB_ASSERT(!x.marks.empty() && x.marks.front().first == base_);
        save.since = x.marks.front().second;
      }
      x.marks.emplace_back(epoch, x.op->mark());
      if (base_ != 0 && whole_)
        erase_all(x);
      if (save.frozen)
        x.op->begin_save(save.since);
      auto& saves = checkpoint_->saves;
      saves.insert(save.frozen ? saves.begin() : saves.end(), save);
    } else if (x.sink) {
      std::erase_if(x.outputs, [&](const auto& output) { return output.first <= base_; });
      if (auto sealing = x.sink->seal(epoch); !sealing)
        return named(std::move(sealing).error(), x);
      x.sealing = true;
      x.sealing_epoch = epoch;
      x.woken = true;
    }
  }
  for (std::uint32_t e = 0; e < edges_.size(); ++e) {
    if (edges_[e]->closed)
      continue;
    edge_sender sender(*this, e);
    edges_[e]->partition.flush_all(sender);
    for (std::uint32_t t = 0; t < edges_[e]->channels.size(); ++t)
      sender.send(t, channel_item::barrier(epoch));
  }
  aligner_.complete();
  for (auto& gate : gates_)
    gate.release();
  return {};
}

// What the records before say of this operator is void: everything is written anew.
void subtask::erase_all(const step& x) {
  const auto erase = [&](std::uint16_t group) {
    entry_sink sink(checkpoint_->made.state, *x.number, group);
    for (std::uint16_t state = 0; state < 1U << operator_state_bits; ++state)
      sink.erase_prefix(state, {});
  };
  for (auto group = first_key_group_; group < last_key_group_; ++group)
    erase(group);
  erase(unkeyed_group);
}

bool subtask::saving() const noexcept {
  return checkpoint_ && !checkpoint_->saves.empty();
}

bool subtask::saving_stopped() const noexcept {
  return !checkpoint_->saves.back().frozen;
}

void subtask::save_more() {
  auto& save = checkpoint_->saves.back();
  const auto& x = *steps_[save.step];
  auto& into = checkpoint_->made.state;
  bool more = true;
  if (save.frozen) {
    entry_sink sink(into, *x.number, unkeyed_group);
    more = x.op->save_slice(entries_a_slice, sink);
  } else {
    const bool keyed = save.next_group < last_key_group_;
    const auto group = keyed ? static_cast<std::uint16_t>(save.next_group) : unkeyed_group;
    entry_sink sink(into, *x.number, group);
    x.op->save(group, save.since, sink);
    ++save.next_group;
    more = keyed;
  }
  if (!more)
    checkpoint_->saves.pop_back();
}

result<void> subtask::poll_sealed() {
  for (const auto s : sinks_) {
    auto& x = *steps_[s];
    if (!x.sealing || !x.woken)
      continue;
    // `finish` waits for wakes as well, but never while an epoch is being sealed.
    x.woken = false;
    auto output = x.sink->sealed();
    if (!output)
      return named(std::move(output).error(), x);
    if (!*output)
      continue;
    x.sealing = false;
    x.outputs.emplace_back(x.sealing_epoch, std::move(**output));
  }
  return {};
}

std::optional<subtask_snapshot> subtask::take_snapshot() {
  if (!checkpoint_ || saving()
      || std::any_of(sinks_.begin(), sinks_.end(), [&](auto s) { return steps_[s]->sealing; }))
    return std::nullopt;
  auto made = std::move(checkpoint_->made);
  checkpoint_.reset();
  for (const auto s : sinks_)
    for (const auto& [epoch, output] : steps_[s]->outputs)
      made.sinks.push_back({steps_[s]->name, epoch, output});
  return made;
}

void subtask::conclude() {
  concluded_ = true;
}

} // namespace ebb
