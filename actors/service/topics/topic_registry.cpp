#include "actors/service/topics/topic_registry.hpp"

#include "actors/connectors/topic_output.hpp"
#include "actors/service/topics/topic_host.hpp"
#include "storage/files.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace ebb {

namespace {

// Closed logs that one look at retention may open.
constexpr std::size_t closed_looks = 16;

error no_topic(std::string_view what) {
  return make_error(ec::not_found, "topic \"" + std::string(what) + "\" does not exist",
                    "it may have been deleted");
}

std::string full_name(std::string_view name_space, std::string_view name) {
  std::string key{name_space};
  key += '/';
  key += name;
  return key;
}

} // namespace

struct topic_registry::parts {
  std::shared_ptr<topic_surroundings> around;
  mutable std::shared_mutex mutex;
  std::map<std::string, std::shared_ptr<topic_host>, std::less<>> by_uid;
  std::unordered_map<std::string, std::shared_ptr<topic_host>> by_name;
  std::string looked_at; ///< uid of the closed topic at which retention last looked
  std::uint64_t lane = 0;

  [[nodiscard]] std::vector<std::shared_ptr<topic_host>> all() const {
    std::shared_lock guard(mutex);
    std::vector<std::shared_ptr<topic_host>> out;
    out.reserve(by_uid.size());
    for (const auto& x : by_uid)
      out.push_back(x.second);
    return out;
  }

  void close_longest_unused() const;
  void look();
  [[nodiscard]] std::vector<std::shared_ptr<topic_host>> closed_to_look_at();
  void add_samples(metrics_registry& to, const std::shared_ptr<parts>& self) const;
};

namespace {

// What the timer and the metrics hold: they may call after the registry has gone.
template <class T>
std::weak_ptr<T> weak(const std::shared_ptr<T>& x) {
  return x;
}

} // namespace

void topic_registry::parts::close_longest_unused() const {
  std::shared_ptr<topic_host> oldest;
  {
    std::shared_lock guard(mutex);
    for (const auto& [uid, x] : by_uid)
      if (x->is_open() && (!oldest || x->used() < oldest->used()))
        oldest = x;
  }
  if (oldest)
    oldest->close_soon();
}

std::vector<std::shared_ptr<topic_host>> topic_registry::parts::closed_to_look_at() {
  std::vector<std::shared_ptr<topic_host>> out;
  std::unique_lock guard(mutex);
  auto at = by_uid.upper_bound(looked_at);
  for (std::size_t i = 0; i < by_uid.size() && out.size() < closed_looks; ++i, ++at) {
    if (at == by_uid.end())
      at = by_uid.begin();
    if (!at->second->is_open())
      out.push_back(at->second);
    looked_at = at->first;
  }
  return out;
}

void topic_registry::parts::look() {
  for (const auto& x : all())
    if (x->is_open())
      static_cast<void>(x->retain()); // tried again by the next look
  for (const auto& x : closed_to_look_at())
    if (x->overdue())
      static_cast<void>(x->retain());
}

void topic_registry::parts::add_samples(metrics_registry& to,
                                        const std::shared_ptr<parts>& self) const {
  const auto sample = [of = weak(self)](auto value) {
    return [of, value] {
      metrics_registry::samples out;
      if (const auto here = of.lock())
        for (const auto& x : here->all())
          if (const auto now = x->known()) {
            const auto what = x->settings();
            out.push_back({{{"namespace", what->name_space}, {"topic", what->name}}, value(*now)});
          }
      return out;
    };
  };
  to.sample_gauge("ebb_topic_bytes", "Bytes of a topic's log on disk, of topics that were used.",
                  sample([](const topic_usage& x) { return static_cast<double>(x.size.bytes); }));
  to.sample_gauge("ebb_topic_rows", "Rows that a topic holds, of topics that were used.",
                  sample([](const topic_usage& x) {
                    double rows = 0;
                    for (const auto& p : x.bounds)
                      rows += static_cast<double>(p.end - p.begin);
                    return rows;
                  }));
  to.sample_gauge("ebb_topic_quota_bytes", "Bytes that a topic may hold, of topics with a quota.",
                  [of = weak(self)] {
                    metrics_registry::samples out;
                    if (const auto here = of.lock())
                      for (const auto& x : here->all())
                        if (const auto what = x->settings(); what->quota_bytes != 0)
                          out.push_back(
                              {{{"namespace", what->name_space}, {"topic", what->name}},
                               static_cast<double>(what->quota_bytes)});
                    return out;
                  });
  to.sample_gauge("ebb_topic_logs_open", "Topics whose logs are open.", [of = weak(self)] {
    const auto here = of.lock();
    return metrics_registry::samples{
        {{}, here ? static_cast<double>(here->around->open_logs.load()) : 0}};
  });
}

