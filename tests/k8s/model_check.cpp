// The same random calls to the model of an API server and to a real one: the same answers.
//
//     model_check KUBECONFIG [SEQUENCES [FIRST_SEED]]
//
// The real one has the kinds of deployments/crds and no controllers. Ends in `N sequences, M calls,
// K differ`.
#include "k8s-bridge/client/curl_world.hpp"
#include "k8s-bridge/client/kube_calls.hpp"
#include "tests/k8s/model_api.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace ebb::test {

namespace {

const std::string streams = "/apis/ebb.dev/v1alpha1/namespaces/default/streams";
const std::string pods = "/api/v1/namespaces/default/pods";
const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

/// One API server: calls one after the other.
class side {
public:
  virtual ~side() = default;
  virtual kube_response call(kube_request x) = 0;
};

class model_side final : public side {
public:
  kube_response call(kube_request x) override {
    kube_response got;
    api_.send(std::move(x), [&](result<kube_response> y) { got = y ? *y : kube_response{}; });
    api_.run_until(api_.now() + micros_per_second);
    return got;
  }

private:
  model_api api_{1};
};

class real_side final : public side {
public:
  explicit real_side(std::unique_ptr<curl_world> world) : world_(std::move(world)) {}

  kube_response call(kube_request x) override {
    std::promise<kube_response> got;
    world_->post([&] {
      world_->send(std::move(x), [&](result<kube_response> y) {
        if (!y)
          std::fprintf(stderr, "%s\n", to_string(y.error()).c_str());
        got.set_value(y ? *y : kube_response{});
      });
    });
    return got.get_future().get();
  }

private:
  std::unique_ptr<curl_world> world_;
};

/// What a side's answers were, with numbers for its own uids and versions.
class reader {
public:
  std::string read(const kube_response& from) {
    const auto body = kube_json::parse(from.body, nullptr, false);
    std::string text = std::to_string(from.status);
    if (body.is_discarded())
      return text + " no JSON";
    if (from.status >= 400)
      return text + ' ' + text_at(body, {"reason"}) + ' ' + text_at(body, {"details", "name"});
    if (const auto* items = member(body, {"items"}); items != nullptr && items->is_array()) {
      text += text_at(body, {"metadata", "continue"}).empty() ? " list" : " page";
      for (const auto& x : *items)
        text += ' ' + shown(x);
      return text;
    }
    // A deleted object may be answered with itself, or with a status.
    return text + ' ' + (text_at(body, {"kind"}) == "Status" ? "done" : shown(body));
  }

  /// The object's uid or version, as this side has it; empty where it has not told one.
  [[nodiscard]] std::string uid(const std::string& name) const {
    const auto found = seen_.find(name);
    return found == seen_.end() ? std::string() : found->second.uid;
  }

  [[nodiscard]] std::string version(const std::string& name) const {
    const auto found = seen_.find(name);
    return found == seen_.end() ? std::string() : found->second.version;
  }

  std::string next_page; ///< token of the last list

  void take_page(const kube_response& from) {
    const auto body = kube_json::parse(from.body, nullptr, false);
    next_page = body.is_discarded() ? std::string() : text_at(body, {"metadata", "continue"});
  }

private:
  struct known {
    std::string uid;
    std::string version;
    int uids = 0;
    int versions = 0;
  };

  std::string shown(const kube_json& x) {
    const auto name = text_at(x, {"metadata", "name"});
    auto& at = seen_[name];
    if (auto now = text_at(x, {"metadata", "uid"}); now != at.uid) {
      at.uid = std::move(now);
      ++at.uids;
    }
    if (auto now = text_at(x, {"metadata", "resourceVersion"}); now != at.version) {
      at.version = std::move(now);
      ++at.versions;
    }
    auto text = fmt::format("{} uid {} version {}", name, at.uids, at.versions);
    if (member(x, {"metadata", "deletionTimestamp"}) != nullptr)
      text += " deleting";
    if (const auto generation = number_at(x, {"metadata", "generation"});
        text_at(x, {"kind"}) == "Stream")
      text += " generation " + std::to_string(generation);
    if (const auto phase = text_at(x, {"status", "phase"}); !phase.empty())
      text += ' ' + phase;
    if (const auto number = number_at(x, {"spec", "leaseTransitions"}); number != 0)
      text += " number " + std::to_string(number);
    return text;
  }

