# Shared by the scripts in tools/: where things are, how to build.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# build [TARGET…]: configures build/ once and builds.
build() {
  if [ ! -f "$root/build/build.ninja" ]; then
    echo "build: configuring build/"
    (cd "$root" && CXX="ccache g++" meson setup build >"$root/.configure.log" 2>&1) || {
      cat "$root/.configure.log" >&2
      return 1
    }
    rm -f "$root/.configure.log"
  fi
  ninja -C "$root/build" "$@"
}