topic_registry::topic_registry(std::shared_ptr<parts> made) : parts_(std::move(made)) {}

result<std::unique_ptr<topic_registry>> topic_registry::open(topic_registry_options options,
                                                             io_executor& io,
                                                             std::function<micros()> clock,
                                                             metrics_registry& metrics) {
  EBB_TRY(make_folder(options.data_folder + "/topics"));
  auto made = std::make_shared<parts>();
  made->around = std::make_shared<topic_surroundings>(std::move(options), io, std::move(clock),
                                                      topic_metrics(metrics));
  made->lane = io.open_lane();
  made->add_samples(metrics, made);
  made->around->opened = [of = weak(made)] {
    const auto here = of.lock();
    if (here && here->around->open_logs > here->around->options.open_logs)
      here->close_longest_unused();
  };
  auto registry = std::unique_ptr<topic_registry>{new topic_registry{made}};
  registry->look_later();
  return registry;
}

topic_registry::~topic_registry() {
  parts_->around->timer.stop();
  const auto why = make_error(ec::cancelled, "the service stops", "send it again to its successor");
  for (const auto& x : parts_->all())
    static_cast<void>(x->end(why, false));
  parts_->around->hooks.close();
}

void topic_registry::look_later() {
  const auto wait = std::chrono::microseconds(parts_->around->options.retention_time);
  parts_->around->timer.at(deadline_timer::clock::now() + wait, [this, of = weak(parts_)] {
    const auto here = of.lock();
    if (!here)
      return;
    here->around->io.submit(here->lane, [of] {
      if (const auto still = of.lock())
        still->look();
    });
    look_later(); // the timer stops before the registry goes
  });
}

result<void> topic_registry::put(topic_settings settings) {
  std::unique_lock guard(parts_->mutex);
  const auto key = full_name(settings.name_space, settings.name);
  const auto known = parts_->by_uid.find(settings.uid);
  const auto named = parts_->by_name.find(key);
  if (named != parts_->by_name.end() && named->second->uid() != settings.uid)
    return make_error(ec::conflict, "topic \"" + settings.name + "\" exists already",
                      "delete it first, or choose another name");
  if (known == parts_->by_uid.end()) {
    const auto uid = settings.uid;
    auto made = std::make_shared<topic_host>(std::move(settings), parts_->around);
    parts_->by_name.emplace(key, made);
    parts_->by_uid.emplace(uid, std::move(made));
    return {};
  }
  const auto before = known->second->settings();
  if (before->columns != settings.columns || before->key != settings.key
      || before->partitions != settings.partitions || before->name_space != settings.name_space
      || before->changes != settings.changes || before->primary_key != settings.primary_key)
    return make_error(ec::conflict,
                      "columns, key and partitions of topic \"" + before->name
                          + "\" are fixed for its life",
                      "delete the topic and create it anew; its messages go with it");
  if (named == parts_->by_name.end()) {
    parts_->by_name.erase(full_name(before->name_space, before->name));
    parts_->by_name.emplace(key, known->second);
  }
  known->second->set(std::move(settings));
  return {};
}

result<void> topic_registry::remove(const std::string& uid) {
  std::shared_ptr<topic_host> gone;
  {
    std::unique_lock guard(parts_->mutex);
    const auto at = parts_->by_uid.find(uid);
    if (at == parts_->by_uid.end())
      return {};
    gone = std::move(at->second);
    parts_->by_uid.erase(at);
    const auto what = gone->settings();
    parts_->by_name.erase(full_name(what->name_space, what->name));
  }
  return gone->end(make_error(ec::not_found, "topic \"" + gone->settings()->name + "\" was deleted",
                              "create it anew if it is still needed"),
                   true);
}

std::shared_ptr<topic_host> topic_registry::host(std::string_view uid) const {
  std::shared_lock guard(parts_->mutex);
  const auto at = parts_->by_uid.find(uid);
  return at == parts_->by_uid.end() ? nullptr : at->second;
}

