#include "actors/connectors/file_text_sink.hpp"

namespace ebb {

namespace {

class text_sink final : public sink_writer {
public:
  explicit text_sink(text_sink_parts parts) : parts_(std::move(parts)) {}

  ~text_sink() override {
    abandon();
  }

  text_sink(const text_sink&) = delete;
  text_sink& operator=(const text_sink&) = delete;

  result<void> write(const batch_ptr& rows) override {
    bool holds = false;
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
      begin(out);
      parts_.format->end(out);
      return {};
    }));
    done_ |= done;
    return done;
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
  bool begun_ = false;
  bool patient_ = false;
  bool done_ = false;
};

} // namespace

std::unique_ptr<sink_writer> make_text_sink(text_sink_parts parts) {
  return std::make_unique<text_sink>(std::move(parts));
}

} // namespace ebb
