#include "k8s-bridge/client/curl_library.hpp"

#include <dlfcn.h>
#include <string>

namespace ebb {

namespace {

constexpr const char* file = "libcurl.so.4";

error missing(const std::string& what) {
  return make_error(ec::not_found, "cannot load " + std::string(file) + ": " + what,
                    "install libcurl (Debian: libcurl4); only Kubernetes needs it");
}

class loader {
public:
  explicit loader(void* from) : from_(from) {}

  template <class Function>
  void find(Function& to, const char* name) {
    to = reinterpret_cast<Function>(::dlsym(from_, name));
    if (to == nullptr && absent_.empty())
      absent_ = name;
  }

  [[nodiscard]] const std::string& absent() const {
    return absent_;
  }

private:
  void* from_;
  std::string absent_;
};

result<curl_library> open_library() {
  void* opened = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr)
    return missing(::dlerror());
  loader from(opened);
  curl_library x;
  decltype(&::curl_global_init) global_init = nullptr;
  from.find(global_init, "curl_global_init");
  from.find(x.easy_init, "curl_easy_init");
  from.find(x.easy_setopt, "curl_easy_setopt");
  from.find(x.easy_getinfo, "curl_easy_getinfo");
  from.find(x.easy_cleanup, "curl_easy_cleanup");
  from.find(x.easy_strerror, "curl_easy_strerror");
  from.find(x.multi_init, "curl_multi_init");
  from.find(x.multi_setopt, "curl_multi_setopt");
  from.find(x.multi_add_handle, "curl_multi_add_handle");
  from.find(x.multi_remove_handle, "curl_multi_remove_handle");
  from.find(x.multi_perform, "curl_multi_perform");
  from.find(x.multi_poll, "curl_multi_poll");
  from.find(x.multi_wakeup, "curl_multi_wakeup");
  from.find(x.multi_info_read, "curl_multi_info_read");
  from.find(x.multi_cleanup, "curl_multi_cleanup");
  from.find(x.slist_append, "curl_slist_append");
  from.find(x.slist_free_all, "curl_slist_free_all");
  if (!from.absent().empty())
    return missing("it has no " + from.absent());
  if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return missing("it does not start");
  return x;
}

} // namespace

result<const curl_library*> curl_library::load() {
  static const result<curl_library> loaded = open_library();
  if (!loaded)
    return loaded.error();
  return &*loaded;
}

} // namespace ebb