  std::map<std::string, known> seen_;
};

kube_request request(const char* method, std::string path, const char* type,
                     const kube_json& body) {
  kube_request x;
  x.method = method;
  x.path = std::move(path);
  x.content_type = type;
  if (!body.is_null())
    x.body = body.dump();
  return x;
}

constexpr const char* json_type = "application/json";

/// One random call, made for a side by what that side has answered before.
struct step {
  std::uint32_t what = 0;
  std::string name;
  std::uint32_t chance = 0;
};

kube_json stream_of(const std::string& name) {
  kube_json x{{"apiVersion", "ebb.dev/v1alpha1"}, {"kind", "Stream"}};
  x["metadata"] = {{"name", name}, {"namespace", "default"}};
  x["spec"] = {
      {"sources",
       kube_json::array({{{"name", "s"}, {"schema", "id BIGINT"}, {"topic", {{"name", "t"}}}}})},
      {"sinks", kube_json::array({{{"discard", kube_json::object()}}})}};
  return x;
}

kube_json pod_of(const std::string& name) {
  kube_json x{{"apiVersion", "v1"}, {"kind", "Pod"}};
  x["metadata"] = {{"name", name}, {"namespace", "default"}};
  // With a node: a pod without one is deleted at once.
  x["spec"] = {{"nodeName", "node"},
               {"automountServiceAccountToken", false},
               {"containers", kube_json::array({{{"name", "c"}, {"image", "i"}}})}};
  return x;
}

const char* phase_of(std::uint32_t chance) {
  constexpr std::array<const char*, 4> all{"Running", "Asleep", "Failed", "Waking"};
  return all[chance % all.size()];
}

/// Removal with a precondition, right or wrong.
kube_json options_of(const step& x, const reader& of) {
  auto uid = of.uid(x.name);
  if (x.chance % 4 == 0 || uid.empty())
    uid = "00000000-0000-4000-8000-00000000abcd";
  kube_json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  options["preconditions"] = {{"uid", uid}};
  if (x.chance % 3 != 0)
    options["gracePeriodSeconds"] = x.chance % 3 == 1 ? 0 : 20;
  return options;
}

kube_request make(const step& x, const reader& of) {
  switch (x.what) {
  case 0:
    return request("POST", streams, json_type, stream_of(x.name));
  case 1:
    return request("GET", streams + '/' + x.name, json_type, nullptr);
  case 2:
  case 3: {
    auto uid = of.uid(x.name);
    if (x.chance % 5 == 0 || uid.empty())
      uid = "00000000-0000-4000-8000-00000000abcd";
    kube_json object{{"apiVersion", "ebb.dev/v1alpha1"}, {"kind", "Stream"}};
    object["metadata"] = {{"name", x.name}, {"namespace", "default"}, {"uid", uid}};
    if (x.chance % 3 == 0)
      object["metadata"]["resourceVersion"] =
          x.chance % 2 == 0 || of.version(x.name).empty() ? "1" : of.version(x.name);
    object["status"] = {{"phase", phase_of(x.chance)}};
    return request("PATCH", streams + '/' + x.name + "/status?fieldManager=ebb&force=true",
                   "application/apply-patch+yaml", object);
  }
  case 4: {
    auto options = options_of(x, of);
    options.erase("gracePeriodSeconds");
    return request("DELETE", streams + '/' + x.name, json_type, options);
  }
  case 5:
    return request("POST", pods, json_type, pod_of(x.name));
  case 6:
    return request("GET", pods + '/' + x.name, json_type, nullptr);
  case 7:
    return request("DELETE", pods + '/' + x.name, json_type, options_of(x, of));
  case 8: {
    kube_json lease{{"apiVersion", "coordination.k8s.io/v1"}, {"kind", "Lease"}};
    lease["metadata"] = {{"name", x.name}, {"namespace", "default"}};
    lease["spec"] = {{"leaseTransitions", 1 + x.chance % 7}};
    return request("POST", leases, json_type, lease);
  }
  case 9: {
    kube_json lease{{"apiVersion", "coordination.k8s.io/v1"}, {"kind", "Lease"}};
    lease["metadata"] = {{"name", x.name}, {"namespace", "default"}};
    lease["metadata"]["resourceVersion"] =
        x.chance % 4 == 0 || of.version(x.name).empty() ? "1" : of.version(x.name);
    lease["spec"] = {{"leaseTransitions", 1 + x.chance % 7}};
    return request("PUT", leases + '/' + x.name, json_type, lease);
  }
  case 10:
    return request("GET", leases + '/' + x.name, json_type, nullptr);
  default: {
    auto path = streams + "?limit=2";
    if (x.chance % 2 == 0 && !of.next_page.empty())
      path += "&continue=" + url_text(of.next_page);
    return request("GET", std::move(path), json_type, nullptr);
  }
  }
}

/// Names are of a kind: what one kind's calls say of it is nothing to another.
step random_step(std::minstd_rand& random, std::uint32_t sequence) {
  step x;
  x.what = static_cast<std::uint32_t>(random() % 12);
  x.chance = static_cast<std::uint32_t>(random());
  const char* kind = x.what <= 4 || x.what == 11 ? "s" : x.what <= 7 ? "p" : "l";
  x.name = fmt::format("{}{}-{}", kind, sequence, random() % 3);
  return x;
}

/// Takes away what a sequence has left, so that lists of the next one are its own.
void clean(side& at, std::uint32_t sequence) {
  kube_json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  for (int i = 0; i < 3; ++i) {
    const auto name = fmt::format("s{}-{}", sequence, i);
    const auto found = kube_json::parse(
        at.call(request("GET", streams + '/' + name, json_type, nullptr)).body, nullptr, false);
    const auto uid = text_at(found, {"metadata", "uid"});
    if (uid.empty())
      continue;
    options["preconditions"] = {{"uid", uid}};
    static_cast<void>(at.call(request("DELETE", streams + '/' + name, json_type, options)));
  }
}

int run(const std::string& kubeconfig, std::uint32_t sequences, std::uint32_t first) {
  auto access = find_kube_access(kubeconfig);
  if (!access) {
    std::fprintf(stderr, "%s\n", to_string(access.error()).c_str());
    return 2;
  }
  auto world = curl_world::start(*access);
  if (!world) {
    std::fprintf(stderr, "%s\n", to_string(world.error()).c_str());
    return 2;
  }
  model_side model;
  real_side real(*std::move(world));
  std::size_t calls = 0;
  std::size_t differ = 0;
  constexpr std::uint32_t steps = 14;
  for (auto i = first; i < first + sequences; ++i) {
    std::minstd_rand random(i * 7919 + 1);
    reader of_model;
    reader of_real;
    std::string told;
    for (std::uint32_t j = 0; j < steps; ++j) {
      const auto x = random_step(random, i);
      const auto asked = make(x, of_model);
      const auto from_model = model.call(asked);
      const auto from_real = real.call(make(x, of_real));
      ++calls;
      const auto a = of_model.read(from_model);
      const auto b = of_real.read(from_real);
      if (x.what == 11) {
        of_model.take_page(from_model);
        of_real.take_page(from_real);
      }
      told += fmt::format("{} {}\n", asked.method, asked.path);
      if (a == b)
        continue;
      ++differ;
      std::printf("sequence %u, after\n%s  the model: %s\n  the real one: %s\n", i, told.c_str(),
                  a.c_str(), b.c_str());
      break;
    }
    clean(model, i);
    clean(real, i);
  }
  std::printf("%u sequences, %zu calls, %zu differ\n", sequences, calls, differ);
  return differ == 0 ? 0 : 1;
}

} // namespace

} // namespace ebb::test

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "model_check KUBECONFIG [SEQUENCES [FIRST_SEED]]\n");
    return 2;
  }
  const auto number = [&](int i, std::uint32_t otherwise) {
    return argc > i ? static_cast<std::uint32_t>(std::strtoul(argv[i], nullptr, 10)) : otherwise;
  };
  return ebb::test::run(argv[1], number(2, 500), number(3, 1));
}
