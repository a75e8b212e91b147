/// A sorted list of numbers in blocks: inserting and removing cost the logarithm and a short move.
#pragma once

#include "schemas/assert.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace ebb {

/// The order is the caller's and must not change; no two elements are equal under it. Short lists
/// are one block.
template <class T>
class ordered_ids {
public:
  template <class Less>
  void insert(const T& x, const Less& less) {
    if (++size_ == 1)
      only_.reserve(few);
    auto& block = find_block(x, less);
    block.insert(std::lower_bound(block.begin(), block.end(), x, less), x);
    if (block.size() > most)
      split(block);
  }

  /// The element must be there.
  template <class Less>
  void erase(const T& x, const Less& less) {
    auto& block = find_block(x, less);
    const auto at = std::lower_bound(block.begin(), block.end(), x, less);
    EBB_ASSERT(at != block.end() && !less(x, *at));
    block.erase(at);
    --size_;
    if (block.empty())
      drop(block);
  }

  /// The first element that is not before what is looked for; null = all are. `before(x)` says
  /// whether x is.
  template <class Before>
  [[nodiscard]] const T* find(const Before& before) const {
    const auto* block = &only_;
    if (more_) {
      const auto after = std::partition_point(more_->begin(), more_->end(),
                                              [&](const auto& b) { return before(b.back()); });
      if (after == more_->end())
        return nullptr;
      block = &*after;
    }
    const auto at = std::partition_point(block->begin(), block->end(), before);
    return at == block->end() ? nullptr : &*at;
  }

  /// How many elements are before what is looked for; `before` as in `find`.
  template <class Before>
  [[nodiscard]] std::size_t position(const Before& before) const {
    std::size_t passed = 0;
    const auto* block = &only_;
    if (more_) {
      auto at = more_->begin();
      for (; at != more_->end() && before(at->back()); ++at)
        passed += at->size();
      if (at == more_->end())
        return passed;
      block = &*at;
    }
    return passed
           + static_cast<std::size_t>(std::partition_point(block->begin(), block->end(), before)
                                      - block->begin());
  }

  /// Calls visit(x) for elements first .. last.
  template <class Visit>
  void each_of(std::size_t first, std::size_t last, const Visit& visit) const {
    std::size_t passed = 0;
    const auto visit_block = [&](const std::vector<T>& block) {
      const auto end = std::min(last, passed + block.size());
      for (auto i = std::max(first, passed); i < end; ++i)
        visit(block[i - passed]);
      passed += block.size();
    };
    if (!more_) {
      visit_block(only_);
      return;
    }
    for (auto at = more_->begin(); at != more_->end() && passed < last; ++at)
      visit_block(*at);
  }

  void pop_back() {
    auto& block = more_ ? more_->back() : only_;
    block.pop_back();
    --size_;
    if (block.empty())
      drop(block);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }

  [[nodiscard]] const T& front() const noexcept {
    return more_ ? more_->front().front() : only_.front();
  }

  [[nodiscard]] const T& back() const noexcept {
    return more_ ? more_->back().back() : only_.back();
  }

  /// Calls visit(x) in order until it returns false.
  template <class Visit>
  void each(const Visit& visit) const {
    const auto visit_block = [&](const std::vector<T>& block) {
      for (const auto& x : block)
        if (!visit(x))
          return false;
      return true;
    };
    if (!more_) {
      visit_block(only_);
      return;
    }
    for (const auto& block : *more_)
      if (!visit_block(block))
        return;
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return (more_ ? more_->capacity() * sizeof(std::vector<T>) : 0) + size_ * sizeof(T);
  }

private:
  static constexpr std::size_t few = 4;
  static constexpr std::size_t most = 512;

  /// The last block that begins before x, else the first.
  template <class Less>
  [[nodiscard]] std::vector<T>& find_block(const T& x, const Less& less) {
    if (!more_)
      return only_;
    const auto after =
        std::upper_bound(more_->begin(), more_->end(), x,
                         [&](const T& a, const auto& b) { return less(a, b.front()); });
    return after == more_->begin() ? *after : *std::prev(after);
  }

  void split(std::vector<T>& block) {
    std::vector<T> upper(block.begin() + most / 2, block.end());
    block.resize(most / 2);
    if (!more_) {
      more_ = std::make_unique<std::vector<std::vector<T>>>();
      more_->push_back(std::exchange(only_, {}));
      more_->push_back(std::move(upper));
      return;
    }
    more_->insert(more_->begin() + (&block - more_->data()) + 1, std::move(upper));
  }

  void drop(std::vector<T>& block) {
    if (!more_) {
      only_ = {};
      return;
    }
    more_->erase(more_->begin() + (&block - more_->data()));
    if (more_->empty())
      more_ = nullptr;
  }

  std::vector<T> only_;                               ///< while there is one block
  std::unique_ptr<std::vector<std::vector<T>>> more_; ///< none is empty
  std::size_t size_ = 0;
};

} // namespace ebb
