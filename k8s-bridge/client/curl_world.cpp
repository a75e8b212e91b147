#include "k8s-bridge/client/curl_world.hpp"

#include "actors/runtime/blocked_signals.hpp"
#include "k8s-bridge/client/curl_library.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace ebb {

namespace {

constexpr long connect_seconds = 5;
constexpr int longest_wait = 60'000; // milliseconds
constexpr long keepalive_seconds = 15;
constexpr long most_connections = 6;

micros monotone() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

micros wall() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

curl_blob blob_of(std::string& text) {
  // The text outlives the exchange: nothing is copied.
  return {text.data(), text.size(), CURL_BLOB_NOCOPY};
}

} // namespace

class curl_world::parts {
public:
  parts(const curl_library& curl, kube_access access)
      : curl_(curl), access_(std::move(access)), random_(std::random_device()()) {}

  ~parts() {
    {
      std::lock_guard guard(mutex_);
      ending_ = true;
    }
    if (multi_ != nullptr)
      curl_.multi_wakeup(multi_);
    if (thread_.joinable())
      thread_.join();
    for (auto& [handle, x] : exchanges_)
      drop(handle, *x);
    exchanges_.clear();
    if (multi_ != nullptr)
      curl_.multi_cleanup(multi_);
  }

  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  result<void> run() {
    multi_ = curl_.multi_init();
    if (multi_ == nullptr)
      return make_error(ec::resource, "libcurl does not start");
    curl_.multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, most_connections);
    try {
      const blocked_signals guard;
      thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "ebb-kube");
        loop();
      });
    } catch (const std::system_error& x) {
      return make_error(ec::resource, std::string("cannot start a thread: ") + x.what());
    }
    return {};
  }

  void post(std::function<void()> what) {
    {
      std::lock_guard guard(mutex_);
      posted_.push_back(std::move(what));
    }
    curl_.multi_wakeup(multi_);
  }

  void call_after(micros delay, std::function<void()> call) {
    timers_.emplace(monotone() + std::max<micros>(delay, 0), std::move(call));
  }

  double chance() {
    return std::uniform_real_distribution<double>(0, 1)(random_);
  }

  void begin(kube_request request, data_function data, done_function done) {
    auto x = std::make_unique<exchange>();
    x->world = this;
    x->request = std::move(request);
    x->data = std::move(data);
    x->done = std::move(done);
    // libcurl takes no request while it calls us: with rows of a watch.
    if (performing_)
      late_.push_back(std::move(x));
    else
      begin(std::move(x));
  }

