/// How a subtask takes back its state: what operators load first before it goes on, the rest as
/// they need it.
#include "actors/dataflow/subtask.hpp"
#include "actors/dataflow/subtask_state.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

/// One operator's wishes, in the stream's terms.
class subtask::wishes final : public state_wishes {
public:
  wishes(subtask& owner, std::uint16_t number) : owner_(owner), number_(number) {}

  [[nodiscard]] bool loaded(std::uint16_t key_group) const override {
    return owner_.cold_->loaded(key_group);
  }

  void wish(std::uint16_t key_group, std::uint16_t state, std::string_view key) override {
    owner_.cold_->want(key_group, state_number(number_, state), key);
  }

  void wish_below(std::uint16_t key_group, std::uint16_t state, std::string_view to) override {
    const auto at = state_number(number_, state);
    const auto end = static_cast<std::uint16_t>(to.empty() ? at + 1 : at);
    owner_.cold_->want_span({key_group, at, {}}, {key_group, end, std::string(to)});
  }

  void wish_all() override {
    const auto first = state_number(number_, 0);
    const auto end = state_number(static_cast<std::uint16_t>(number_ + 1), 0);
    for (auto group = owner_.first_key_group_; group < owner_.last_key_group_; ++group)
      if (!owner_.cold_->loaded(group))
        owner_.cold_->want_span({group, first, {}}, {group, end, {}});
  }

private:
  subtask& owner_;
  std::uint16_t number_;
};

bool subtask::has_state() const noexcept {
  return std::any_of(steps_.begin(), steps_.end(),
                     [](const auto& x) { return x->op && x->number.has_value(); });
}

bool subtask::loads_late() const noexcept {
  return std::any_of(steps_.begin(), steps_.end(),
                     [](const auto& x) { return x->op && x->number && x->op->loads_late(); });
}

std::vector<std::uint16_t> subtask::first_states() const {
  std::vector<std::uint16_t> states;
  for (const auto& x : steps_)
    if (x->op && x->number)
      for (std::uint16_t state = 0; state < 1U << operator_state_bits; ++state)
        if (x->op->loads_late() && x->op->loads_first(state))
          states.push_back(state_number(*x->number, state));
  return states;
}

std::vector<std::uint16_t> subtask::first_operators() const {
  std::vector<std::uint16_t> numbers;
  for (const auto& x : steps_)
    if (x->op && x->number && !x->op->loads_late())
      numbers.push_back(*x->number);
  return numbers;
}

subtask::step* subtask::owner_of(std::uint16_t state) const noexcept {
  const auto found = std::find_if(steps_.begin(), steps_.end(), [&](const auto& x) {
    return x->op && x->number && *x->number == operator_of(state);
  });
  return found == steps_.end() ? nullptr : found->get();
}

result<void> subtask::load_into(step& x, const state_chunk::entry& entry) {
  auto loaded = x.op->load(entry.key_group, state_of(entry.state), entry.key, entry.value);
  if (!loaded)
    return named(std::move(loaded).error(), x);
  return {};
}

result<void> subtask::load(const state_chunk::entry& entry) {
  auto* owner = owner_of(entry.state);
  return owner == nullptr ? result<void>{} : load_into(*owner, entry);
}

// No range has entries of a key group from two operators. So what one names brings nothing of
// another, and what an operator does not name comes in order: its wishes for a whole state of a key
// group are read by rising places, as is the rest, from its first place on.
void subtask::cut_around(std::uint16_t number) {
  for (auto group = first_key_group_; group < last_key_group_; ++group) {
    cold_->cut({group, state_number(number, 0), {}});
    cold_->cut({group, state_number(static_cast<std::uint16_t>(number + 1), 0), {}});
  }
}

void subtask::resume(epoch_number epoch, std::unique_ptr<cold_ranges> cold) {
  base_ = epoch;
  cold_ = std::move(cold);
  for (const auto& x : steps_) {
    if (!x->op || !x->number)
      continue;
    if (!cold_ || !x->op->loads_late())
      x->op->all_loaded();
    else
      cut_around(*x->number);
    x->marks.assign(1, {epoch, x->op->mark()});
    say_first(*x);
  }
}

// True where the item may be taken.
bool subtask::wish_for(step& x, const stream_item& item) {
  if (!cold_ || !x.number || !x.op->loads_late())
    return true;
  wishes all(*this, *x.number);
  x.op->wish(item, all);
  return cold_->ready();
}

void subtask::wish_whole() {
  for (const auto& x : steps_)
    if (x->op && x->number && x->op->loads_late())
      wishes(*this, *x->number).wish_all();
}

std::vector<cold_span> subtask::take_reads(std::size_t most) {
  return cold_ ? cold_->take(most) : std::vector<cold_span>{};
}

result<void> subtask::read(const state_chunk& entries, const std::vector<cold_span>& ranges) {
  EBB_ASSERT(cold_ != nullptr);
  // Entries of one state come together.
  step* owner = nullptr;
  std::optional<std::uint16_t> state;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto entry = entries.at(i);
    if (state != entry.state) {
      state = entry.state;
      owner = owner_of(entry.state);
      if (owner != nullptr
          && (!owner->op->loads_late() || owner->op->loads_first(state_of(entry.state))))
        owner = nullptr; // has been
    }
    if (owner != nullptr)
      EBB_TRY(load_into(*owner, entry));
  }
  for (const auto& x : ranges)
    cold_->loaded(x);
  if (cold_->complete())
    end_loading();
  return {};
}

void subtask::end_loading() {
  cold_.reset();
  for (const auto& x : steps_)
    if (x->op && x->number && x->op->loads_late())
      x->op->all_loaded();
}

} // namespace ebb
