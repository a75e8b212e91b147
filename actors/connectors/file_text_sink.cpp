#include "actors/connectors/file_text_sink.hpp"

#include "actors/dataflow/checked_sink.hpp"

#include <utility>

namespace ebb {

namespace {

class text_sink final : public sink_writer, public checked_sink {
public:
  explicit text_sink(text_sink_parts parts) : parts_(std::move(parts)), begun_(parts_.begun) {}

  ~text_sink() override {
    abandon();
  }

  text_sink(const text_sink&) = delete;
  text_sink& operator=(const text_sink&) = delete;

  result<void> write(const batch_ptr& rows) override {
    bool holds = false;
    if (rows->rows == 0)
      return {};
    EBB_TRY(parts_.output->append([&](output_buffer& out) {
      begin(out);
      auto done = parts_.format->write(*rows, out);
      rows_ = parts_.format->rows();
      holds = parts_.format->holds_rows();
      return done;
    }));
    if (holds && !patient_ && parts_.patience.count() != 0) {
      patient_ = true;
      parts_.output->append_later(parts_.patience,
                                  [format = parts_.format](output_buffer& out) -> result<void> {
                                    format->release(out);
                                    return {};
                                  });
    }
    return {};
  }

  std::size_t backlog() const override {
    return parts_.output->backlog();
  }

  result<bool> finish() override {
    EBB_ASSIGN(const bool done, parts_.output->finish([&](output_buffer& out) -> result<void> {
      if (!parts_.separate)
        begin(out);
      parts_.format->end(out);
      return {};
    }));
    done_ |= done;
    return done;
  }

  result<void> seal(epoch_number epoch) override {
    const auto rows = rows_ - std::exchange(sealed_rows_, rows_);
    auto done = parts_.output->seal(epoch, rows, [&](output_buffer& out) -> result<void> {
      if (!parts_.separate)
        begin(out);
      if (parts_.format->holds_rows())
        parts_.format->release(out);
      return {};
    });
    begun_ = begun_ && !parts_.separate;
    return done;
  }

  result<std::optional<sealed_output>> sealed() override {
    return parts_.output->take_sealed();
  }

  result<void> check() const override {
    return done_ ? result<void>{} : parts_.output->check();
  }

  void abandon() override {
    if (done_)
      return;
    done_ = true;
    parts_.output->abandon();
    if (parts_.discard)
      parts_.discard();
  }

  sink_counters counters() const override {
    return {rows_, parts_.output->bytes(), 0};
  }

private:
  void begin(output_buffer& out) {
    if (begun_)
      return;
    begun_ = true;
    parts_.format->begin(out);
  }

  text_sink_parts parts_;
  std::uint64_t rows_ = 0;
  std::uint64_t sealed_rows_ = 0;
  bool begun_;
  bool patient_ = false;
  bool done_ = false;
};

} // namespace

std::unique_ptr<sink_writer> make_text_sink(text_sink_parts parts) {
  return std::make_unique<text_sink>(std::move(parts));
}

} // namespace ebb