private:
  struct exchange {
    parts* world = nullptr;
    kube_request request;
    data_function data; ///< null: the body is gathered
    done_function done;
    std::string url;
    std::string authority;
    std::string certificate;
    std::string key;
    std::string token;     ///< that it was sent with
    bool repeated = false; ///< with another one
    CURL* handle = nullptr;
    curl_slist* headers = nullptr;
    kube_response got;
    std::array<char, CURL_ERROR_SIZE> text{};
    bool too_large = false;
    bool cancelled = false;
  };

  void begin(std::unique_ptr<exchange> x) {
    if (auto begun = open(*x); !begun)
      call_after(0, [done = std::move(x->done), why = begun.error()] { done(why); });
    else
      exchanges_.emplace(x->handle, std::move(x));
  }

  void perform() {
    int running = 0;
    performing_ = true;
    curl_.multi_perform(multi_, &running);
    performing_ = false;
    auto late = std::exchange(late_, {});
    for (auto& x : late)
      begin(std::move(x));
  }

  template <class Value>
  void set(exchange& x, CURLoption what, Value value) {
    curl_.easy_setopt(x.handle, what, value);
  }

  void header(exchange& x, const std::string& line) {
    if (auto* longer = curl_.slist_append(x.headers, line.c_str()))
      x.headers = longer;
  }

  result<void> authenticate(exchange& x) {
    const auto now = wall();
    if (!credentials_ || now >= credentials_->expires) {
      auto read = read_kube_credentials(access_, now);
      // A token that cannot be read just now may do for a while.
      if (read)
        credentials_ = *std::move(read);
      else if (!credentials_)
        return read.error();
    }
    x.token = credentials_->token;
    if (!credentials_->token.empty())
      header(x, "Authorization: Bearer " + credentials_->token);
    else if (!access_.user.empty())
      set(x, CURLOPT_USERPWD, access_.user.c_str());
    x.certificate = credentials_->certificate;
    x.key = credentials_->key;
    if (!x.certificate.empty()) {
      auto certificate = blob_of(x.certificate);
      auto key = blob_of(x.key);
      set(x, CURLOPT_SSLCERT_BLOB, &certificate);
      set(x, CURLOPT_SSLKEY_BLOB, &key);
    }
    return {};
  }

  result<void> open(exchange& x) {
    x.handle = curl_.easy_init();
    if (x.handle == nullptr)
      return make_error(ec::resource, "libcurl has no room for a request");
    auto prepared = prepare(x);
    if (prepared && curl_.multi_add_handle(multi_, x.handle) != CURLM_OK)
      prepared = make_error(ec::resource, "libcurl has no room for a request");
    if (!prepared) {
      curl_.easy_cleanup(x.handle);
      curl_.slist_free_all(x.headers);
    }
    return prepared;
  }

  result<void> prepare(exchange& x) {
    x.url = access_.server + x.request.path;
    set(x, CURLOPT_URL, x.url.c_str());
    set(x, CURLOPT_PRIVATE, &x);
    set(x, CURLOPT_ERRORBUFFER, x.text.data());
    set(x, CURLOPT_NOSIGNAL, 1L);
    set(x, CURLOPT_PROTOCOLS_STR, "http,https");
    set(x, CURLOPT_FOLLOWLOCATION, 0L);
    set(x, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(x, CURLOPT_CONNECTTIMEOUT, connect_seconds);
    set(x, CURLOPT_TIMEOUT_MS, static_cast<long>(x.request.timeout / 1000));
    set(x, CURLOPT_TCP_KEEPALIVE, 1L);
    set(x, CURLOPT_TCP_KEEPIDLE, keepalive_seconds);
    set(x, CURLOPT_TCP_KEEPINTVL, keepalive_seconds);
    set(x, CURLOPT_BUFFERSIZE, 16L << 10);
    set(x, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!access_.authority.empty()) {
      x.authority = access_.authority;
      auto authority = blob_of(x.authority);
      set(x, CURLOPT_CAINFO_BLOB, &authority);
    }
    if (access_.insecure) {
      set(x, CURLOPT_SSL_VERIFYPEER, 0L);
      set(x, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!access_.proxy.empty())
      set(x, CURLOPT_PROXY, access_.proxy.c_str());
    else if (access_.in_cluster)
      set(x, CURLOPT_PROXY, "");
    set(x, CURLOPT_CUSTOMREQUEST, x.request.method.c_str());
    if (x.request.method != "GET") {
      set(x, CURLOPT_POSTFIELDSIZE, static_cast<long>(x.request.body.size()));
      set(x, CURLOPT_POSTFIELDS, x.request.body.c_str());
      header(x, "Content-Type: " + x.request.content_type);
      header(x, "Expect:");
    }
    header(x, "Accept: application/json");
    EBB_TRY(authenticate(x));
    set(x, CURLOPT_HTTPHEADER, x.headers);
    set(x, CURLOPT_USERAGENT, "ebb");
    set(x, CURLOPT_WRITEFUNCTION, &on_body);
    set(x, CURLOPT_WRITEDATA, &x);
    set(x, CURLOPT_HEADERFUNCTION, &on_header);
    set(x, CURLOPT_HEADERDATA, &x);
    return {};
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* to) {
    auto& x = *static_cast<exchange*>(to);
    const std::string_view piece(data, size * count);
    long status = 0;
    x.world->curl_.easy_getinfo(x.handle, CURLINFO_RESPONSE_CODE, &status);
    constexpr long fine = 200;
    if (x.data && status == fine) {
      if (x.data(piece))
        return piece.size();
      x.cancelled = true;
      return 0;
    }
    if (x.got.body.size() + piece.size() > x.request.most_bytes) {
      x.too_large = true;
      return 0;
    }
    x.got.body += piece;
    return piece.size();
  }

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* to) {
    auto& x = *static_cast<exchange*>(to);
    std::string line(data, size * count);
    std::transform(line.begin(), line.end(), line.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    constexpr std::string_view name = "retry-after:";
    if (line.starts_with(name)) {
      auto value = std::string_view(line).substr(name.size());
      while (!value.empty() && value.front() == ' ')
        value.remove_prefix(1);
      std::uint32_t seconds = 0;
      std::from_chars(value.data(), value.data() + value.size(), seconds);
      constexpr std::uint32_t most = 120;
      x.got.retry_after = std::min(seconds, most) * micros_per_second;
    }
    return size * count;
  }

  void loop() {
    while (true) {
      std::deque<std::function<void()>> posted;
      {
        std::lock_guard guard(mutex_);
        if (ending_)
          return;
        posted.swap(posted_);
      }
      for (const auto& x : posted)
        x();
      const auto now = monotone();
      while (!timers_.empty() && timers_.begin()->first <= now) {
        const auto call = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        call();
      }
      perform();
      take_ended();
      int wait = longest_wait;
      if (!timers_.empty())
        wait = static_cast<int>(std::clamp<micros>(
            (timers_.begin()->first - monotone() + 999) / 1000, 0, longest_wait));
      curl_.multi_poll(multi_, nullptr, 0, wait, nullptr);
    }
  }

  void take_ended() {
    int left = 0;
    while (auto* message = curl_.multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE)
        continue;
      const auto found = exchanges_.find(message->easy_handle);
      if (found == exchanges_.end())
        continue;
      const auto how = message->data.result;
      auto x = std::move(found->second);
      exchanges_.erase(found);
      long status = 0;
      curl_.easy_getinfo(x->handle, CURLINFO_RESPONSE_CODE, &status);
      x->got.status = static_cast<int>(status);
      auto got = outcome(*x, how);
      drop(x->handle, *x);
      constexpr int unauthorized = 401;
      if (got && got->status == unauthorized) {
        credentials_.reset();
        if (has_another_token(*x)) {
          x->headers = nullptr;
          x->got = {};
          x->repeated = true;
          begin(std::move(x));
          continue;
        }
      }
      const auto done = std::move(x->done);
      done(std::move(got));
    }
  }

  /// The one that the request was refused with has ended, and the next one lies there already.
  bool has_another_token(const exchange& x) {
    if (x.repeated || access_.token_file.empty())
      return false;
    auto read = read_kube_credentials(access_, wall());
    if (!read || read->token == x.token)
      return false;
    credentials_ = *std::move(read);
    return true;
  }

  result<kube_response> outcome(exchange& x, CURLcode how) const {
    if (x.too_large)
      return make_error(ec::resource, "the API server's answer is larger than "
                                          + std::to_string(x.request.most_bytes) + " bytes");
    if (x.cancelled)
      return make_error(ec::cancelled, "the API server has said what cannot be understood");
    if (how != CURLE_OK)
      return make_error(ec::io,
                        x.text[0] != '\0' ? std::string(x.text.data()) : curl_.easy_strerror(how),
                        "check that " + access_.server + " can be reached");
    return std::move(x.got);
  }

  void drop(CURL* handle, exchange& x) {
    curl_.multi_remove_handle(multi_, handle);
    curl_.easy_cleanup(handle);
    curl_.slist_free_all(x.headers);
    x.headers = nullptr;
  }

  const curl_library& curl_;
  const kube_access access_;

  // Of the thread.
  CURLM* multi_ = nullptr;
  std::map<CURL*, std::unique_ptr<exchange>> exchanges_;
  bool performing_ = false;
  std::vector<std::unique_ptr<exchange>> late_; ///< wanted while it did
  std::multimap<micros, std::function<void()>> timers_;
  std::optional<kube_credentials> credentials_;
  std::minstd_rand random_;

  std::mutex mutex_; ///< guards what follows
  std::deque<std::function<void()>> posted_;
  bool ending_ = false;

  std::thread thread_;
};

curl_world::curl_world(std::unique_ptr<parts> made) : parts_(std::move(made)) {}

curl_world::~curl_world() = default;

result<std::unique_ptr<curl_world>> curl_world::start(kube_access access) {
  EBB_ASSIGN(const auto* curl, curl_library::load());
  auto made = std::make_unique<parts>(*curl, std::move(access));
  EBB_TRY(made->run());
  return std::unique_ptr<curl_world>(new curl_world(std::move(made)));
}

void curl_world::post(std::function<void()> what) {
  parts_->post(std::move(what));
}

void curl_world::send(kube_request request, done_function done) {
  parts_->begin(std::move(request), nullptr, std::move(done));
}

void curl_world::stream(kube_request request, data_function data, done_function done) {
  parts_->begin(std::move(request), std::move(data), std::move(done));
}

micros curl_world::now() const {
  return monotone();
}

micros curl_world::wall_time() const {
  return wall();
}

void curl_world::call_after(micros delay, std::function<void()> call) {
  parts_->call_after(delay, std::move(call));
}

double curl_world::chance() {
  return parts_->chance();
}

} // namespace ebb
