#include "tests/service/worker/scripted_control.hpp"

#include "tests/support/rows.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <poll.h>
#include <sstream>

namespace ebb::test {

namespace {

micros wall_time() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

template <class T>
T value(result<T> x) {
  if (!x)
    BOOST_FAIL(to_string(x.error()));
  return *std::move(x);
}

std::string ebb_binary() {
  const auto* told = std::getenv("EBB_BINARY");
  return told != nullptr ? told : "build/tools/ebb";
}

} // namespace

scripted_control::scripted_control() {
  char name[] = "/tmp/ebb-worker-XXXXXX";
  BOOST_REQUIRE(::mkdtemp(name) != nullptr);
  folder_ = name;
  std::filesystem::create_directories(folder_ + "/data/topics");
  std::filesystem::create_directories(folder_ + "/files");
  database_.emplace(value(control_db::open(folder_ + "/data")));
  topic_registry_options options;
  options.data_folder = folder_ + "/data";
  topics_ = value(topic_registry::open(std::move(options), io_, wall_time, metrics_));
  loop_ = value(link_loop::start());
}

scripted_control::~scripted_control() {
  go();
  for (const auto& [pid, x] : workers_) {
    x.send(SIGKILL);
    static_cast<void>(x.reap());
  }
  loop_.reset();
  topics_.reset();
  database_.reset();
  std::filesystem::remove_all(folder_);
}

void scripted_control::come(std::uint64_t number) {
  {
    std::lock_guard guard(mutex_);
    incarnation_ = number;
    desk_ = std::make_shared<call_desk>();
  }
  server_ = value(link_server::listen(*loop_, folder_ + "/control.sock",
                                      [this](const link_pointer& x) { return accept(x); }));
}

void scripted_control::go() {
  server_.reset();
  {
    std::lock_guard guard(mutex_);
    desk_.reset();
  }
  cut_links();
}

void scripted_control::cut_links() {
  std::vector<link_pointer> links;
  {
    std::lock_guard guard(mutex_);
    links = std::exchange(links_, {});
    last_.reset();
  }
  for (const auto& x : links)
    x->close(make_error(ec::io, "cut by the test"));
}

std::int64_t scripted_control::start_worker(const std::string& name,
                                            const std::string& orphan_timeout) {
  const auto path = folder_ + "/" + name + ".log";
  const owned_file out(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), path);
  auto made =
      value(child_process::spawn(ebb_binary(),
                                 {"ebb", "worker", "--control", folder_ + "/control.sock", "--name",
                                  name, "--orphan-timeout", orphan_timeout, "--threads", "2"},
                                 out));
  const auto pid = made.pid();
  workers_.emplace(pid, std::move(made));
  return pid;
}

void scripted_control::signal(std::int64_t pid, int number) {
  workers_.at(pid).send(number);
}

