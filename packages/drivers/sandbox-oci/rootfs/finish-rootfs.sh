# Run by mmdebstrap when everything is installed. Usage: sh finish-rootfs.sh ROOT FILES
# Places the recipe's own files, makes the mount points of a run, and takes away whatever is of the machine, of the moment, or of no use to a build.
set -eu
root=$1 files=$2

umask 022
(cd "$files" && find . -type f) | while read -r path; do
  mode=644
  [ ! -x "$files/$path" ] || mode=755
  install -D --mode="$mode" "$files/$path" "$root/$path"
done
mkdir --parents "$root/work"
echo 'build:x:1000:1000::/work:/bin/sh' >>"$root/etc/passwd"
echo 'build:x:1000:' >>"$root/etc/group"

# mmdebstrap copies these from the host.
echo granary >"$root/etc/hostname"
: >"$root/etc/resolv.conf"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
# Where the local archive lay, and options that were for mmdebstrap only. The rest of apt's files it takes away itself, after this.
rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d" "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
rm -rf "$root"/var/log/* "$root/var/cache/ldconfig" "$root/var/cache/debconf" "$root"/var/lib/dpkg/*-old
rm -f "$root/etc/passwd-" "$root/etc/group-" "$root/etc/shadow-" "$root/etc/gshadow-" "$root/etc/machine-id"
rm -rf "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/info" "$root/usr/share/locale" "$root/usr/share/lintian"
# Nothing in it may raise privileges; the mount says nosuid too.
find "$root" -xdev -type f -perm /6000 -exec chmod a-s '{}' +
