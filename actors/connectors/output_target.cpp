#include "actors/connectors/output_target.hpp"

#include <utility>

namespace ebb {

namespace {

class plain_target final : public output_target {
public:
  plain_target(std::unique_ptr<byte_writer> writer, std::function<result<void>()> publish)
      : writer_(std::move(writer)), publish_(std::move(publish)) {}

  result<void> write(const char* bytes, std::size_t size) override {
    return writer_->write(bytes, size);
  }

  result<void> finish() override {
    EBB_TRY(writer_->finish());
    return publish_ ? publish_() : result<void>{};
  }

private:
  std::unique_ptr<byte_writer> writer_;
  std::function<result<void>()> publish_;
};

} // namespace

std::unique_ptr<output_target> make_plain_target(std::unique_ptr<byte_writer> writer,
                                                 std::function<result<void>()> publish) {
  return std::make_unique<plain_target>(std::move(writer), std::move(publish));
}

} // namespace ebb
