# The wrapper of one run: process 1 of its own pid, mount and network namespaces. When it dies, everything in it dies and every mount vanishes.
# Usage: bash wrapper.sh ROOTFS SOCKET WORK_BYTES UID NODE RECORDER CGROUP...   (SOCKET may be empty, and NODE where contacts are not recorded; UID owns the
# work dir, as numbered in here)
# Descriptor 0: commands (`run N`, `kill N`, `collect PATH`), one a line; end of file ends the run.
# Descriptor 3: a tar of `bundles/N/config.json` and `work/…`. Descriptor 4: events. Descriptor 5: the tar of the outputs.
# Foreign code gets pipes only: a container runtime chowns its stdio, and on /dev/null or a file that would be felt by the host.
set -u -o pipefail
umask 022
rootfs=$1 socket=$2 work_bytes=$3 owner=$4 node=$5 recorder=$6
shift 6
# A fixed place with a short path that every mapped user may traverse. Only this mount namespace sees it.
run=/mnt

fail() { echo "$1" >&2; exit 70; }
# Moves the calling subshell; what it starts is born in the cgroups.
enter_cgroups() { local group; for group in "$@"; do echo 0 >"$group/cgroup.procs" || exit 70; done; }
runtime() { crun --root "$run/state" --cgroup-manager=disabled --log="$run/crun.log" "$@"; }

ip link set lo up || fail 'cannot bring up the loopback interface'
if [ -n "$socket" ]; then
  # Relative to its folder, because the mount below may hide that folder.
  (cd "${socket%/*}" && exec socat TCP-LISTEN:3128,bind=127.0.0.1,fork,reuseaddr,max-children=128 "UNIX-CONNECT:./${socket##*/}") \
    </dev/null >/dev/null 2>&1 3<&- 4>&- 5>&- &
  # 0C38 is 3128, 0A is LISTEN.
  until grep -q ':0C38 00000000:0000 0A' /proc/net/tcp; do
    kill -0 $! 2>/dev/null || fail 'cannot start the forwarder'
    sleep 0.005
  done
fi
secret=$SRANDOM$SRANDOM$SRANDOM
if [ -n "$node" ]; then
  # Every address is this machine's: what nobody listens on refuses at once, and a packet socket sees who was meant. IPv6 may be off.
  ip route add local 0.0.0.0/0 dev lo || fail 'cannot route every address to the loopback interface'
  ip -6 route add local ::/0 dev lo 2>/dev/null
  # 1:33 is SO_RCVBUFFORCE of socket(7): packets that find no room are lost. The recorder reads what foreign code sends: no capability but to listen on port 53, and no file but its own.
  (socat -u -b 131072 INTERFACE:lo,setsockopt-int=1:33:33554432 STDOUT 4>&- 5>&- | exec setpriv --bounding-set=-all,+net_bind_service --inh-caps=-all --no-new-privs \
    "$node" --permission --allow-fs-read="${recorder%/*}/*" "$recorder" "$secret" >&4 4>&- 5>&-) </dev/null 2>/dev/null 3<&- &
  # 0035 is 53.
  until grep -q ': 0100007F:0035 ' /proc/net/udp && [ "$(wc --lines </proc/net/packet)" -gt 1 ]; do
    kill -0 $! 2>/dev/null || fail 'cannot start the recorder of contacts'
    sleep 0.005
  done
fi
# On hosts with both cgroup versions the runtime refuses to start while it sees the second. Limits are ours, so it needs neither.
[ ! -d /sys/fs/cgroup/unified ] || mount -t tmpfs -o ro tmpfs /sys/fs/cgroup/unified || fail 'cannot hide the second cgroup hierarchy'
cd "$rootfs" || fail 'cannot enter the root filesystem'
mount -t tmpfs -o size=16m,mode=755,nosuid,nodev tmpfs "$run" || fail "cannot mount a tmpfs on $run"
mkdir "$run/rootfs" "$run/work" "$run/state"
mount --bind . "$run/rootfs" && mount -o remount,bind,ro,nosuid,nodev "$run/rootfs" || fail 'cannot bind the root filesystem'
mount -t tmpfs -o "size=$work_bytes,mode=755,uid=$owner,gid=$owner,nosuid,nodev" tmpfs "$run/work" || fail 'cannot mount the work dir'
cd "$run" || fail "cannot enter $run"
(enter_cgroups "$@"; exec tar --extract --file=- --preserve-permissions --numeric-owner --same-owner <&3) || fail 'cannot place the inputs'
exec 3<&-
echo ready >&4

run_phase() {
  : | (enter_cgroups "$@"; runtime run --bundle "bundles/$phase" "$phase") 2>&1 4>&- 5>&- | cat 4>&- 5>&-
  local status=${PIPESTATUS[1]}
  # The runtime itself may have been the victim of a lack of memory, and what it watched over may live on.
  [ ! -d "state/$phase" ] || runtime delete --force "$phase" 2>/dev/null
  local complaint=
  [ ! -s crun.log ] || complaint=$(head --bytes=2000 crun.log | tr '\n' ' ')
  echo "ended $phase $status $complaint" >&4
  [ -z "$node" ] || mark "$phase" 4>&- 5>&-
}
# In the order in which packets were sent, a mark comes after those of the phase. One that finds no room is lost, so it comes often, and for half a minute.
mark() {
  local round
  for round in {1..80}; do
    echo -n "$secret $1" 2>/dev/null >/dev/udp/127.0.0.1/9
    if ((round < 20)); then sleep 0.05; else sleep 0.5; fi
  done
}

# Only after the last phase: no foreign process is alive, so nothing can move under our feet.
collect() {
  local folder=work part
  local group IFS=/
  for group in "${@:2}"; do while [ -n "$(<"$group/cgroup.procs")" ]; do sleep 0.01; done; done
  for part in $1; do
    folder=$folder/$part
    [ -L "$folder" ] && { echo collected link >&4; return; }
    [ -d "$folder" ] || { echo collected missing >&4; return; }
  done
  # Hard links become files of their own. Sockets are left out by tar: they are counted, because their names could forge an event.
  local sockets
  sockets=$(find "$folder" -type s -printf x | wc --chars)
  tar --create --file=- --format=pax --hard-dereference --no-xattrs --numeric-owner --sort=name --directory="$folder" . >&5 4>&-
  echo "collected $? $sockets" >&4
}

while read -r verb argument; do
  case $verb in
    run) phase=$argument; run_phase "$@" <&- & ;;
    kill) runtime kill "$argument" KILL 2>/dev/null ;;
    collect) collect "$argument" "$@" ;;
  esac
done
