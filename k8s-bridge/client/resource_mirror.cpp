#include "k8s-bridge/client/resource_mirror.hpp"

#include <utility>

namespace ebb {

namespace {

/// Between two watches, so that one that is closed at once costs little.
constexpr micros least_watch = micros_per_second;
constexpr micros watch_grace = 20 * micros_per_second;
constexpr int gone = 410;

} // namespace

std::string kube_object::key() const {
  return name_space + '/' + name;
}

result<kube_object> read_kube_object(const kube_json& from) {
  kube_object x;
  x.name_space = text_at(from, {"metadata", "namespace"});
  x.name = text_at(from, {"metadata", "name"});
  x.uid = text_at(from, {"metadata", "uid"});
  x.version = text_at(from, {"metadata", "resourceVersion"});
  if (x.name.empty() || x.uid.empty())
    return make_error(ec::corrupt, "the API server gives an object without name or uid");
  auto body = from;
  body["metadata"].erase("managedFields");
  x.body = body.dump(-1, ' ', false, kube_json::error_handler_t::replace);
  return x;
}

resource_mirror::resource_mirror(kube_calls& calls, mirror_options options, mirror_events events)
    : calls_(calls), options_(std::move(options)), events_(std::move(events)),
      pauses_(options_.pauses) {}

resource_mirror::~resource_mirror() {
  *here_ = false;
}

void resource_mirror::start() {
  list();
}

const kube_object* resource_mirror::find(const std::string& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : &found->second;
}

std::string resource_mirror::query(const std::string& more) const {
  return options_.path + '?' + options_.query + (options_.query.empty() ? "" : "&") + more;
}

void resource_mirror::list() {
  listing_.clear();
  list_page({});
}

void resource_mirror::list_page(const std::string& token) {
  auto more = "limit=" + std::to_string(options_.page);
  if (!token.empty())
    more += "&continue=" + url_text(token);
  calls_.get("list " + options_.what, query(more), [this, here = here_](const kube_answer& x) {
    if (*here)
      listed(x);
  });
}

void resource_mirror::listed(const kube_answer& answer) {
  if (!answer.ok())
    return again(&resource_mirror::list, &*answer.problem);
  if (const auto* items = member(answer.body, {"items"}); items != nullptr && items->is_array())
    for (const auto& item : *items)
      if (auto read = read_kube_object(item)) {
        auto key = read->key();
        listing_.insert_or_assign(std::move(key), *std::move(read));
      }
  const auto token = text_at(answer.body, {"metadata", "continue"});
  if (!token.empty())
    return list_page(token);
  end_list(text_at(answer.body, {"metadata", "resourceVersion"}));
}

void resource_mirror::end_list(const std::string& version) {
  version_ = version;
  expired_ = false;
  auto listed = std::exchange(listing_, {});
  std::vector<std::string> missing;
  for (const auto& [key, x] : objects_)
    if (!listed.contains(key))
      missing.push_back(key);
  for (const auto& key : missing)
    drop(key);
  for (auto& [key, x] : listed)
    put(std::move(x));
  if (!std::exchange(synced_, true) && events_.synced)
    events_.synced();
  if (std::exchange(failing_, false) && events_.problem)
    events_.problem(nullptr);
  watch();
}

void resource_mirror::put(kube_object x) {
  const auto key = x.key();
  const auto found = objects_.find(key);
  if (found != objects_.end()) {
    if (found->second.uid == x.uid && found->second.version == x.version)
      return;
    if (found->second.uid != x.uid)
      drop(key);
  }
  const auto& now = objects_.insert_or_assign(key, std::move(x)).first->second;
  if (events_.changed)
    events_.changed(key, &now);
}

void resource_mirror::drop(const std::string& key) {
  if (objects_.erase(key) != 0 && events_.changed)
    events_.changed(key, nullptr);
}

void resource_mirror::watch() {
  auto& world = calls_.world();
  const auto lasts =
      options_.watch_for
      + static_cast<micros>(static_cast<double>(options_.watch_for) * world.chance());
  lines_.emplace(options_.most_line);
  stream_problem_.reset();
  moved_ = false;
  watch_since_ = world.now();
  kube_request x;
  x.path = query("watch=true&allowWatchBookmarks=true&resourceVersion=" + url_text(version_)
                 + "&timeoutSeconds=" + std::to_string(lasts / micros_per_second));
  x.timeout = lasts + watch_grace;
  calls_.watch(
      std::move(x),
      [this, here = here_](std::string_view piece) {
        return *here
               && lines_->add(piece, [this](std::string_view line) { return take_line(line); });
      },
      "watch " + options_.what,
      [this, here = here_](const kube_answer& answer) {
        if (*here)
          watch_ended(answer);
      });
}

bool resource_mirror::take_line(std::string_view line) {
  const auto event = parse_kube_json(line);
  // Half a line before the end of the stream is none.
  if (!event)
    return false;
  const auto type = text_at(*event, {"type"});
  const auto* object = member(*event, {"object"});
  if (object == nullptr)
    return false;
  if (type == "ERROR") {
    expired_ |= number_at(*object, {"code"}) == gone || text_at(*object, {"reason"}) == "Expired"
                || text_at(*object, {"reason"}) == "Gone";
    stream_problem_ = status_error("watch " + options_.what, *object);
    return false;
  }
  if (auto version = text_at(*object, {"metadata", "resourceVersion"}); !version.empty())
    version_ = std::move(version);
  moved_ = true;
  if (type == "BOOKMARK")
    return true;
  auto read = read_kube_object(*object);
  if (!read)
    return true;
  if (type == "DELETED") {
    if (const auto* known = find(read->key()); known != nullptr && known->uid == read->uid)
      drop(read->key());
  } else {
    put(*std::move(read));
  }
  return true;
}

void resource_mirror::watch_ended(const kube_answer& answer) {
  if (answer.status == gone)
    expired_ = true;
  if (expired_)
    return again(&resource_mirror::list, nullptr);
  if (stream_problem_)
    return again(&resource_mirror::watch, &*stream_problem_);
  // A version that is unknown to the server is answered with 400: what it knows is listed.
  if (answer.status >= 400 && answer.status < 500 && answer.status != 429)
    return again(&resource_mirror::list, &*answer.problem);
  // A connection that breaks is as good an end as the server's own, if it had told something.
  if (answer.status == 0 && !moved_)
    return again(&resource_mirror::watch, &*answer.problem);
  again(&resource_mirror::watch,
        answer.status == 200 || answer.status == 0 ? nullptr : &*answer.problem);
}

void resource_mirror::again(void (resource_mirror::*step)(), const error* why) {
  auto& world = calls_.world();
  if (why == nullptr && !expired_)
    pauses_.reset();
  const bool told = why != nullptr && !std::exchange(failing_, true);
  if (told && events_.problem)
    events_.problem(why);
  if (why == nullptr && failing_ && step == &resource_mirror::watch) {
    failing_ = false;
    if (events_.problem)
      events_.problem(nullptr);
  }
  micros pause = 0;
  if (why != nullptr || expired_)
    pause = pauses_.next(world.chance());
  pause = std::max(pause, watch_since_ + least_watch - world.now());
  world.call_after(std::max<micros>(pause, 0), [this, here = here_, step] {
    if (*here)
      (this->*step)();
  });
}

} // namespace ebb
