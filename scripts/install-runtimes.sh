#!/usr/bin/env bash
# What `npm run test:runtimes` runs and npm does not bring: Chromium, Firefox, and qemu with the libraries of an ARM64 Node.
# On Debian, as root, installs those that are absent; elsewhere says which they are.
#
#   bash scripts/install-runtimes.sh [--if-possible]
#
# Exit code 1 where something stays absent, 0 with --if-possible: the tests skip what is not there, with a word.
set -euo pipefail

case "${1-}" in
  "") failed=1 ;;
  --if-possible) failed=0 ;;
  *) echo "usage: bash scripts/install-runtimes.sh [--if-possible]" >&2; exit 2 ;;
esac

# One clear line, and the end.
give_up() {
  echo "install-runtimes: $1" >&2
  exit "$failed"
}

any_of() {
  local path
  for path in "$@"; do [ ! -x "$path" ] || return 0; done
  return 1
}

# The paths are those of tests/runtimes/browser/browsers.ts and tests/runtimes/engines.mjs.
packages=()
any_of "${CHROMIUM_PATH:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome || packages+=(chromium)
any_of "${FIREFOX_PATH:-}" /usr/bin/firefox-esr /usr/bin/firefox || packages+=(firefox-esr)
if [ "$(uname -m)" != aarch64 ]; then
  command -v qemu-aarch64-static qemu-aarch64 >/dev/null || packages+=(qemu-user-static)
  [ -e /usr/aarch64-linux-gnu/lib/libstdc++.so.6 ] || packages+=(libstdc++6-arm64-cross)
fi
if [ "${#packages[@]}" -eq 0 ]; then
  echo "install-runtimes: everything is there"
  exit 0
fi

wanted="${packages[*]}"
grep -qsx 'ID=debian' /etc/os-release || give_up "this is not Debian; install what its packages $wanted are here"
[ "$(id -u)" -eq 0 ] || give_up "not root; run: sudo apt-get install $wanted"

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Apt's own words go to the log, of which a failure shows the last error.
run() {
  "$@" >"$log" 2>&1 || give_up "$1 $2 failed, so there is no $wanted: $(grep '^E:' "$log" | tail -n 1 || true)"
}
run apt-get update -q
run apt-get install -q -y --no-install-recommends "${packages[@]}"
echo "install-runtimes: installed $wanted"
