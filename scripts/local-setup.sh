# Sourced by scripts/demo and scripts/serve: dependencies, a release build, and a state directory with a SoftHSM token,
# its PINs and a configuration. Everything already there is left as it is.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
hsm_signer=$repository/build/release/hsm-signer

build_release() {
  "$repository/scripts/install-deps"
  (cd "$repository" && cmake --preset release >/dev/null && cmake --build --preset release --target hsm-signer extraction-attempt >&2)
}

softhsm_module() {
  local candidate
  for candidate in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do
    [ -e "$candidate" ] && { echo "$candidate"; return; }
  done
  echo "SoftHSM2's module was not found: scripts/install-deps installs it" >&2
  return 1
}

new_pin() { openssl rand -hex 8; }

# prepare_state DIR PORT: sets `state` and exports SOFTHSM2_CONF.
prepare_state() {
  local port=$2
  (umask 077; mkdir -p "$1/tokens")
  state=$(cd "$1" && pwd)
  export SOFTHSM2_CONF=$state/softhsm2.conf
  local umask_before; umask_before=$(umask); umask 077
  sed "s|@TOKEN_DIR@|$state/tokens|" "$repository/softhsm-config/softhsm2.conf.in" >"$SOFTHSM2_CONF"
  [ -s "$state/pin" ] || new_pin >"$state/pin"
  [ -s "$state/so-pin" ] || new_pin >"$state/so-pin"
  sed -e "s|@MODULE@|$(softhsm_module)|" -e "s|@PORT@|$port|" -e "s|@LABEL@|hsm-signer|" \
    "$repository/softhsm-config/hsm-signer.toml.in" >"$state/hsm-signer.toml"
  if [ -z "$(ls -A "$state/tokens")" ]; then
    "$hsm_signer" token init --module "$(softhsm_module)" --label hsm-signer \
      --so-pin-file "$state/so-pin" --pin-file "$state/pin" >&2
  fi
  umask "$umask_before"
}
