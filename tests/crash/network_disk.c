/* Preloaded, every folder lies on NFS, as far as statfs says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/vfs.h>

#define NFS 0x6969

int statfs(const char *path, struct statfs *out) {
  int (*real)(const char *, struct statfs *) = dlsym(RTLD_NEXT, "statfs");
  const int done = real(path, out);
  out->f_type = NFS;
  return done;
}

int statfs64(const char *path, struct statfs64 *out) {
  int (*real)(const char *, struct statfs64 *) = dlsym(RTLD_NEXT, "statfs64");
  const int done = real(path, out);
  out->f_type = NFS;
  return done;
}
