# Shared by the scripts in tools/: where things are, how to build.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# A build in another checkout finds what this one compiled: the paths that ccache sees are relative.
export CCACHE_NOHASHDIR=1

# configure FOLDER [OPTION…]: configures a build folder once, for g++ or what $compiler names; later
# brings it up to what the meson.build files say.
configure() {
  local folder=$1
  shift
  if [ -f "$root/$folder/build.ninja" ]; then
    ninja -C "$root/$folder" --quiet build.ninja
    return
  fi
  echo "build: configuring $folder/"
  local log
  log=$(mktemp)
  (cd "$root" && CXX="ccache ${compiler:-g++}" meson setup "$folder" "$@" >"$log" 2>&1) || {
    cat "$log" >&2
    rm -f "$log"
    return 1
  }
  rm -f "$log"
}

# build [TARGET…]: builds in build/, configuring it first where needed.
build() {
  configure build
  ninja -C "$root/build" "$@"
}

# unit_tests FOLDER: the names of its unit test programs, for ninja.
unit_tests() {
  meson introspect --targets "$root/$1" | python3 -c '
import json, os, sys
for target in json.load(sys.stdin):
    if target["name"].startswith("test_") and target["type"] == "executable":
        print(os.path.relpath(target["filename"][0], sys.argv[1]))' "$root/$1"
}
