# Two hosts on one machine: network namespaces joined by a cable, each with a loopback
# of its own, so that one port can be taken on both. To be sourced after common.sh.
# shellcheck shell=bash

near_address=10.213.7.1
far_address=10.213.7.2

# Sets $near and $far, the names of the namespaces, and $near_device, where the cable
# is plugged in. False where that cannot be done.
make_netns() {
  near=tenkai-near-$$ far=tenkai-far-$$
  near_device=tk$$a
  ip netns add "$near" 2>/dev/null && ip netns add "$far" || return 1
  ip link add "$near_device" type veth peer name "tk$$b" || return 1
  ip link set "$near_device" netns "$near"
  ip link set "tk$$b" netns "$far"
  ip -n "$near" address add "$near_address/24" dev "$near_device"
  ip -n "$far" address add "$far_address/24" dev "tk$$b"
  ip -n "$near" link set lo up
  ip -n "$far" link set lo up
  ip -n "$near" link set "$near_device" up
  ip -n "$far" link set "tk$$b" up
}

remove_netns() {
  [ -n "${near-}" ] || return 0
  ip netns del "$near" 2>/dev/null || true
  ip netns del "$far" 2>/dev/null || true
}
