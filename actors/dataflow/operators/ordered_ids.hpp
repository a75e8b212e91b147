/// A sorted list of numbers in blocks: inserting and removing cost the logarithm and a short move.
#pragma once

#include "schemas/assert.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ebb {

/// The order is the caller's and must not change; no two elements are equal under it.
template <class T>
class ordered_ids {
public:
  template <class Less>
  void insert(const T& x, const Less& less) {
    ++size_;
    if (blocks_.empty()) {
      blocks_.push_back({x});
      return;
    }
    auto& block = *find_block(x, less);
    block.insert(std::lower_bound(block.begin(), block.end(), x, less), x);
    if (block.size() <= most)
      return;
    const auto at = &block - blocks_.data();
    std::vector<T> upper(block.begin() + most / 2, block.end());
    block.resize(most / 2);
    blocks_.insert(blocks_.begin() + at + 1, std::move(upper));
  }

  /// The element must be there.
  template <class Less>
  void erase(const T& x, const Less& less) {
    EBB_ASSERT(!blocks_.empty());
    const auto block = find_block(x, less);
    const auto at = std::lower_bound(block->begin(), block->end(), x, less);
    EBB_ASSERT(at != block->end() && !less(x, *at));
    block->erase(at);
    --size_;
    if (block->empty())
      blocks_.erase(block);
  }

  /// The first element that is not before what is looked for; null = all are. `before(x)` says
  /// whether x is.
  template <class Before>
  [[nodiscard]] const T* find(const Before& before) const {
    const auto after = std::partition_point(
        blocks_.begin(), blocks_.end(), [&](const auto& block) { return before(block.back()); });
    if (after == blocks_.end())
      return nullptr;
    return &*std::partition_point(after->begin(), after->end(), before);
  }

  void pop_back() {
    blocks_.back().pop_back();
    if (blocks_.back().empty())
      blocks_.pop_back();
    --size_;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }

  [[nodiscard]] const T& front() const noexcept {
    return blocks_.front().front();
  }

  [[nodiscard]] const T& back() const noexcept {
    return blocks_.back().back();
  }

  /// Calls visit(x) in order until it returns false.
  template <class Visit>
  void each(const Visit& visit) const {
    for (const auto& block : blocks_)
      for (const auto& x : block)
        if (!visit(x))
          return;
  }

  void clear() {
    blocks_ = {};
    size_ = 0;
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return blocks_.capacity() * sizeof(std::vector<T>) + size_ * sizeof(T);
  }

private:
  static constexpr std::size_t most = 512;

  /// The last block that begins before x, else the first.
  template <class Less>
  [[nodiscard]] auto find_block(const T& x, const Less& less) {
    const auto after =
        std::upper_bound(blocks_.begin(), blocks_.end(), x,
                         [&](const T& a, const auto& b) { return less(a, b.front()); });
    return after == blocks_.begin() ? after : std::prev(after);
  }

  std::vector<std::vector<T>> blocks_; ///< none is empty
  std::size_t size_ = 0;
};

} // namespace ebb
