#include "k8s-bridge/client/kube_calls.hpp"

#include <utility>

namespace ebb {

namespace {

constexpr const char* json_type = "application/json";
constexpr const char* apply_type = "application/apply-patch+yaml";

kube_request carrying(const char* method, std::string path, const char* type,
                      const kube_json& body) {
  kube_request x;
  x.method = method;
  x.path = std::move(path);
  x.content_type = type;
  x.body = body.dump(-1, ' ', false, kube_json::error_handler_t::replace);
  return x;
}

} // namespace

kube_calls::kube_calls(kube_world& world, kube_call_limits limits)
    : world_(world), bucket_(limits.a_second, limits.burst) {}

kube_calls::~kube_calls() {
  *here_ = false;
}

void kube_calls::call(std::string what, kube_request request, answered done) {
  waiting_.push_back({std::move(what), std::move(request), std::move(done)});
  pump();
}

void kube_calls::pump() {
  while (!waiting_.empty() && !timer_) {
    if (const auto pause = bucket_.take(world_.now()); pause != 0) {
      timer_ = true;
      world_.call_after(pause, [this, here = here_] {
        if (!*here)
          return;
        timer_ = false;
        pump();
      });
      return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(next));
  }
}

void kube_calls::begin(waiting x) {
  ++count_;
  world_.send(std::move(x.request), [this, here = here_, what = std::move(x.what),
                                     done = std::move(x.done)](result<kube_response> got) {
    if (!*here)
      return;
    auto answer = read_answer(what, std::move(got));
    if (answer.status == 429 || answer.status == 503)
      bucket_.pause(world_.now() + std::max<micros>(answer.retry_after, 0));
    done(std::move(answer));
  });
}

void kube_calls::get(std::string what, std::string path, answered done) {
  kube_request x;
  x.path = std::move(path);
  call(std::move(what), std::move(x), std::move(done));
}

void kube_calls::create(std::string what, std::string path, const kube_json& object,
                        answered done) {
  call(std::move(what), carrying("POST", std::move(path), json_type, object), std::move(done));
}

void kube_calls::replace(std::string what, std::string path, const kube_json& object,
                         answered done) {
  call(std::move(what), carrying("PUT", std::move(path), json_type, object), std::move(done));
}

void kube_calls::apply(std::string what, const std::string& path, const kube_json& object,
                       answered done) {
  auto whole = path + "?fieldManager=" + kube_field_manager + "&force=true";
  call(std::move(what), carrying("PATCH", std::move(whole), apply_type, object), std::move(done));
}

void kube_calls::remove(std::string what, std::string path, const std::string& uid, int grace,
                        answered done) {
  kube_json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  options["preconditions"] = {{"uid", uid}};
  if (grace >= 0)
    options["gracePeriodSeconds"] = grace;
  call(std::move(what), carrying("DELETE", std::move(path), json_type, options), std::move(done));
}

void kube_calls::watch(kube_request request, kube_world::data_function data, std::string what,
                       answered done) {
  ++count_;
  world_.stream(
      std::move(request),
      [here = here_, data = std::move(data)](std::string_view piece) {
        return *here && data(piece);
      },
      [here = here_, what = std::move(what), done = std::move(done)](result<kube_response> got) {
        if (!*here)
          return;
        // A stream that has ended as it should has no body.
        if (got && got->status == 200) {
          kube_answer x;
          x.status = 200;
          return done(std::move(x));
        }
        done(read_answer(what, std::move(got)));
      });
}

std::string url_text(std::string_view text) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                       || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  return out;
}

} // namespace ebb