std::shared_ptr<topic_host> topic_registry::host(std::string_view name_space,
                                                 std::string_view name) const {
  std::shared_lock guard(parts_->mutex);
  const auto at = parts_->by_name.find(full_name(name_space, name));
  return at == parts_->by_name.end() ? nullptr : at->second;
}

std::optional<topic_settings> topic_registry::find(std::string_view name_space,
                                                   std::string_view name) const {
  const auto x = host(name_space, name);
  return x ? std::optional(*x->settings()) : std::nullopt;
}

std::optional<topic_settings> topic_registry::find_uid(std::string_view uid) const {
  const auto x = host(uid);
  return x ? std::optional(*x->settings()) : std::nullopt;
}

std::size_t topic_registry::count() const {
  std::shared_lock guard(parts_->mutex);
  return parts_->by_uid.size();
}

std::string topic_registry::folder(const std::string& uid) const {
  return parts_->around->options.data_folder + "/topics/" + uid;
}

std::size_t topic_registry::open_logs() const {
  return parts_->around->open_logs;
}

result<std::vector<topic_bounds>> topic_registry::bounds(const std::string& uid) {
  const auto x = host(uid);
  if (!x)
    return no_topic(uid);
  return x->bounds();
}

result<topic_usage> topic_registry::usage(const std::string& uid) {
  const auto x = host(uid);
  if (!x)
    return no_topic(uid);
  return x->usage();
}

void topic_registry::append(const std::string& uid, topic_append request,
                            std::function<void(append_answer)> answer) {
  const auto x = host(uid);
  if (x)
    return x->append(std::move(request), std::move(answer));
  append_answer refused;
  refused.problem = no_topic(uid);
  answer(std::move(refused));
}

result<void> topic_registry::append_file(const std::string& uid, const std::string& path,
                                         const sink_mark& mark) {
  const auto x = host(uid);
  if (!x)
    return no_topic(uid);
  EBB_ASSIGN(const auto known, x->mark(mark.sink));
  return append_topic_output(
      path, mark, known, [&](topic_append request) { return x->append_now(std::move(request)); });
}

std::shared_ptr<void> topic_registry::watch(const std::string& uid, std::function<void()> moved) {
  const auto x = host(uid);
  return x ? x->watch(std::move(moved)) : nullptr;
}

result<std::optional<sink_mark>> topic_registry::mark(const std::string& uid,
                                                      std::string_view sink) {
  const auto x = host(uid);
  if (!x)
    return no_topic(uid);
  return x->mark(sink);
}

result<void> topic_registry::forget_marks(const std::string& uid, std::string_view prefix) {
  const auto x = host(uid);
  if (!x)
    return no_topic(uid);
  return x->forget_marks(prefix);
}

result<topic_slice> topic_registry::read(const std::string& uid, std::uint32_t partition,
                                         std::uint64_t offset, const topic_read_limits& limits) {
  const auto x = host(uid);
  if (!x)
    return no_topic(uid);
  return x->read(partition, offset, limits);
}

result<retention_outcome> topic_registry::retain(const std::string& uid) {
  const auto x = host(uid);
  if (!x)
    return no_topic(uid);
  return x->retain();
}

// --- topics of one namespace ---------------------------------------------------------------------

namespace {

class local_topics final : public topic_access {
public:
  local_topics(topic_registry& of, std::string name_space)
      : of_(of), name_space_(std::move(name_space)) {}

  result<topic_info> find(const std::string& name) override {
    auto what = of_.find(name_space_, name);
    if (!what)
      return no_topic(name);
    return topic_info{what->uid,
                      what->name,
                      of_.folder(what->uid),
                      what->partitions,
                      std::move(what->columns),
                      std::move(what->key),
                      what->changes,
                      std::move(what->primary_key)};
  }

  std::shared_ptr<void> watch(const std::string& uid, std::function<void()> moved) override {
    return of_.watch(uid, std::move(moved));
  }

  void append(const std::string& uid, topic_append request,
              std::function<void(append_answer)> answer) override {
    of_.append(uid, std::move(request), std::move(answer));
  }

  result<void> append_file(const std::string& uid, const std::string& path,
                           const sink_mark& mark) override {
    return of_.append_file(uid, path, mark);
  }

private:
  topic_registry& of_;
  const std::string name_space_;
};

} // namespace

std::unique_ptr<topic_access> topic_registry::access(std::string name_space) {
  return std::make_unique<local_topics>(*this, std::move(name_space));
}

} // namespace ebb