worker_exit scripted_control::wait_for_exit(std::int64_t pid) {
  const auto found = workers_.find(pid);
  BOOST_REQUIRE(found != workers_.end());
  pollfd watched{found->second.descriptor(), POLLIN, 0};
  BOOST_REQUIRE_EQUAL(::poll(&watched, 1, 40'000), 1);
  const auto how = found->second.reap();
  workers_.erase(found);
  return how;
}

std::string scripted_control::log(const std::string& name) const {
  std::ifstream in(folder_ + "/" + name + ".log");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void scripted_control::send(const link_message& x) {
  link_pointer link;
  {
    std::lock_guard guard(mutex_);
    link = last_;
  }
  BOOST_REQUIRE(link);
  BOOST_REQUIRE(link->send(x));
}

std::string scripted_control::make_stream(const std::string& name) {
  std::lock_guard guard(database_mutex_);
  stream_entry wanted;
  wanted.uid = value(random_uid());
  wanted.name = name;
  return value(database_->open_or_create(wanted)).uid;
}

void scripted_control::allow(const std::string& uid, std::uint64_t placement) {
  std::lock_guard guard(mutex_);
  allowed_[uid] = placement;
}

std::optional<checkpoint_record> scripted_control::newest_record(const std::string& uid) {
  std::lock_guard guard(database_mutex_);
  return value(database_->newest_record(uid));
}

void scripted_control::make_topic(const std::string& name, std::uint32_t partitions) {
  topic_settings x;
  x.uid = "0123456789abcdef-" + name;
  x.name = name;
  x.columns.push_back({"id", sql_type{type_kind::bigint}});
  x.partitions = partitions;
  BOOST_REQUIRE(topics_->put(std::move(x)));
}

void scripted_control::add_rows(const std::string& topic, std::uint32_t partition,
                                std::int64_t first, std::uint32_t count) {
  const auto found = topics_->find("default", topic);
  BOOST_REQUIRE(found);
  std::promise<append_answer> answered;
  topic_append request;
  request.parts.push_back({row_range(first, count), {partition}});
  topics_->append(found->uid, std::move(request),
                  [&](append_answer x) { answered.set_value(std::move(x)); });
  const auto answer = answered.get_future().get();
  BOOST_REQUIRE_MESSAGE(answer.status == append_status::appended, answer.problem.message);
}

std::vector<std::int64_t> scripted_control::rows_of_topic(const std::string& topic,
                                                          std::uint32_t partition) {
  const auto found = topics_->find("default", topic);
  BOOST_REQUIRE(found);
  std::vector<std::int64_t> all;
  for (std::uint64_t at = 0;;) {
    const auto slice = value(topics_->read(found->uid, partition, at, {}));
    if (slice.batches.empty())
      return all;
    for (const auto& x : slice.batches) {
      const auto some = values_of(*x.rows);
      all.insert(all.end(), some.begin(), some.end());
    }
    at = slice.next;
  }
}

void scripted_control::forget() {
  std::lock_guard guard(mutex_);
  heard_.clear();
}

link_handlers scripted_control::accept(const link_pointer& link) {
  {
    std::lock_guard guard(mutex_);
    links_.push_back(link);
  }
  auto one = std::make_shared<connection>();
  return {
      [this, one](const link_pointer& from, link_message&& x) { take(from, *one, std::move(x)); },
      [one](const link_pointer&, const error&) { one->watches.clear(); }};
}

void scripted_control::take(const link_pointer& link, connection& one, link_message&& x) {
  if (auto* call = std::get_if<link_call>(&x)) {
    carry_out(link, one.session, std::move(*call));
    return;
  }
  if (const auto* watch = std::get_if<topic_watch>(&x)) {
    if (watch->on)
      one.watches[watch->uid] =
          topics_->watch(watch->uid, [weak = std::weak_ptr(link), uid = watch->uid] {
            if (const auto open = weak.lock())
              static_cast<void>(open->send(topic_moved{uid}));
          });
    else
      one.watches.erase(watch->uid);
  }
  if (const auto* hello = std::get_if<worker_hello>(&x)) {
    one.session = hello->session;
    greet(link, *hello);
  }
  std::lock_guard guard(mutex_);
  heard_.push_back(std::move(x));
  changed_.notify_all();
}

void scripted_control::greet(const link_pointer& link, const worker_hello& x) {
  control_welcome welcome;
  std::lock_guard guard(mutex_);
  welcome.incarnation = incarnation_;
  for (const auto& y : x.hosted)
    if (allowed_[y.uid] == y.placement)
      welcome.accepted.push_back({y.uid, y.placement});
    else
      welcome.refused.push_back({y.uid, y.placement, "another start has taken its place"});
  last_ = link;
  static_cast<void>(link->send(welcome));
}

void scripted_control::carry_out(const link_pointer& link, std::uint64_t session,
                                 link_call&& call) {
  std::shared_ptr<call_desk> desk;
  std::uint64_t lane = 0;
  {
    std::lock_guard guard(mutex_);
    desk = desk_;
    const auto [found, fresh] = lanes_.try_emplace(call.uid, 0);
    if (fresh)
      found->second = io_.open_lane();
    lane = found->second;
  }
  if (!desk || !desk->arrived(session, link, call))
    return;
  io_.submit(lane, [this, desk, session, call = std::move(call)] {
    desk->done(session, call.id, answer(call));
  });
}

call_outcome scripted_control::answer(const link_call& call) {
  {
    std::lock_guard guard(mutex_);
    if (allowed_[call.uid] != call.placement)
      return make_error(ec::conflict, "this start of the stream has been replaced");
  }
  if (const auto* find = std::get_if<topic_find_call>(&call.operation)) {
    const auto found = topics_->find("default", find->name);
    if (!found)
      return make_error(ec::not_found, "there is no topic named " + find->name);
    // The worker reads the log's files: they must be there.
    EBB_TRY(topics_->mark(found->uid, "-"));
    return call_value(link_topic{found->uid, found->name, topics_->folder(found->uid),
                                 found->partitions, found->columns, found->key, found->changes,
                                 found->primary_key});
  }
  if (const auto* file = std::get_if<topic_append_file_call>(&call.operation)) {
    EBB_TRY(topics_->append_file(file->topic, file->path,
                                 {file->mark.sink, file->mark.generation, file->mark.epoch}));
    return call_value{};
  }
  if (!is_ledger_call(call.operation))
    return make_error(ec::unsupported, "the test does not answer this");
  std::lock_guard guard(database_mutex_);
  return answer_ledger_call(*database_, call.operation);
}

} // namespace ebb::test
