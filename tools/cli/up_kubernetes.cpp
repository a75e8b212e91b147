#include "tools/cli/up_kubernetes.hpp"

#include "actors/gateway/token_store.hpp"
#include "actors/links/certificate_authority.hpp"
#include "actors/links/link_place.hpp"
#include "actors/plan/manifest.hpp"
#include "k8s-bridge/client/kube_access.hpp"
#include "storage/files.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <unistd.h>

namespace ebb::cli {

namespace {

constexpr std::size_t most_pods = 500;
constexpr micros pod_ready_within = 120 * micros_per_second;
constexpr micros never = 1000 * micros_per_day;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                          : std::string();
}

result<link_place> place_of(const std::string& text) {
  const auto place = parse_place(text);
  if (!place)
    return make_error(ec::invalid_argument, "--links-listen " + text + " is no address",
                      "write HOST:PORT, like 0.0.0.0:8182");
  return *place;
}

result<std::string> address_for_workers(const up_arguments& arguments) {
  if (!arguments.links_address.empty())
    return arguments.links_address;
  const auto host = from_environment("EBB_SERVICE_HOST");
  const auto port = from_environment("EBB_SERVICE_PORT_LINKS");
  if (host.empty() || port.empty())
    return make_error(ec::invalid_argument, "it is not known where workers find this process",
                      "give --links-address HOST:PORT, or make the Service ebb with a port named "
                      "links before the pod");
  return host + ':' + port;
}

/// Others can reach the interface: with a certificate of our own authority and a first token, where
/// the person has made none.
result<void> let_others_in(const std::string& name_space, control_options& options) {
  auto& http = options.http;
  if (http.address == "localhost" || http.address.starts_with("127.") || http.address == "::1")
    return {};
  const auto links = options.data_folder + "/links";
  if (http.tls_certificate.empty()) {
    EBB_TRY(link_identity::issue_server(links, {"localhost", "ebb", "ebb." + name_space,
                                                "ebb." + name_space + ".svc",
                                                "ebb." + name_space + ".svc.cluster.local"}));
    http.tls_certificate = links + "/http.pem";
    http.tls_key = links + "/http.key";
  }
  const token_file file(options.data_folder);
  EBB_ASSIGN(const auto before, file.load());
  if (before)
    return {};
  token_store tokens;
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  EBB_ASSIGN(const auto made, tokens.create({access_role::operator_, {}, max_time}, now));
  EBB_TRY(make_folder(options.data_folder + "/auth", 0700));
  const auto path = options.data_folder + "/auth/operator.token";
  owned_file kept(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), path);
  const auto text = made.text + '\n';
  if (kept.descriptor() < 0
      || ::write(kept.descriptor(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return system_error(path, "write");
  return file.save(tokens);
}

/// The key is nowhere but in the worker's pod, and in the cluster's secret of it.
result<std::map<std::string, std::string>> new_identity(const certificate_authority& by,
                                                        const link_credential& whose) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  EBB_ASSIGN(auto made, by.issue(whose, now));
  return std::map<std::string, std::string>{{"ca.pem", std::move(made.authority)},
                                            {"worker.pem", std::move(made.certificate)},
                                            {"worker.key", std::move(made.key)}};
}

result<std::map<std::string, std::size_t>> pools_of(const up_arguments& arguments) {
  constexpr unsigned most = 64;
  std::map<std::string, std::size_t> pools;
  for (const auto& text : arguments.warm_for) {
    const auto equals = text.find('=');
    unsigned count = 0;
    const auto* end = text.data() + text.size();
    const auto* begin = equals == std::string::npos ? end : text.data() + equals + 1;
    const auto [last, problem] = std::from_chars(begin, end, count);
    if (equals == 0 || problem != std::errc{} || last != end || count > most)
      return make_error(ec::invalid_argument, "--warm-for " + text + " is no NAMESPACE=N",
                        "write a namespace and a number from 0 to 64, like team-a=2");
    if (!pools.emplace(text.substr(0, equals), count).second)
      return make_error(ec::invalid_argument,
                        "--warm-for names " + text.substr(0, equals) + " twice",
                        "give each namespace one number");
  }
  return pools;
}

/// Shorter ones end before they are renewed where a machine has much to do.
result<certificate_times> times_of(const up_arguments& arguments) {
  constexpr micros shortest = 30 * micros_per_second;
  certificate_times times;
  const auto lifetime = parse_duration(arguments.certificate_lifetime);
  if (!lifetime || *lifetime < shortest || *lifetime > micros_per_day)
    return make_error(ec::invalid_argument, "--certificate-lifetime "
                                                + arguments.certificate_lifetime
                                                + " is no time from 30s to 1d");
  times.lifetime = *lifetime;
  return times;
}

} // namespace

result<std::unique_ptr<kubernetes_service>> join_cluster(const up_arguments& arguments,
                                                         control_options& options) {
  kubernetes_options to;
  EBB_ASSIGN(to.access, find_kube_access(arguments.kubeconfig));
  to.name_space = arguments.own_namespace;
  if (to.name_space.empty())
    to.name_space = from_environment("POD_NAMESPACE");
  if (to.name_space.empty())
    to.name_space = to.access.name_space;
  to.own_pod = from_environment("POD_NAME");
  if (to.own_pod.empty() && to.access.in_cluster)
    to.own_pod = host_name();
  to.holder = to.own_pod.empty() ? host_name() : to.own_pod;
  to.image = arguments.worker_image;
  to.watched = arguments.watched;
  to.data_folder = options.data_folder;
  to.shared_paths = {"quarantine"};
  if (options.files_folder.starts_with(options.data_folder + '/'))
    to.shared_paths.push_back(options.files_folder.substr(options.data_folder.size() + 1));
  // Made here: the kubelet would make them root's.
  for (const auto& x : to.shared_paths)
    EBB_TRY(make_folder(options.data_folder + '/' + x));
  EBB_ASSIGN(const auto place, place_of(arguments.links_listen));
  EBB_ASSIGN(const auto address, address_for_workers(arguments));
  EBB_ASSIGN(const auto times, times_of(arguments));
  EBB_ASSIGN(options.links, tls_address(options.data_folder, place, address, times));
  to.arguments = options.links.arguments;
  if (arguments.threads != 0)
    to.arguments.insert(to.arguments.end(), {"--threads", std::to_string(arguments.threads)});
  to.arguments.insert(to.arguments.end(), {"--cache-bytes", std::to_string(arguments.cache_bytes)});
  to.cache_limit = arguments.cache_limit;
  if (!arguments.cache_volume.empty()) {
    EBB_ASSIGN(to.cache_volume, read_cache_volume(arguments.cache_volume));
  }
  to.make_identity = [by = options.links.authority](const link_credential& whose) {
    return new_identity(*by, whose);
  };
  EBB_TRY(let_others_in(to.name_space, options));

  options.owner = "Kubernetes";
  options.placement.warm = arguments.warm.value_or(0);
  EBB_ASSIGN(options.placement.pools, pools_of(arguments));
  options.placement.max_workers = arguments.max_workers.value_or(most_pods);
  options.placement.share_after = never;
  options.placement.own = true; // a pod runs one stream
  options.placement.idle_grace = 0;
  options.placement.ready_within = pod_ready_within;
  EBB_ASSIGN(auto joined, kubernetes_service::start(std::move(to)));
  options.least_incarnation = joined->incarnation();
  options.stream_changed = [x = joined.get()](const std::string& name) { x->stream_changed(name); };
  options.more_why = [x = joined.get()](const std::string& name) { return x->why(name); };
  options.joined = [x = joined.get()](const std::string& worker, const std::string& peers,
                                      micros ahead) { x->joined(worker, peers, ahead); };
  return joined;
}

} // namespace ebb::cli
