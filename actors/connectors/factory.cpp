#include "actors/connectors/factory.hpp"

#include "actors/connectors/apply_output.hpp"
#include "actors/connectors/discard.hpp"
#include "actors/connectors/file_sink.hpp"
#include "actors/connectors/file_sink_check.hpp"
#include "actors/connectors/file_source.hpp"
#include "actors/connectors/generator.hpp"
#include "actors/connectors/moved_output.hpp"
#include "actors/connectors/nexmark.hpp"
#include "actors/connectors/stdout_sink.hpp"
#include "actors/connectors/sweep_outputs.hpp"
#include "actors/connectors/take_back.hpp"
#include "actors/connectors/topic_sink.hpp"
#include "actors/connectors/topic_source.hpp"

#include <limits>

namespace ebb {

namespace {

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

error no_topics(const std::string& name) {
  return make_error(
      ec::unsupported, name + ": topics need the service",
      "apply the stream to one (ebb up, ebb apply -f FILE), or use other sources and sinks");
}

class builtin_connectors final : public connector_factory {
public:
  explicit builtin_connectors(topic_access* topics) : topics_(topics) {}

  result<std::uint32_t> partitions(const source_definition& source,
                                   const std::string& folder) override {
    return std::visit(overloaded{
                          [&](const file_source& x) { return file_partitions(source, x, folder); },
                          // Synthetic sources split into as many strides as there are subtasks.
                          [](const nexmark_source&) {
                            return result<std::uint32_t>{std::numeric_limits<std::uint32_t>::max()};
                          },
                          [](const generator_source&) {
                            return result<std::uint32_t>{std::numeric_limits<std::uint32_t>::max()};
                          },
                          [&](const topic_source& x) -> result<std::uint32_t> {
                            if (topics_ == nullptr)
                              return no_topics("topic " + x.name);
                            return topic_partitions(source, x, *topics_);
                          },
                      },
                      source.connector);
  }

  result<std::uint32_t> partitions_after(const source_definition& source, const std::string& folder,
                                         const std::vector<source_position>& known) override {
    if (const auto* x = std::get_if<file_source>(&source.connector))
      return file_partitions(source, *x, folder, known);
    return partitions(source, folder);
  }

  result<std::unique_ptr<source_reader>> open_source(const source_definition& source,
                                                     connector_context context) override {
    using opened = result<std::unique_ptr<source_reader>>;
    return std::visit(
        overloaded{
            [&](const file_source& x) -> opened {
              return open_file_source(source, x, std::move(context));
            },
            [&](const nexmark_source& x) -> opened { return open_nexmark(source, x, context); },
            [&](const generator_source& x) -> opened { return open_generator(source, x, context); },
            [&](const topic_source& x) -> opened {
              if (topics_ == nullptr)
                return no_topics("topic " + x.name);
              return open_topic_source(source, x, *topics_, context);
            },
        },
        source.connector);
  }

  result<std::unique_ptr<sink_writer>> open_sink(const sink_definition& sink, const schema& columns,
                                                 connector_context context) override {
    using opened = result<std::unique_ptr<sink_writer>>;
    return std::visit(overloaded{
                          [&](const file_sink& x) -> opened {
                            return open_file_sink(sink, x, columns, std::move(context));
                          },
                          [&](const stdout_sink& x) -> opened {
                            return open_stdout_sink(sink, x, columns, std::move(context));
                          },
                          [](const discard_sink& x) -> opened { return open_discard(x); },
                          [&](const topic_sink& x) -> opened {
                            if (topics_ == nullptr)
                              return no_topics("topic " + x.name);
                            return open_topic_sink(sink, x, columns, *topics_, context);
                          },
                      },
                      sink.connector);
  }

  result<void> check_sink(const sink_definition& sink, const std::string& folder,
                          const sink_prospect& start) override {
    if (const auto* file = std::get_if<file_sink>(&sink.connector))
      return check_file_sink(sink, *file, folder, start);
    if (const auto* topic = std::get_if<topic_sink>(&sink.connector); topic != nullptr) {
      if (topics_ == nullptr)
        return no_topics("topic " + topic->name);
      EBB_TRY(topics_->find(topic->name));
    }
    return {};
  }

  result<void> apply_output(const sink_definition& sink, const std::string& folder,
                            const sealed_output& output) override {
    if (is_for_topic(output) && topics_ == nullptr)
      return no_topics("sink " + sink.name);
    const auto here = at_present(sink, folder, output);
    EBB_TRY(is_for_topic(here) ? apply_to_topic(here, *topics_)
                               : apply_waiting_output(folder, here));
    sweeper_.sweep(here);
    return {};
  }

  result<std::uint64_t> take_back(const sink_definition& sink, const std::string& folder,
                                  const sink_rewind& to) override {
    return ebb::take_back(sink, folder, to);
  }

private:
  topic_access* topics_;
  output_sweeper sweeper_;
};

} // namespace

std::unique_ptr<connector_factory> make_connectors(topic_access* topics) {
  return std::make_unique<builtin_connectors>(topics);
}

} // namespace ebb
