# Sourced by scripts/demo, scripts/serve, scripts/bench, scripts/profile and scripts/growth: dependencies, a release build, and
# a state directory with a SoftHSM token, its PINs, a configuration and a first account. What is already there stays as it is, but for the configured port.

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

# prepare_state DIR PORT: sets `state` and exports SOFTHSM2_CONF. The port is written when the file is made, and again
# when PORT is not empty.
prepare_state() {
  local port=$2
  (umask 077; mkdir -p "$1")
  state=$(cd "$1" && pwd)
  case "$state" in
    *[!A-Za-z0-9/._+@\ -]*) echo "the path of the state may hold letters, digits and /._+@- only: $state" >&2; return 1 ;;
  esac
  export SOFTHSM2_CONF=$state/softhsm2.conf
  # In a subshell for its umask and its lock: two that start at once must not make two tokens.
  (
    umask 077
    exec 9>"$state/.lock"
    flock --wait 60 9
    [ -s "$SOFTHSM2_CONF" ] ||
      sed "s|@TOKEN_DIR@|$state/tokens|" "$repository/softhsm-config/softhsm2.conf.in" >"$SOFTHSM2_CONF"
    [ -s "$state/pin" ] || new_pin >"$state/pin"
    [ -s "$state/so-pin" ] || new_pin >"$state/so-pin"
    if [ ! -s "$state/hsm-signer.toml" ]; then
      sed -e "s|@MODULE@|$(softhsm_module)|" -e "s|@PORT@|${port:-8080}|" -e "s|@LABEL@|hsm-signer|" \
        "$repository/softhsm-config/hsm-signer.toml.in" >"$state/hsm-signer.toml"
    elif [ -n "$port" ]; then
      sed -i "s|^port = .*|port = $port|" "$state/hsm-signer.toml"
      grep -qx "port = $port" "$state/hsm-signer.toml" ||
        { echo "no line 'port = …' in $state/hsm-signer.toml to change: set the port there" >&2; exit 1; }
    fi
    # A token that is there is never touched. A new one is made aside and moved into place, so that an interrupted first
    # start leaves none whose PIN nobody knows.
    if [ -z "$(ls -A "$state/tokens" 2>/dev/null)" ]; then
      rm -rf "$state/tokens.new"
      mkdir "$state/tokens.new"
      sed "s|^directories.tokendir.*|directories.tokendir = $state/tokens.new|" "$SOFTHSM2_CONF" >"$state/softhsm2.new.conf"
      SOFTHSM2_CONF=$state/softhsm2.new.conf "$hsm_signer" token init --module "$(softhsm_module)" --label hsm-signer \
        --so-pin-file "$state/so-pin" --pin-file "$state/pin" >&2
      rm -rf "$state/tokens" "$state/softhsm2.new.conf"
      mv "$state/tokens.new" "$state/tokens"
    fi
    # The first account, which administers and issues. Where accounts are, or were, nothing is added.
    if [ ! -e "$state/admin.json" ] && [ "$("$hsm_signer" account list --config "$state/hsm-signer.toml" 2>/dev/null)" = "no accounts" ]; then
      "$hsm_signer" account create --config "$state/hsm-signer.toml" --client-id admin --own --grant 'administrator=*' \
        --grant 'issuer=*' --secret-file "$state/admin.json" >/dev/null ||
        echo "no first account was made; hsm-signer account create --help says how" >&2
    fi
  )
}

# write_authorization URL: asks for an access token with DIR/admin.json and writes it to DIR/authorization (mode 0600), as a header
# that curl reads with `-H @FILE`. Neither the secret nor the token is on a command line.
write_authorization() {
  local client_id client_secret answer access_token
  client_id=$(sed -n 's/.*"client_id":"\([^"]*\)".*/\1/p' "$state/admin.json")
  client_secret=$(sed -n 's/.*"client_secret":"\([^"]*\)".*/\1/p' "$state/admin.json")
  answer=$(printf 'grant_type=client_credentials&client_id=%s&client_secret=%s' "$client_id" "$client_secret" |
    curl -sS --noproxy '*' --max-time 30 -d @- "$1/oauth2/access_token") || return 1
  access_token=$(printf '%s' "$answer" | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
  [ -n "$access_token" ] || { echo "no access token: $answer" >&2; return 1; }
  (umask 077; printf 'Authorization: Bearer %s\n' "$access_token" >"$state/authorization")
}

# wait_for_pool PID: until the server with that process id has taken every key of the pool of `state` that belongs to nobody, and
# has proven them, which is when it does nothing more.
wait_for_pool() {
  local deadline=$((SECONDS + 300)) before after
  while [ $SECONDS -lt $deadline ]; do
    before=$(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat") || return 1
    sleep 1
    after=$(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat") || return 1
    if [ $((after - before)) -le 3 ] &&
      [ "$(sqlite3 -readonly "$state/hsm-signer.db" "SELECT count(*) FROM pool_key WHERE owner = ''")" = 0 ]; then
      return 0
    fi
  done
  echo "the server did not take the pool's keys within 300 s" >&2
  return 1
}
