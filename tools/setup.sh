#!/bin/sh
# Brings a fresh clone to where it runs: npm packages, and as root on Debian or Ubuntu the programs that real
# containers need, with --for-tests also those that only tests use. Says what it does; does nothing twice.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "proa: $*" >&2; }

# A link belongs to another checkout, which sets itself up. npm writes node_modules/.package-lock.json last, so an older one means an unfinished or outdated installation.
if [ ! -L node_modules ] && [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  say 'installing npm packages (once) …'
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi

[ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] || exit 0
missing=
need() { # need PROGRAM PACKAGE
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ] || missing="$missing $2"
}
need containerd containerd
need runc runc
need nft nftables
need conntrack conntrack
need iptables iptables
need ip iproute2
[ -x /usr/lib/cni/ptp ] || [ -x /opt/cni/bin/ptp ] || missing="$missing containernetworking-plugins"
# What the tests alone need: images are made from busybox, pulls go to a real registry.
if [ "${1-}" = --for-tests ]; then
  [ -x /bin/busybox ] || missing="$missing busybox-static"
  need docker-registry docker-registry
fi
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  say "real containers need:$missing. Install them with your system's package manager, or start with --nodes 0."
  exit 0
fi
say "installing Debian packages (once):$missing …"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# A service of the machine's own is not wanted: Proa runs a containerd of its own.
mask=/usr/sbin/policy-rc.d
made=
[ -e "$mask" ] || { printf '#!/bin/sh\nexit 101\n' >"$mask"; chmod 755 "$mask"; made=1; }
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null || { [ -z "$made" ] || rm -f "$mask"; exit 1; }
[ -z "$made" ] || rm -f "$mask"
