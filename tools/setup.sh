#!/bin/sh
# SPDX-License-Identifier: MIT
# setup.sh: install what Quire needs and this computer lacks: to build and run it, and for `make test`.
#
# Silent when nothing is missing. Becomes root only to install. When it cannot help, it says in one
# sentence what to do, and ends with 1.

fail() {
  echo "setup: $*" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# Whether one of these programs is there.
any() {
  for p; do
    has "$p" && return 0
  done
  return 1
}

# The same program under the names by which distributions know its versions.
versions() {
  for v in '' -22 -21 -20 -19 -18 -17 -16 -15 -14; do
    echo "$1$v"
  done
}

prefixed() {
  for p in riscv64-unknown-elf riscv64-elf riscv64-linux-gnu riscv64-unknown-linux-gnu riscv64-none-elf; do
    echo "$p-$1"
  done
}

gdb_knows_riscv() {
  any gdb-multiarch $(prefixed gdb) || { has gdb && gdb -batch -nx -ex 'set arch riscv:rv64' 2>&1 | grep -q 'set to'; }
}

# Compiling for this computer takes its C library's headers, too.
host_compiles() {
  any cc gcc clang && [ -e /usr/include/stdio.h ] || [ "$(uname)" = Darwin ] && has cc
}

qemu_is_new() {
  set -- $(qemu-system-riscv64 --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  [ $# -eq 2 ] && [ $(($1 * 100 + $2)) -ge 702 ]
}

# What is missing, in words of our own.
missing() {
  any gmake make || echo make
  host_compiles || echo host
  any $(prefixed gcc) || echo riscv
  qemu_is_new || echo qemu
  gdb_knows_riscv || echo gdb
  has python3 || echo python
  { any $(versions clang) && any $(versions ld.lld) && any $(versions llvm-objcopy); } || echo llvm
}

# The packages behind those words.
packages() {
  for need in $needs; do
    case $manager-$need in
    *-make) echo make ;;
    apt-host) echo gcc libc6-dev ;;
    dnf-host) echo gcc glibc-devel ;;
    pacman-host) echo gcc ;;
    brew-host) echo gcc ;;
    apt-riscv) echo gcc-riscv64-unknown-elf ;;
    dnf-riscv) echo gcc-riscv64-linux-gnu binutils-riscv64-linux-gnu ;;
    *-riscv) echo riscv64-elf-gcc riscv64-elf-binutils ;;
    apt-qemu) apt-cache show qemu-system-riscv >/dev/null 2>&1 && echo qemu-system-riscv || echo qemu-system-misc ;;
    brew-qemu) echo qemu ;;
    *-qemu) echo qemu-system-riscv ;;
    apt-gdb) echo gdb-multiarch ;;
    dnf-gdb) echo gdb ;;
    *-gdb) echo riscv64-elf-gdb ;;
    pacman-python) echo python ;;
    *-python) echo python3 ;;
    *-llvm) echo clang lld llvm ;;
    esac
  done | sed "s/^clang lld llvm\$/$([ "$manager" = brew ] && echo llvm lld || echo clang lld llvm)/"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif has sudo; then
    sudo "$@"
  else
    fail "there is no sudo here, so run this as root: $*"
  fi
}

install() {
  case $manager in
  apt) as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" ;;
  dnf) as_root dnf install -q -y "$@" ;;
  pacman) as_root pacman -S --noconfirm --needed "$@" ;;
  brew) brew install -q "$@" ;;
  esac
}

needs=$(missing)
[ -n "$needs" ] || exit 0

if has apt-get; then
  manager=apt
  as_root apt-get update -qq || fail "apt-get cannot update its lists: see above, and check the network."
elif has dnf; then manager=dnf
elif has pacman; then manager=pacman
elif has brew; then manager=brew
else
  fail "install these by hand, since none of apt-get, dnf, pacman and brew is here:" $needs
fi

list=$(packages | tr '\n' ' ')
echo "Installing $list"
install $list >/dev/null || fail "$manager could not install these: ${list% }; see above."

left=$(missing)
case $left in
'') ;;
qemu) fail "the QEMU of this system is older than 7.2: install a newer one (for example from backports)." ;;
*) fail "still missing after the installation:" $left ;;
esac
