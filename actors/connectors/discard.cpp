#include "actors/connectors/discard.hpp"

#include "actors/connectors/row_hash.hpp"

namespace ebb {

namespace {

class discard_writer final : public sink_writer {
public:
  explicit discard_writer(const discard_sink& options) : hash_(options.hash) {}

  result<void> write(const batch_ptr& rows) override {
    counters_.rows += rows->rows;
    counters_.bytes += byte_size(*rows);
    if (hash_)
      hasher_.add(*rows);
    return {};
  }

  std::size_t backlog() const override {
    return 0;
  }

  result<bool> finish() override {
    return true;
  }

  void abandon() override {}

  sink_counters counters() const override {
    auto result = counters_;
    result.hash = hasher_.sum();
    return result;
  }

private:
  bool hash_;
  row_hasher hasher_;
  sink_counters counters_;
};

} // namespace

std::unique_ptr<sink_writer> open_discard(const discard_sink& options) {
  return std::make_unique<discard_writer>(options);
}

} // namespace ebb
