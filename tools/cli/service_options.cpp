#include "tools/cli/service_options.hpp"

#include <CLI/CLI.hpp>

namespace ebb::cli {

namespace {

void add_cache_bytes(CLI::App& command, std::uint64_t& to) {
  command
      .add_option(
          "--cache-bytes", to,
          "With a store over the link: bytes of copies of state that a worker keeps at rest "
          "(default 4 GiB; 512MiB and the like are understood)")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE");
}

void add_kubernetes(CLI::App& command, up_arguments& to) {
  command
      .add_option(
          "--backend", to.backend,
          "Where workers run: local (default), as processes of this machine; kubernetes, as "
          "pods, with streams and topics that are custom resources")
      ->check(CLI::IsMember({"local", "kubernetes"}))
      ->type_name("WHERE");
  command
      .add_option(
          "--kubeconfig", to.kubeconfig,
          "With kubernetes: how to reach the cluster; in a pod its service account, else as "
          "kubectl finds it")
      ->type_name("FILE");
  command
      .add_option("--own-namespace", to.own_namespace,
                  "With kubernetes: namespace of workers and lease (default: the pod's)")
      ->type_name("NAMESPACE");
  command
      .add_option(
          "--watch-namespace", to.watched,
          "With kubernetes: the one namespace whose streams and topics are served (default: "
          "all)")
      ->type_name("NAMESPACE");
  command
      .add_option("--worker-image", to.worker_image,
                  "With kubernetes: image of workers (default: that of our own pod)")
      ->type_name("IMAGE");
  command
      .add_option("--links-listen", to.links_listen,
                  "With kubernetes: where workers' links are taken (default 0.0.0.0:8182)")
      ->type_name("ADDR");
  command
      .add_option("--cache-limit", to.cache_limit,
                  "With kubernetes: bytes of copies of state at which a pod is evicted, as a "
                  "quantity (default 16Gi)")
      ->type_name("QUANTITY");
  command
      .add_option("--cache-volume", to.cache_volume,
                  "With kubernetes: volume in which the pods of a node share copies of state that "
                  "outlive them, claim:NAME or node:/PATH (default: each pod has its own)")
      ->type_name("VOLUME");
  command
      .add_option(
          "--warm-for", to.warm_for,
          "With kubernetes: N warm pods for streams of this namespace alone, which then take "
          "none of --warm; may be given several times")
      ->type_name("NAMESPACE=N");
  command
      .add_option("--certificate-lifetime", to.certificate_lifetime,
                  "With kubernetes: how long a worker's certificate holds; it gets another one "
                  "before (default 1d, at most 1d)")
      ->type_name("DURATION");
  command
      .add_option("--links-address", to.links_address,
                  "With kubernetes: where workers find this process (default: the address of the "
                  "Service ebb)")
      ->type_name("HOST:PORT");
}

} // namespace

CLI::App* add_worker(CLI::App& app, worker_arguments& to) {
  auto* command = app.add_subcommand("worker", "Run streams on the orders of a control process");
  command->group("");
  command->add_option("--control", to.control, "Socket of the control process")
      ->required()
      ->type_name("SOCKET");
  command
      ->add_option("--identity", to.identity,
                   "Folder with ca.pem, worker.pem and worker.key: --control is HOST:PORT then")
      ->type_name("DIR");
  command->add_option("--name", to.name, "Name that the control process knows it by")
      ->required()
      ->type_name("NAME");
  command->add_option("--threads", to.threads, "Worker threads; 0 = one a core")
      ->check(CLI::Range(0, 256))
      ->type_name("N");
  command
      ->add_option("--orphan-timeout", to.orphan_timeout,
                   "Seconds without a control process after which it ends")
      ->check(CLI::Range(0.1, 86400.0))
      ->type_name("SECONDS");
  command->add_option("--log", to.log, "File that standard error goes to, to bound its size")
      ->type_name("FILE");
  command
      ->add_option("--cache", to.cache,
                   "It shares no folder with the control process: copies lie in DIR/NAME")
      ->type_name("DIR");
  command
      ->add_option("--node-cache", to.node_cache,
                   "Folder of copies that the workers of this node share: they outlive it")
      ->type_name("DIR");
  add_cache_bytes(*command, to.cache_bytes);
  return command;
}

void add_up(CLI::App& app, up_arguments& to) {
  auto* command = app.add_subcommand("up", "Serve streams and topics on this machine");
  command->add_option("--data", to.data, "Folder for state and topics (default ebb-data)")
      ->type_name("DIR");
  command
      ->add_option("--listen", to.listen,
                   "Address of the HTTP interface (default 127.0.0.1:8181); off loopback it needs "
                   "TLS and tokens")
      ->type_name("ADDR");
  command
      ->add_option("--files", to.files,
                   "Folder that streams may read and write files in; without it, none")
      ->type_name("DIR");
  command->add_option("--tls-cert", to.tls_certificate, "Certificate with its chain (PEM)")
      ->type_name("FILE");
  command->add_option("--tls-key", to.tls_key, "Its key (PEM)")->type_name("FILE");
  command
      ->add_option("--links", to.links,
                   "Between this process and its workers: socket (default), or tls with "
                   "certificates of both sides, made at the first start")
      ->check(CLI::IsMember({"socket", "tls"}))
      ->type_name("HOW");
  command
      ->add_option("--warm", to.warm,
                   "Idle workers kept for the next stream (default 1, on Kubernetes 0)")
      ->check(CLI::Range(0, 64))
      ->type_name("N");
  command
      ->add_option("--max-workers", to.max_workers,
                   "Worker processes; with more streams awake they share them (default 8; on "
                   "Kubernetes 500 pods)")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  command->add_option("--threads", to.threads, "Threads of each worker; 0 = one a core")
      ->check(CLI::Range(0, 256))
      ->type_name("N");
  command
      ->add_option("--store", to.store,
                   "How workers come to state and topics: folder (default), in the data folder; "
                   "link, over their links, with copies in DATA/cache. On Kubernetes it is link")
      ->check(CLI::IsMember({"folder", "link"}))
      ->type_name("HOW");
  add_cache_bytes(*command, to.cache_bytes);
  command
      ->add_option("--log-format", to.log_format,
                   "What it tells on standard error: text for people, json for programs, one object "
                   "a line; auto (default) is text on a terminal and json elsewhere")
      ->check(CLI::IsMember({"auto", "text", "json"}))
      ->type_name("FORM");
  add_kubernetes(*command, to);
}

} // namespace ebb::cli
