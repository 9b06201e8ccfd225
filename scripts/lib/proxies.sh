# shellcheck shell=bash
# What the scripts that start proxies share: the build that is tested, free ports, and proxies that are
# started, waited for and ended. Sourced, in the project's root.

# A sanitizer ends the process with a status of its own: end_proxies looks at it.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:exitcode=77} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:exitcode=77}
export TSAN_OPTIONS=${TSAN_OPTIONS:-exitcode=77:second_deadlock_stack=1}

build_folder() {  # PRESET: a folder under build/, or the path of a build folder
  local folder=$PWD/build/$1
  [[ -d $folder || ! -d $1 ]] || folder=$(cd "$1" && pwd)
  echo "$folder"
}

free_port() {
  local port
  while :; do
    port=$((10000 + RANDOM % 9000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

proxies=() proxy_logs=()
# Starts a proxy of the build in `$build`, and waits until it is ready. Its process is the last of `proxies`.
serve() {  # MAP LOG
  local attempt
  # shellcheck disable=SC2154  # of the script
  "$build/anabranch" serve -c "$1" >"$2" 2>&1 &
  proxies+=($!) proxy_logs+=("$2")
  for ((attempt = 0; attempt < 300; attempt++)); do
    grep -qsw ready "$2" && return
    kill -0 "${proxies[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$2" >&2
  echo "$0: the proxy did not get ready: $2" >&2
  exit 1
}

# Fails where a proxy does not end well, or a sanitizer has reported.
end_proxies() {
  local pid well=0
  for pid in "${proxies[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${proxies[@]}"; do wait "$pid" 2>/dev/null || well=1; done
  [[ ${#proxy_logs[@]} -eq 0 ]] || ! grep -lE 'Sanitizer|runtime error:' "${proxy_logs[@]}" >&2 || well=1
  [[ $well -eq 0 ]] || echo "$0: a proxy did not end well, or a sanitizer has reported: ${proxy_logs[*]}" >&2
  proxies=() proxy_logs=()
  return "$well"
}
