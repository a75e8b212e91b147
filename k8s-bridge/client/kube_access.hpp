/// Where a cluster's API server is, and who we are to it.
#pragma once

#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <string>
#include <vector>

namespace ebb {

/// A program that gives credentials (kubeconfig's `exec`).
struct kube_plugin {
  std::string command; ///< empty = there is none
  std::vector<std::string> arguments;
  std::vector<std::string> environment; ///< NAME=VALUE, besides ours
  std::string api_version;
};

struct kube_access {
  std::string server; ///< https://HOST:PORT[/PREFIX], without a slash at the end
  std::string name_space = "default";
  std::string authority; ///< PEM; empty = the system's
  bool insecure = false; ///< the file says not to look at the certificate
  std::string proxy;
  std::string certificate; ///< PEM
  std::string key;         ///< PEM
  std::string token;
  std::string token_file; ///< read again each minute, and when it is refused: it is rotated
  std::string user;       ///< basic authentication, `USER:PASSWORD`
  kube_plugin plugin;
  bool in_cluster = false;
};

/// `file` if it is not empty; else in a pod its service account; else $KUBECONFIG, else
/// ~/.kube/config. Of several files in $KUBECONFIG the first one that says something counts.
/// Blocks. ec::not_found: there is none; ec::invalid_argument: it is wrong; place and hint.
[[nodiscard]] result<kube_access> find_kube_access(const std::string& file,
                                                   const std::string& context = {});

/// Of one kubeconfig's text; relative paths start at `folder`.
[[nodiscard]] result<kube_access> parse_kubeconfig(const std::string& text,
                                                   const std::string& folder,
                                                   const std::string& context = {});

struct kube_credentials {
  std::string token;
  std::string certificate; ///< PEM, of the plugin
  std::string key;
  micros expires = max_time; ///< wall time
};

/// Of the token file or the plugin: what it is now. Blocks; a plugin gets 30 s.
[[nodiscard]] result<kube_credentials> read_kube_credentials(const kube_access& of, micros now);

} // namespace ebb
